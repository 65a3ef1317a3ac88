# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a network runs, and with which numbers, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.options.choices import PRECISIONS

_TYPES = dict(zip(PRECISIONS, (torch.float32, torch.bfloat16, torch.float16), strict=True))
CPU = torch.device('cpu')
DEFAULT_THREADS = torch.get_num_threads()
"""Of the CPU, which torch takes of its own accord."""


class DeviceMissingError(ConfigurationError):
    """A device that this machine does not have, or that has no memory left."""


def resolve_device(name: str) -> torch.device:
    """Return the device of a name; ``'auto'`` takes CUDA if there is one.

    Raises:
        DeviceMissingError: If the machine has no CUDA device at all.
        ConfigurationError: If the name is unknown, or the number beyond the last device.
    """
    kind, _, number = name.partition(':')
    numbered = ':' not in name or number.isdecimal()
    if name not in ('auto', 'cpu') and not (kind == 'cuda' and numbered):
        raise ConfigurationError(f"device '{name}' is unknown; choose auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == 'auto':
        return torch.device('cuda' if count else 'cpu')
    if kind == 'cuda' and int(number or 0) >= count:
        error = ConfigurationError if count else DeviceMissingError
        raise error(
            f"device '{name}' is not there: torch {torch.__version__} sees {count} CUDA devices; "
            'choose auto or cpu'
        )
    return torch.device(name)


class Place(NamedTuple):
    """Where a network runs, and with which numbers.

    Attributes:
        device: The device.
        precision: Of the numbers.
        left: Whether it is the CPU instead of the device that was asked for.
    """

    device: torch.device
    precision: torch.dtype
    left: bool = False


ON_THE_CPU = Place(CPU, torch.float32, left=True)


def place_of(device: str, precision: str, warn: Callable[[str], object] | None = None) -> Place:
    """Return the place that names stand for.

    `warn` is told in a sentence when the device is missing, where the network then runs on the CPU
    in fp32; None refuses instead.

    Raises:
        ConfigurationError: If a name is unknown, or the device is missing and `warn` is None.
    """
    if precision not in PRECISIONS:
        raise unknown_name('precision', precision, PRECISIONS)
    try:
        return Place(resolve_device(device), _TYPES[precision])
    except DeviceMissingError as error:
        if warn is None:
            raise
        warn(f'{error}; going on on the CPU in fp32')
        return ON_THE_CPU
