# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of smoe_bag explain."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from smoe_ros.commands.arguments import seconds, whole_number
from smoe_ros.commands.network_options import (
    FrameOptions,
    add_frame_options,
    check_frame_options,
)

# Small, and drawn while the network works; an overlay of the camera's size takes as long as both.
DEFAULT_OUTPUTS = ('contributions', 'saliency', 'lovi')
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


@dataclass(frozen=True)
class BagExplainOptions(FrameOptions):
    """What the user asked for.

    Attributes:
        input: The bag.
        output: The bag to write.
        topics: Image topics, each with ``=NAMESPACE`` for its outputs if wished; empty means all.
        outputs: Outputs of the node to write.
        start: Where to begin, in seconds since the bag's first message.
        end: Where to end likewise; infinite means the bag's end.
        every: Explain every so many-th image of each camera.
        copy: Topics to copy; ``('all',)`` means all.
        resume: Whether to go on with an interrupted run.
    """

    input: Path
    output: Path
    topics: tuple[str, ...]
    outputs: tuple[str, ...]
    start: float
    end: float
    every: int
    copy: tuple[str, ...]
    resume: bool


def add_explain_options(parser: argparse.ArgumentParser) -> None:
    """Add what `explain_options` reads."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('input', type=Path, metavar='IN', help='bag to explain')
    parser.add_argument('output', type=Path, metavar='OUT', help='bag to write; must not exist')
    parser.add_argument(
        '--topics',
        default=(),
        type=_names,
        metavar='TOPIC[=NAMESPACE],…',
        help='image topics to explain; =NAMESPACE says where the outputs go, which is beside the '
        'camera otherwise: /front/image_raw is explained under /front/smoe (default: all, but of '
        'a camera recorded twice only the raw images)',
    )
    parser.add_argument(
        '--outputs',
        default=DEFAULT_OUTPUTS,
        type=_names,
        metavar='NAME,…',
        help=f'outputs to write (default: {",".join(DEFAULT_OUTPUTS)})',
    )
    parser.add_argument(
        '--start',
        default=0.0,
        type=seconds,
        metavar='S',
        help="begin S seconds after the bag's first message (default: %(default)s)",
    )
    parser.add_argument(
        '--end',
        default=math.inf,
        type=seconds,
        metavar='S',
        help="end S seconds after the bag's first message (default: the bag's end)",
    )
    parser.add_argument(
        '--every',
        default=1,
        type=whole_number(1),
        metavar='N',
        help='explain each N-th image of a camera (default: %(default)s)',
    )
    parser.add_argument(
        '--copy',
        nargs='?',
        default=(),
        const=(ALL,),
        type=_names,
        metavar='TOPIC,…',
        help="copy the bag's other topics, the images too; or only those named (default: none)",
    )
    parser.add_argument(
        '--resume', action='store_true', help='go on with a run that was interrupted'
    )
    add_frame_options(parser)


def explain_options(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> BagExplainOptions:
    """Return what was asked for; ends the process on a mistake (2)."""
    check_frame_options(parser, options)
    if options.end <= options.start:
        parser.error(f'--end {options.end:g} is not after --start {options.start:g}')
    names = BagExplainOptions.__dataclass_fields__
    return BagExplainOptions(**{name: getattr(options, name) for name in names})


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(','))
    if not all(names):
        raise argparse.ArgumentTypeError(f"'{text}' has an empty name; separate names by commas")
    return names
