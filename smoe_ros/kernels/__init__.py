# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is computed for every frame on the CPU, compiled by numba into single passes over memory.

All of it exists in torch, NumPy or OpenCV as well, and is taken from there where numba is missing
or the environment variable SMOE_KERNELS is 0.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kernels:
    """Compiled functions on NumPy arrays; the modules that `load` takes them from say of what."""

    smoe_scale: Callable[..., Any]
    gaussian_cdf: Callable[..., Any]
    fuse: Callable[..., Any]
    lovi: Callable[..., Any]
    heat_map: Callable[..., Any]
    resize_area: Callable[..., Any]


@functools.cache
def load() -> Kernels | None:
    """Return the kernels, compiled or from numba's cache on disk; None where they cannot be had.

    Compiling takes some seconds on the first run of a machine, loading them tenths of one.
    """
    if os.environ.get('SMOE_KERNELS', '1') == '0':
        return None
    try:
        # Here, so that numba and LLVM are loaded only by those who explain frames.
        from smoe_ros.kernels.colours import heat_map, lovi  # noqa: PLC0415
        from smoe_ros.kernels.fusing import fuse, gaussian_cdf  # noqa: PLC0415
        from smoe_ros.kernels.resizing import resize_area  # noqa: PLC0415
        from smoe_ros.kernels.smoe import smoe_scale  # noqa: PLC0415
    except ModuleNotFoundError:
        return None
    except ImportError as error:  # numba is there, but not for this NumPy or Python
        warnings.warn(f'the compiled kernels are not used: {error}', stacklevel=2)
        return None
    return Kernels(smoe_scale, gaussian_cdf, fuse, lovi, heat_map, resize_area)
