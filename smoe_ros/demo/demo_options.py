# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the demonstration.

Needs the standard library only: ``scripts/demo`` runs this file before anything is installed, so
that a wrong option or ``--help`` does not wait for a download.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What the user asked for; of what is None, the node has its default."""

    seconds: float
    source: str
    backbone: str | None
    weights: str | None
    output: Path

    def node_parameters(self) -> dict[str, object]:
        """Return the parameters of smoe_node that differ from its defaults."""
        given = {'backbone': self.backbone, 'weights': self.weights}
        return {name: value for name, value in given.items() if value is not None}


def parse_options(args: Sequence[str] | None = None) -> Options:
    """Read the command line; ends the process on ``--help`` (0) or a mistake (2)."""
    parser = argparse.ArgumentParser(
        prog='scripts/demo', description='Explain a street video in ROS 2, and show how it went.'
    )
    parser.add_argument(
        '--seconds', type=_seconds, default=20.0, help='length of the run (default: 20)'
    )
    parser.add_argument(
        '--source',
        default='bikes',
        metavar='FILE|DIR|N|synthetic',
        help='video file, folder of images, webcam number or synthetic (default: bikes, the '
        'bundled street video)',
    )
    parser.add_argument('--backbone', help='network to explain (default: efficientnet_lite0)')
    parser.add_argument(
        '--weights', help="its weights: default, random or a checkpoint's path (default: default)"
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('demo_output'),
        metavar='DIR',
        help='where the results go (default: demo_output); those of an earlier demo are replaced',
    )
    return Options(**vars(parser.parse_args(args)))


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 86400:
            return float(text)
    raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds between 0 and 86400")


if __name__ == '__main__':
    parse_options()
