# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command lines of the benchmarks; needs the standard library only."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

MAX_DOMAIN = 101  # higher ROS domain ids reach into Linux's ephemeral ports
_RECORDS = Path(__file__).parents[1] / 'docs' / 'performance'


class Parser(argparse.ArgumentParser):
    """Says a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """End the process with exit code 2."""
        self.exit(2, f'{self.prog}: {message}; see {self.prog} --help\n')


def benchmark_parser(name: str, description: str, repeats: int | None = None) -> Parser:
    """Return a parser of what benchmarks have in common.

    Args:
        name: Of the benchmark and its record.
        description: What it measures.
        repeats: Default of ``--repeats``; None leaves the option out.
    """
    parser = Parser(prog=name, description=description, allow_abbrev=False)
    if repeats is not None:
        parser.add_argument('--repeats', type=integer(2, 10_000), default=repeats)
    parser.add_argument('--quick', action='store_true', help='few cases: a trial')
    output = _RECORDS / f'{name}.json'
    parser.add_argument('--output', type=Path, default=output, metavar='FILE', help='JSON')
    return parser


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
