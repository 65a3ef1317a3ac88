# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(signature: str, *, reorder: bool = False) -> Callable[..., Any]:
    """Compile a function on arrays at once, without Python's lock, and keep it on disk.

    Args:
        signature: Of its arguments, as numba writes them.
        reorder: Whether sums and products may be taken in any order, which a vector unit needs.

    Returns:
        A decorator.
    """
    fastmath = {'contract', 'reassoc'} if reorder else {'contract'}
    options: dict[str, Any] = {'nogil': True, 'error_model': 'numpy', 'fastmath': fastmath}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except RuntimeError:  # no folder to keep it in may be written to
            return numba.njit(signature, **options)(function)

    return decorate
