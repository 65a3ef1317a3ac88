# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Values on the command line, checked without torch, whose import takes seconds."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Literal


def add_scale_options(group: argparse._ActionsContainer) -> None:
    """Add what says which activations are read, and how much each counts."""
    group.add_argument(
        '--scales',
        default='auto',
        type=scale_names,
        metavar='auto|PATH,PATH…',
        help='activations to read: auto (one for each scale of the network) or module paths '
        'such as layer1,layer3; name#0 picks a call (default: %(default)s)',
    )
    group.add_argument(
        '--scale-weights',
        default='equal',
        metavar='PRESET|N,N…',
        help="weight of each scale: equal, prior (five scales, the paper's), linear, or numbers "
        'such as 1,2,3,4,5, finest first (default: %(default)s)',
    )


def add_allow_download(group: argparse._ActionsContainer) -> None:
    """Add the leave to download."""
    group.add_argument(
        '--allow-download',
        action='store_true',
        help='download published weights that are not on this machine (default: do not)',
    )


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Return a reader of whole numbers within a range, for argparse."""

    def read(text: str) -> int:
        wanted = f'at least {minimum}' if maximum is None else f'{minimum} to {maximum}'
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum or (maximum is not None and number > maximum):
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number of {wanted}")
        return number

    return read


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    number = _number(text)
    if not 0 <= number <= 1:  # written so that NaN is refused, too
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0 to 1")
    return number


def seconds(text: str) -> float:
    """Read a number of seconds, at least 0."""
    number = _number(text)
    if not 0 <= number < math.inf:  # written so that NaN is refused, too
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds of at least 0")
    return number


def channel_values(text: str) -> tuple[float, ...]:
    """Read one number for each of red, green and blue, as in ``0.485,0.456,0.406``."""
    numbers = tuple(_number(part) for part in text.split(','))
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not three numbers, red, green and blue, such as 0.485,0.456,0.406"
        )
    return numbers


def scale_names(text: str) -> Literal['auto'] | tuple[str, ...]:
    """Read ``auto`` or module paths separated by commas, as in ``layer1,layer2#0``."""
    if text.strip() == 'auto':
        return 'auto'
    names = tuple(name.strip() for name in text.split(','))
    if not all(names):
        raise argparse.ArgumentTypeError(
            f"'{text}' has an empty name; give auto or module paths such as layer1,layer2"
        )
    return names


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
