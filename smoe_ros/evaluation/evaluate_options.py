# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of smoe_evaluate."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smoe_ros.commands.arguments import whole_number
from smoe_ros.commands.network_options import (
    NetworkOptions,
    add_device,
    add_method,
    add_network,
    add_threads,
)

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


@dataclass(frozen=True)
class EvaluateOptions(NetworkOptions):
    """What the user asked for.

    Attributes:
        inputs: Photos, folders of photos and videos, and videos; empty takes the bundled ones.
        output: Folder for the results.
        boxes: File with boxes around what the pictures show; None takes the bundled pictures'.
        frames_per_film: Frames of each video that are taken as pictures.
        methods: Names of the methods; empty takes all.
        ablation: Whether to compare all settings of smoe_ros instead of methods.
        road: Whether to remove pixels without leaving holes, too.
        quick: Whether only to see whether everything runs.
        resume: Whether to go on with an interrupted run.
        seed: Of everything that is drawn.
    """

    inputs: tuple[Path, ...]
    output: Path
    boxes: Path | None
    frames_per_film: int
    methods: tuple[str, ...]
    ablation: bool
    road: bool
    quick: bool
    resume: bool
    seed: int


def parse_options(args: Sequence[str] | None = None) -> EvaluateOptions:
    """Read the command line; ends the process on ``--help`` (0) or a mistake (2)."""
    parser = argparse.ArgumentParser(
        prog='smoe_evaluate',
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    parser.add_argument(
        '--frames-per-film',
        default=6,
        type=whole_number(0),
        metavar='N',
        help='frames of each video that are taken as pictures; 0 takes the photos only (default: '
        '%(default)s)',
    )
    _add_scope(parser)
    add_network(parser)
    add_method(parser)
    running = parser.add_argument_group('running')
    add_device(running)
    add_threads(running)
    options = parser.parse_args(args)
    values = vars(options)
    values['inputs'] = tuple(values['inputs'])
    if options.ablation and options.methods:
        parser.error('--ablation measures settings, and takes no --methods')
    return EvaluateOptions(**values)


def _add_scope(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('what is measured')
    group.add_argument(
        '--methods',
        default=(),
        type=_names,
        metavar='NAME,…',
        help="methods to compare, by their names in the tables, such as 'smoe scale,grad-cam' "
        '(default: all)',
    )
    group.add_argument(
        '--ablation',
        action='store_true',
        help='compare instead every statistic, normalisation and preset of scale weights, without '
        'and with Grad-CAM: over a hundred settings, by deletion, insertion and boxes only',
    )
    group.add_argument(
        '--road',
        action='store_true',
        help='also remove the pixels of six pictures by noisy linear imputation instead of '
        'blackening them (ROAD): slow, and needs grad-cam',
    )
    group.add_argument(
        '--quick',
        action='store_true',
        help='only to see whether it runs: so few steps and pictures that the figures say nothing',
    )
    group.add_argument(
        '--seed',
        default=0,
        type=whole_number(0, 2**31 - 1),
        metavar='N',
        help='seed of all that is drawn (default: %(default)s)',
    )
    group.add_argument(
        '--resume', action='store_true', help='go on with a run that was interrupted'
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(',') if (name := part.strip()))
