# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Does something grow? A line through a series, with its uncertainty, and figures by tenths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

# Left out of the slope: caches fill and allocators settle in the first part of a run.
WARM_UP_SHARE = 0.2
_MAX_CORRELATION = 0.99


@dataclass(frozen=True)
class Line:
    """A least-squares line through N points.

    Attributes:
        slope: In units of y a unit of x.
        intercept: In units of y.
        standard_error: Of the slope, were the residuals independent.
        autocorrelation: Of each residual with the next; clipped to 0..0.99.
        points: N.
    """

    slope: float
    intercept: float
    standard_error: float
    autocorrelation: float
    points: int

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the slope's confidence interval were the residuals independent."""
        half = stats.t.ppf((1 + confidence) / 2, self.points - 2) * self.standard_error
        return self.slope - half, self.slope + half

    def correlated_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the slope's confidence interval for residuals that follow their predecessors.

        Memory grows in steps, so neighbouring samples say nearly the same, and N of them are worth
        only N (1 − r) / (1 + r) independent ones, r the autocorrelation.
        """
        r = self.autocorrelation
        low, high = self.interval(confidence)
        half = (high - low) / 2 * ((1 + r) / (1 - r)) ** 0.5
        return self.slope - half, self.slope + half


def fit_line(x: ArrayLike, y: ArrayLike) -> Line:
    """Fit a line by least squares.

    Args:
        x: Shape (N,), evenly spaced for the autocorrelation to mean something.
        y: Shape (N,).

    Raises:
        ValueError: For fewer than three points, or all at one x.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(x) < 3 or np.ptp(x) == 0:
        raise ValueError(f'a line with its uncertainty needs three points, got {len(x)}')
    found = stats.linregress(x, y)
    residuals = y - (found.intercept + found.slope * x)
    power = float(residuals @ residuals)
    follow = float(residuals[1:] @ residuals[:-1]) / power if power else 0.0
    return Line(
        slope=float(found.slope),
        intercept=float(found.intercept),
        standard_error=float(found.stderr),
        autocorrelation=min(max(follow, 0.0), _MAX_CORRELATION),
        points=len(x),
    )


def after_warm_up(times: ArrayLike, end: float) -> NDArray[np.bool_]:
    """Say which points of a run from 0 to `end` count for a slope, shape (N,)."""
    return np.asarray(times, np.float64) >= WARM_UP_SHARE * end


@dataclass(frozen=True)
class Part:
    """The values of one part of a run.

    Attributes:
        count: How many there are.
        p50: Their median; None without any, as the next two.
        p95: Their 95th percentile.
        max: The largest.
    """

    count: int
    p50: float | None
    p95: float | None
    max: float | None


def tenths(times: Sequence[float], values: Sequence[float], end: float) -> list[Part]:
    """Return the figures of each tenth of a run.

    Args:
        times: When the values were taken, from 0 to `end`, shape (N,).
        values: Shape (N,).
        end: Length of the run.
    """
    array = np.asarray(values, np.float64)
    part = np.clip((10 * np.asarray(times, np.float64) / end).astype(int), 0, 9)
    return [summary(array[part == i]) for i in range(10)]


def summary(values: ArrayLike) -> Part:
    """Return the figures of some values, shape (N,)."""
    array = np.asarray(values, np.float64)
    if not len(array):
        return Part(0, None, None, None)
    p50, p95, largest = np.percentile(array, (50, 95, 100))
    return Part(len(array), float(p50), float(p95), float(largest))
