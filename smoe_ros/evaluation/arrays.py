# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Maps as arrays, and the figures made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating]


def stretched(saliency: Array, share: float = 1.0) -> NDArray[np.float64]:
    """Bring a map to 0..1, so that methods of different units can be compared.

    Args:
        saliency: The map, of any shape; a flat one becomes 0.
        share: Share of its pixels that are to lie within; those above become 1.
    """
    values = saliency.astype(np.float64)
    low, high = values.min(), values.max() if share == 1 else np.quantile(values, share)
    return np.clip((values - low) / max(float(high - low), 1e-12), 0, 1)


def rounded(value: float) -> float:
    """Return a figure with the digits that are worth keeping."""
    return float(f'{value:.6g}')


def mean_of(values: Sequence[float]) -> float | None:
    """Return the mean of figures, rounded; None if there is none."""
    return rounded(float(np.mean(values))) if values else None
