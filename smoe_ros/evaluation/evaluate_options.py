# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of smoe_evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smoe_ros.errors import ConfigurationError
from smoe_ros.options.command_line import add_options, make_parser, options_from
from smoe_ros.options.option import option
from smoe_ros.options.parameters import NetworkOptions

_DESCRIPTION = """\
Measure how well saliency maps explain a network, beside baselines and other libraries.

Without PHOTO, FOLDER or VIDEO it takes the photos and films that installed packages carry.
Nothing is trained, nothing downloaded. Prints the tables, and writes into DIR evaluation.md,
evaluation.csv (every figure of every picture), evaluation.json (what the tables show) and plots
as PNG."""

_EPILOG = """\
exit code: 0 measured; 1 an input or a setting was refused, or a method failed on a picture, which
a line says; 2 wrong usage; 130 interrupted: --resume goes on. Other libraries are measured if they
are installed (grad-cam, captum)."""


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(NetworkOptions):
    """What the user asked for.

    Attributes:
        inputs: Photos, folders of photos and videos, and videos; empty takes the bundled ones.
        output: Folder for the results.
        boxes: File with boxes around what the pictures show; None takes the bundled pictures'.
    """

    inputs: tuple[Path, ...]
    output: Path
    boxes: Path | None
    frames_per_film: int = option(
        6, 'Frames of each video that are taken as pictures; 0 takes the photos only.', minimum=0
    )
    methods: tuple[str, ...] = option(
        (),
        "Methods to compare, by their names in the tables, such as 'smoe scale,grad-cam'; by "
        'default all.',
        metavar='NAME,…',
    )
    ablation: bool = option(
        False,
        'Compare instead every statistic, normalisation and preset of scale weights, without and '
        'with Grad-CAM: over a hundred settings, by deletion, insertion and boxes only.',
    )
    road: bool = option(
        False,
        'Also remove the pixels of six pictures by noisy linear imputation instead of blackening '
        'them (ROAD): slow, and needs grad-cam.',
    )
    quick: bool = option(
        False,
        'Only to see whether it runs: so few steps and pictures that the figures say nothing.',
    )
    seed: int = option(0, 'Seed of all that is drawn.', minimum=0, maximum=2**31 - 1)
    resume: bool = option(False, 'Go on with a run that was interrupted.')

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        if self.ablation and self.methods:
            raise ConfigurationError('--ablation measures settings, and takes no --methods')


def parse_options(args: Sequence[str] | None = None) -> EvaluateOptions:
    """Read the command line; ends the process on ``--help`` (0) or a mistake (2)."""
    parser = make_parser('smoe_evaluate', _DESCRIPTION, _EPILOG)
    parser.add_argument(
        'inputs',
        nargs='*',
        type=Path,
        metavar='PHOTO|FOLDER|VIDEO',
        help='what to measure on (default: the photos and films of installed packages)',
    )
    parser.add_argument(
        '--output', required=True, type=Path, metavar='DIR', help='folder for the results'
    )
    parser.add_argument(
        '--boxes',
        type=Path,
        metavar='CSV',
        help='boxes around what the pictures show, with the columns name,label,x0,y0,x1,y1 in '
        "pixels of the picture; a video's frame is called 'NAME 042' (default: those of the "
        'photos and films of installed packages)',
    )
    add_options(parser, EvaluateOptions)
    return options_from(parser, EvaluateOptions, parser.parse_args(args))
