# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How sure a mean over few pictures is: bootstrap intervals.

Source: Efron, "Better Bootstrap Confidence Intervals", 1987 (BCa). They are right for many values;
of a dozen pictures they are somewhat narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

_RESAMPLES = 9999
# What equal values may differ by after a subtraction.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that is likely to hold the true one.

    Attributes:
        mean: The mean.
        low: Lower end of the interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


def interval_of_mean(
    values: Sequence[float] | NDArray[np.float64], seed: int = 0, level: float = 0.95
) -> Interval:
    """Return the mean over pictures with its interval.

    Args:
        values: One a picture.
        seed: Of the resampling.
        level: Share of such intervals that are to hold the truth.

    Raises:
        ValueError: If there are fewer than two values, or one is not finite.
    """
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or len(sample) < 2:
        raise ValueError(f'an interval needs at least 2 values, got shape {sample.shape}')
    if not np.isfinite(sample).all():
        raise ValueError('an interval needs finite values, got NaN or infinity')
    mean = float(sample.mean())
    if np.ptp(sample) < _ROUNDING:
        return Interval(mean, mean, mean)
    result = bootstrap(
        (sample,),
        np.mean,
        n_resamples=_RESAMPLES,
        confidence_level=level,
        method='BCa',
        rng=np.random.default_rng(seed),
    )
    return Interval(
        mean, float(result.confidence_interval.low), float(result.confidence_interval.high)
    )


def paired_interval(
    ours: Sequence[float], others: Sequence[float], seed: int = 0, level: float = 0.95
) -> Interval:
    """Return the mean of ours − others, picture by picture, with its interval.

    Args and Raises are those of `interval_of_mean`; both have the same pictures in the same order.
    """
    if len(ours) != len(others):
        raise ValueError(
            f'pairs need as many values on both sides, got {len(ours)}, {len(others)}'
        )
    return interval_of_mean(
        np.asarray(ours, np.float64) - np.asarray(others, np.float64), seed, level
    )
