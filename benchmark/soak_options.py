# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the soak test.

Needs the standard library only: ``scripts/soak`` runs this file before anything is installed, so
that a wrong option or ``--help`` does not wait for a download.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from options import MAX_DOMAIN, Parser, within


def parse_options(args: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; ends the process on ``--help`` (0) or a mistake (2)."""
    parser = Parser(
        prog='scripts/soak',
        allow_abbrev=False,
        description='Run smoe_node under steady cameras, and show whether its memory or the age '
        'of its explanations grows. Ctrl-C ends the run early, with the figures so far.',
    )
    add = parser.add_argument
    day = 24 * 60
    add('--minutes', type=within(float, 0.05, 7 * day), default=10.0, help='length (default: 10)')
    add(
        '--rate', type=within(float, 0.1, 1000), default=30.0, help='images a second (default: 30)'
    )
    add('--cameras', type=within(int, 1, 16), default=1, help='number of cameras (default: 1)')
    add('--width', type=within(int, 16, 16384), default=640, help='pixels (default: 640)')
    add('--height', type=within(int, 16, 16384), default=480, help='pixels (default: 480)')
    add(
        '-p',
        dest='parameters',
        action='append',
        default=[],
        metavar='NAME:=VALUE',
        help='a parameter of smoe_node, such as backbone:=resnet18; may be repeated',
    )
    add(
        '--domain',
        type=within(int, 0, MAX_DOMAIN),
        default=1 + os.getpid() % MAX_DOMAIN,
        help='ROS domain of the run (default: one by the process id)',
    )
    add('--output', type=Path, metavar='FOLDER', help='write soak.json and soak.png there')
    return parser.parse_args(args)


if __name__ == '__main__':
    parse_options()
