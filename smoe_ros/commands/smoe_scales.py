# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_scales: print the scales that a network would be explained by."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from smoe_ros.commands.ending import exit_code_of
from smoe_ros.commands.progress import complain
from smoe_ros.options.command_line import add_options, options_from
from smoe_ros.options.option import like
from smoe_ros.options.parameters import NetworkOptions

_COLUMNS = ('layer', 'call', 'channels', 'size', 'stride', 'weight')


@dataclass(frozen=True, kw_only=True)
class ScalesOptions:
    """What the user asked for.

    Attributes:
        backbone: The network; empty if names are asked for.
        list: Whether the names of all networks are asked for.
    """

    backbone: str
    list: bool
    weights: str = like(
        NetworkOptions,
        'weights',
        default='random',
        text='Weights of the network: random, which works without downloads and gives the same '
        'scales; default (the published ones); or the path of a checkpoint.',
    )
    allow_download: bool = like(NetworkOptions, 'allow_download')
    short_side: int = like(
        NetworkOptions, 'short_side', text='Side of the square input in pixels, a multiple of 32.'
    )
    scales: Literal['auto'] | tuple[str, ...] = like(NetworkOptions, 'scales')
    scale_weights: str | tuple[float, ...] = like(NetworkOptions, 'scale_weights')


def main(args: Sequence[str] | None = None) -> int:
    """Print what the command line asks for, and return the exit code."""
    options = parse_options(args)
    return exit_code_of(lambda: _print(options), lambda line: complain(line, 'smoe_scales'))


def _print(options: ScalesOptions) -> int:
    # Imports torch, which takes seconds: not for --help or a mistake.
    from smoe_ros.backbones import backbone_names  # noqa: PLC0415

    print('\n'.join(backbone_names() if options.list else _describe(options)))
    return 0


def _describe(options: ScalesOptions) -> list[str]:
    from smoe_ros.backbones import load_backbone  # noqa: PLC0415
    from smoe_ros.explainer import Explainer  # noqa: PLC0415

    side = options.short_side
    backbone = load_backbone(
        options.backbone,
        options.weights,
        allow_download=options.allow_download,
        short_side=side,
    )
    with Explainer(
        backbone.model, options.scales, options.scale_weights, input_size=(side, side)
    ) as explainer:
        rows = [
            (
                scale.layer,
                str(scale.call),
                str(scale.channels),
                f'{scale.height}x{scale.width}',
                f'{side / scale.height:.3g}',
                f'{share:.1%}',
            )
            for scale, share in zip(explainer.scales, explainer.weights, strict=True)
        ]
    parameters = sum(parameter.numel() for parameter in backbone.model.parameters())
    title = f'{backbone.name}: {parameters:,} parameters, input {side}x{side}'
    return [title, *_table([_COLUMNS, *rows])]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Align columns: the first to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        '  '.join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def parse_options(args: Sequence[str] | None) -> ScalesOptions:
    """Read the command line; ends the process on ``--help`` (0) or a mistake (2)."""
    parser = argparse.ArgumentParser(
        prog='smoe_scales',
        description='Print the scales that a network would be explained by, finest first: the '
        'activation that is read, its size, the pixels of the input that a cell spans (stride), '
        'and its share in the saliency.',
        epilog='exit code: 0 printed; 1 a setting was refused, which a line says; 2 wrong usage; '
        '130 interrupted.',
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        'backbone',
        nargs='?',
        default='',
        metavar='BACKBONE',
        help='network: a name of --list, your own as package.module:function or '
        '/path/file.py:function, or the path of a TorchScript file',
    )
    what.add_argument('--list', action='store_true', help='print the names of all networks')
    add_options(parser, ScalesOptions)
    return options_from(parser, ScalesOptions, parser.parse_args(args))


if __name__ == '__main__':
    sys.exit(main())
