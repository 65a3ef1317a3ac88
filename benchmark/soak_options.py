# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the soak test.

Needs the standard library only: ``scripts/soak`` runs this file before anything is installed, so
that a wrong option or ``--help`` does not wait for a download.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

MAX_DOMAIN = 101  # higher ids reach into Linux's ephemeral ports


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes:
        minutes: Length of the run, from the first explained frame.
        rate: Images a second of each camera.
        cameras: Number of cameras.
        width: Of the images, in pixels.
        height: Of the images, in pixels.
        backbone: Of smoe_node; None leaves its default.
        parameters: Further parameters of smoe_node, as ``name:=value``.
        domain: ROS domain of the run.
        json: Where the figures go as JSON; None writes none.
        output: Folder for ``soak.json`` and ``soak.png``; None writes neither.
    """

    minutes: float
    rate: float
    cameras: int
    width: int
    height: int
    backbone: str | None
    parameters: tuple[str, ...]
    domain: int
    json: Path | None
    output: Path | None

    def node_parameters(self) -> list[str]:
        """Return smoe_node's parameters but for its topics, as ``name:=value``."""
        backbone = [] if self.backbone is None else [f'backbone:={self.backbone}']
        return [f'warm_up_size:=[{self.width}, {self.height}]', *backbone, *self.parameters]


class Parser(argparse.ArgumentParser):
    """Says a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """End the process with exit code 2."""
        self.exit(2, f'{self.prog}: {message}; see {self.prog} --help\n')


def parse_options(args: Sequence[str] | None = None) -> Options:
    """Read the command line; ends the process on ``--help`` (0) or a mistake (2)."""
    parser = Parser(
        prog='scripts/soak',
        allow_abbrev=False,
        description='Run smoe_node under steady cameras, and show whether its memory or the age '
        'of its explanations grows. Ctrl-C ends the run early, with the figures so far.',
    )
    add = parser.add_argument
    day = 24 * 60
    add('--minutes', type=number(0.05, 7 * day), default=10.0, help='length (default: 10)')
    add('--rate', type=number(0.1, 1000), default=30.0, help='images a second (default: 30)')
    add('--cameras', type=integer(1, 16), default=1, help='number of cameras (default: 1)')
    add('--width', type=integer(16, 16384), default=640, help='pixels (default: 640)')
    add('--height', type=integer(16, 16384), default=480, help='pixels (default: 480)')
    add('--backbone', type=_filled, help="network to explain (default: smoe_node's)")
    add(
        '-p',
        dest='parameters',
        action='append',
        type=_parameter,
        default=[],
        metavar='NAME:=VALUE',
        help='another parameter of smoe_node, such as short_side:=128; may be repeated',
    )
    add(
        '--domain',
        type=integer(0, MAX_DOMAIN),
        default=1 + os.getpid() % MAX_DOMAIN,
        help='ROS domain of the run (default: one by the process id)',
    )
    add('--json', type=Path, metavar='FILE', help='write the figures as JSON, too')
    add('--output', type=Path, metavar='FOLDER', help='write soak.json and soak.png there')
    given = vars(parser.parse_args(args))
    given['parameters'] = tuple(given['parameters'])
    return Options(**given)


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a type of argument: a number from `low` to `high`."""

    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if low <= float(text) <= high:
                return float(text)
        raise argparse.ArgumentTypeError(f"'{text}' is no number from {low:g} to {high:g}")

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a type of argument: an integer from `low` to `high`."""

    def parse(text: str) -> int:
        with contextlib.suppress(ValueError):
            if low <= int(text) <= high:
                return int(text)
        raise argparse.ArgumentTypeError(f"'{text}' is no integer from {low} to {high}")

    return parse


def _filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError('it is empty; name a network')
    return text


def _parameter(text: str) -> str:
    name, separator, _ = text.partition(':=')
    if not name or not separator:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME:=VALUE")
    return text


if __name__ == '__main__':
    parse_options()
