# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Normalise raw maps and fuse them, each in as few passes as its definition allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smoe_ros.kernels.compiling import compiled

# The cumulative distribution of a standard normal between −6 and 6, where float32 ends.
_STEPS, _MIDDLE = 400.0, 2400.0
_LAST = 2 * _MIDDLE - 1e-9
_CDF = np.array([0.5 * math.erfc((_MIDDLE - i) / _STEPS / math.sqrt(2)) for i in range(4801)])
_HALF, _ONE, _ZERO = np.float32(0.5), np.float32(1), np.float32(0)


@compiled('float32[:, :, ::1](float32[:, :, ::1])')
def gaussian_cdf(raw_maps: Any) -> Any:
    """Gaussian CDF of raw maps, as `smoe_ros.saliency.gaussian_cdf`.

    Args:
        raw_maps: Shape (B, H, W), float32.

    Returns:
        Normalised maps, the same shape, in [0, 1]; a flat map is 0.5 everywhere.
    """
    batch, height, width = raw_maps.shape
    sites = height * width
    normalized = np.empty((batch, height, width), np.float32)
    for b in range(batch):
        # A flat map minus one of its own values is exactly 0; its mean is not always itself.
        origin = np.float64(raw_maps[b, 0, 0])
        total = 0.0
        for y in range(height):
            for x in range(width):
                total += np.float64(raw_maps[b, y, x]) - origin
        mean = total / sites
        squares = 0.0
        for y in range(height):
            for x in range(width):
                squares += (np.float64(raw_maps[b, y, x]) - origin - mean) ** 2
        variance = squares / max(sites - 1, 1)
        # σ = 0 divides 0 by 1 instead of by 0: a flat map is 0.5.
        scale = 1 / math.sqrt(variance) if variance > 0 else 1.0
        for y in range(height):
            for x in range(width):
                deviation = (np.float64(raw_maps[b, y, x]) - origin - mean) * scale
                # A table with a line between its entries, 3e-7 from the error function at most.
                place = min(max(deviation * _STEPS + _MIDDLE, 0.0), _LAST)
                entry = np.int64(place)
                rest = place - entry
                normalized[b, y, x] = _CDF[entry] + (_CDF[entry + 1] - _CDF[entry]) * rest
    return normalized


def fuse(
    scale_maps: Sequence[NDArray[np.float32]],
    size: tuple[int, int],
    shares: NDArray[np.float32],
    flat_variance: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Resize maps, average them and measure contributions, as `smoe_ros.saliency.fuse_scales`.

    Args:
        scale_maps: S maps, shape (B, h, w) each, float32.
        size: Height and width of the result in pixels.
        shares: Each scale's share of the weight, shape (S,); sums to 1.
        flat_variance: Variance of the saliency up to which it has no pattern to share out.

    Returns:
        Saliency (B, H, W), resized maps (B, S, H, W) and contributions (B, S), all float32.
    """
    batch, count = len(scale_maps[0]), len(scale_maps)
    resized = np.empty((batch, count, *size), np.float32)
    for index, scale_map in enumerate(scale_maps):
        _resize(np.ascontiguousarray(scale_map), resized, index)
    saliency = np.empty((batch, *size), np.float32)
    contributions = np.empty((batch, count), np.float32)
    _average(resized, shares, flat_variance, saliency, contributions)
    return saliency, resized, contributions


@compiled('void(float32[:, :, ::1], float32[:, :, :, ::1], int64)')
def _resize(maps: Any, resized: Any, index: Any) -> None:
    """Resize (B, h, w) bilinearly, borders repeated, into [:, index] of (B, S, H, W)."""
    batch, rows, columns = maps.shape
    _, _, height, width = resized.shape
    left = np.empty(width, np.int64)
    right = np.empty(width, np.int64)
    part = np.empty(width, np.float32)
    step = np.float32(columns) / np.float32(width)
    for x in range(width):
        place = max((np.float32(x) + _HALF) * step - _HALF, _ZERO)
        left[x] = min(np.int64(place), columns - 1)
        right[x] = min(left[x] + 1, columns - 1)
        part[x] = place - np.float32(left[x])
    row = np.empty(columns, np.float32)
    step = np.float32(rows) / np.float32(height)
    for b in range(batch):
        for y in range(height):
            place = max((np.float32(y) + _HALF) * step - _HALF, _ZERO)
            top = min(np.int64(place), rows - 1)
            bottom = min(top + 1, rows - 1)
            share = place - np.float32(top)
            for x in range(columns):
                row[x] = maps[b, top, x] + (maps[b, bottom, x] - maps[b, top, x]) * share
            for x in range(width):
                start = row[left[x]]
                resized[b, index, y, x] = start + (row[right[x]] - start) * part[x]


@compiled(
    'void(float32[:, :, :, ::1], float32[::1], float64, float32[:, :, ::1], float32[:, ::1])',
    reorder=True,
)
def _average(
    maps: Any, shares: Any, flat_variance: Any, saliency: Any, contributions: Any
) -> None:
    """Average (B, S, H, W) and measure wᵢ/Σw · Cov(Mᵢ, S) / Var(S), row by row."""
    batch, count, height, width = maps.shape
    pixels = height * width
    sums = np.empty(count, np.float64)
    products = np.empty(count, np.float64)
    centred = np.empty((count, width), np.float64)
    fused = np.empty(width, np.float64)
    for b in range(batch):
        sums[:], products[:] = 0.0, 0.0
        fused_sum = 0.0
        for y in range(height):
            row = saliency[b, y]
            row[:], fused[:] = _ZERO, 0.0
            for s in range(count):
                # A flat map minus one of its own pixels is exactly 0.
                share, map_row, origin = shares[s], maps[b, s, y], np.float64(maps[b, s, 0, 0])
                for x in range(width):
                    row[x] += share * map_row[x]
                    centred[s, x] = np.float64(map_row[x]) - origin
                    # The saliency without float32's rounding, which would hide a faint pattern.
                    fused[x] += np.float64(share) * centred[s, x]
            for x in range(width):
                row[x] = min(max(row[x], _ZERO), _ONE)
                fused_sum += fused[x]
            for s in range(count):
                total, product = 0.0, 0.0
                for x in range(width):
                    total += centred[s, x]
                    product += centred[s, x] * fused[x]
                sums[s] += total
                products[s] += product
        variance = 0.0
        for s in range(count):
            covariance = products[s] / pixels - sums[s] / pixels * (fused_sum / pixels)
            products[s] = np.float64(shares[s]) * covariance
            variance += products[s]
        for s in range(count):
            flat = variance <= flat_variance
            contributions[b, s] = shares[s] if flat else products[s] / variance
