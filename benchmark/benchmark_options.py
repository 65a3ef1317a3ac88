# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line that the benchmarks have in common."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """Says a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2, without the usage."""
        self.exit(2, f'{self.prog}: {message}\n')


def repeats(text: str) -> int:
    """Read a number of repeats."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of repeats: give 1 or more")
    return int(text)


def repeated_parser(description: str, default_repeats: int, output: Path) -> OneLineParser:
    """Return a parser of ``--repeats``, ``--quick`` and ``--output``."""
    parser = OneLineParser(description=description)
    parser.add_argument('--repeats', type=repeats, default=default_repeats)
    parser.add_argument('--quick', action='store_true', help='few cases: a trial')
    parser.add_argument('--output', type=Path, default=output, metavar='FILE', help='JSON')
    return parser
