# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How sure a mean over few pictures is: bootstrap intervals.

Source: Efron, "Better Bootstrap Confidence Intervals", 1987 (BCa). They are right for many values;
of a dozen pictures they are somewhat narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

_RESAMPLES = 9999
# What equal values may differ by after a subtraction.
_ROUNDING = 1e-12


def mean_of(values: Sequence[float]) -> float | None:
    """Return the mean of figures; None if there is none."""
    return float(np.mean(values)) if values else None


class Interval(NamedTuple):
    """A mean and the 95 % interval that is likely to hold the true one."""

    mean: float
    low: float
    high: float


def interval_of_mean(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """Return the mean over pictures with its interval.

    Args:
        values: One a picture; of a comparison the differences, so that what the pictures have in
            common cancels.

    Raises:
        ValueError: If there are fewer than two values, or one is not finite.
    """
    sample = np.asarray(values, np.float64)
    if len(sample) < 2 or not np.isfinite(sample).all():
        raise ValueError(f'an interval needs at least 2 values, all finite, got {sample.tolist()}')
    mean = float(sample.mean())
    if np.ptp(sample) < _ROUNDING:
        return Interval(mean, mean, mean)
    rng = np.random.default_rng(0)
    low, high = bootstrap(
        (sample,), np.mean, n_resamples=_RESAMPLES, method='BCa', rng=rng
    ).confidence_interval
    return Interval(mean, float(low), float(high))
