# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of smoe_explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smoe_ros.options.command_line import add_options, make_parser, options_from
from smoe_ros.options.parameters import FrameOptions

_DESCRIPTION = """\
Explain what a network looks at in photos and videos, without ROS.

Writes for each photo DIR/NAME/ with saliency.png (16 bits: 0..65535 is 0..1), lovi.png (which
scale saw it), overlay.png (heat map on the photo), scales.png (a tile a scale) and
contributions.csv; with --cam also rest.png (what is salient, but not for the class). Writes for
each video DIR/NAME/ with explanation.mp4 and contributions.csv, a row a frame."""

_EPILOG = """\
exit code: 0 all explained; 1 an input or a setting was refused, which a line says; 2 wrong usage;
130 interrupted. Results appear whole or not at all; those of an earlier run are replaced."""


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(FrameOptions):
    """What the user asked for: photos, videos, folders of both; a folder for the results; how."""

    inputs: tuple[Path, ...]
    output: Path


def parse_options(args: Sequence[str] | None = None) -> ExplainOptions:
    """Read the command line; ends the process on ``--help`` (0) or a mistake (2)."""
    parser = make_parser('smoe_explain', _DESCRIPTION, _EPILOG)
    parser.add_argument(
        'inputs',
        nargs='+',
        type=Path,
        metavar='PHOTO|FOLDER|VIDEO',
        help='what to explain; of a folder all photos and videos in natural order, not those in '
        'folders within',
    )
    parser.add_argument(
        '--output', required=True, type=Path, metavar='DIR', help='folder for the results'
    )
    add_options(parser, ExplainOptions)
    return options_from(parser, ExplainOptions, parser.parse_args(args))
