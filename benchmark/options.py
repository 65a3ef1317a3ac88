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
        parser.add_argument('--repeats', type=within(int, 2, 10_000), default=repeats)
    parser.add_argument('--quick', action='store_true', help='few cases: a trial')
    output = _RECORDS / f'{name}.json'
    parser.add_argument('--output', type=Path, default=output, metavar='FILE', help='JSON')
    return parser


def within(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], float]:
    """Return a type of argument: an integer or a number from `low` to `high`."""

    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if low <= kind(text) <= high:
                return kind(text)
        name = 'integer' if kind is int else 'number'
        raise argparse.ArgumentTypeError(f"'{text}' is no {name} from {low:g} to {high:g}")

    return parse
