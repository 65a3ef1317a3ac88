# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of smoe_bag explain."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from smoe_ros.errors import ConfigurationError
from smoe_ros.options.command_line import add_options
from smoe_ros.options.option import option
from smoe_ros.options.parameters import FrameOptions

ALL = 'all'

_DESCRIPTION = """\
Explain every image of a bag, as the node would, while no ROS runs.

IN is a bag of rosbag2 (its folder, or one file of it; MCAP or SQLite, versions 4 to 9). Its raw
and compressed images are explained in their order, none is dropped. OUT is a new bag (MCAP) with
the node's outputs: stamps and times are those of the images. It appears when it is complete; until
then OUT.partial holds what there is, and --resume goes on with it."""

_EPILOG = """\
exit code: 0 all explained; 1 nothing was done, which a line explains; 2 wrong usage; 3 the bag is
damaged or has images that cannot be explained, and the rest is explained; 130 interrupted."""


@dataclass(frozen=True, kw_only=True)
class BagExplainOptions(FrameOptions):
    """What the user asked for: the bag to explain, the bag to write, and how."""

    input: Path
    output: Path
    topics: tuple[str, ...] = option(
        (),
        'Image topics to explain; =NAMESPACE says where the outputs go, which is beside the '
        'camera otherwise: /front/image_raw is explained under /front/smoe. By default all, but '
        'of a camera recorded twice only the raw images.',
        metavar='TOPIC[=NAMESPACE],…',
    )
    # Small, and drawn while the network works; an overlay of the camera's size takes as long.
    outputs: tuple[str, ...] = option(
        ('contributions', 'saliency', 'lovi'), 'Outputs of the node to write.', metavar='NAME,…'
    )
    start: float = option(
        0.0, "Begin S seconds after the bag's first message.", minimum=0.0, metavar='S'
    )
    end: float = option(
        math.inf,
        "End S seconds after the bag's first message; by default at the bag's end.",
        minimum=0.0,
        maximum=math.inf,
        metavar='S',
    )
    every: int = option(1, 'Explain each N-th image of a camera.', minimum=1, metavar='N')
    copy: tuple[str, ...] = option(
        (),
        "Copy the bag's other topics, the images too; or only those named. By default none.",
        alone=(ALL,),
        metavar='TOPIC,…',
    )
    resume: bool = option(False, 'Go on with a run that was interrupted.')

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        super().__post_init__()
        if self.end <= self.start:
            raise ConfigurationError(f'--end {self.end:g} is not after --start {self.start:g}')


def add_explain_options(parser: argparse.ArgumentParser) -> None:
    """Add what `BagExplainOptions` holds."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('input', type=Path, metavar='IN', help='bag to explain')
    parser.add_argument('output', type=Path, metavar='OUT', help='bag to write; must not exist')
    add_options(parser, BagExplainOptions)
