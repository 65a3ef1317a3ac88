# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The colours of LOVI and of the heat map, a row of pixels at a time.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from smoe_ros.kernels.compiling import compiled

_ZERO, _ONE, _TWO, _FOUR, _SIX = (np.float32(number) for number in (0, 1, 2, 4, 6))
_FULL = np.float32(255)
# Hue 300° is violet, 240° blue, in sixths of the circle.
_VIOLET, _BLUE = np.float32(5), np.float32(4)
# x^(1/e) as a table over √x, which is less steep at 0, with a line between its entries.
_STEPS = 1024
_ROOTS = (np.linspace(0, 1, _STEPS + 1) ** (2 / math.e)).astype(np.float32)


@compiled('float32(float32)')
def _triangle(place: Any) -> Any:
    """How far a colour is held back at a place of the hue circle: 0 full, 1 its share lost."""
    place = place - _SIX if place >= _SIX else place
    return min(max(min(place, _FOUR - place), _ZERO), _ONE)


@compiled('void(float32[::1], float32[::1], float32[::1], uint8[:, ::1])')
def _paint(hue: Any, saturation: Any, value: Any, row: Any) -> None:
    """Turn hue in sixths of the circle, saturation and value in 0..1 into a row of RGB."""
    for x in range(len(hue)):
        full, lost = value[x] * _FULL, value[x] * saturation[x] * _FULL
        row[x, 0] = np.uint8(np.rint(full - lost * _triangle(hue[x] + np.float32(5))))
        row[x, 1] = np.uint8(np.rint(full - lost * _triangle(hue[x] + np.float32(3))))
        row[x, 2] = np.uint8(np.rint(full - lost * _triangle(hue[x] + np.float32(1))))


@compiled(
    "void(Array(float32, 3, 'C', True), int64, float32, float32, float32[::1], "
    'float32[::1], float32[::1], float32[::1])'
)
def _collect(
    maps: Any, y: Any, low: Any, scale: Any, shares: Any, total: Any, weighted: Any, peak: Any
) -> None:
    """Collect Σ p, Σ share·p and max p of one row, p the maps between their joint extremes."""
    total[:], weighted[:], peak[:] = _ZERO, _ZERO, _ZERO
    for s in range(len(maps)):
        row, share = maps[s, y], shares[s]
        for x in range(len(row)):
            p = (row[x] - low) * scale
            total[x] += p
            weighted[x] += share * p
            peak[x] = max(peak[x], p)


@compiled('void(float32[::1], float32[::1], int64)')
def _selectivity(total: Any, peak: Any, count: Any) -> None:
    """Put (1 − mean p / max p) · S / (S − 1) in the place of Σ p."""
    for x in range(len(total)):
        if count == 1:
            total[x] = _ONE
        else:
            mean_share = total[x] / (np.float32(count) * (peak[x] if peak[x] > 0 else _ONE))
            stretched = (_ONE - mean_share) * np.float32(count / (count - 1))
            # Equal scales round to a hair below 0, which has no root.
            total[x] = min(max(stretched, _ZERO), _ONE)


@compiled("uint8[:, :, ::1](Array(float32, 3, 'C', True), float32, float32, float32[::1])")
def lovi(maps: Any, low: Any, scale: Any, positions: Any) -> Any:
    """Paint LOVI, as `smoe_ros.rendering.lovi`.

    Args:
        maps: Scale maps, shape (S, H, W), float32.
        low: Smallest of all their values.
        scale: 1 / (largest − smallest).
        positions: Of each scale between 1, the finest, and 0, shape (S,).

    Returns:
        RGB image, shape (H, W, 3), uint8.
    """
    count, height, width = maps.shape
    picture = np.empty((height, width, 3), np.uint8)
    total = np.empty(width, np.float32)
    hue = np.empty(width, np.float32)
    peak = np.empty(width, np.float32)
    for y in range(height):
        _collect(maps, y, low, scale, positions, total, hue, peak)
        for x in range(width):
            # Where nothing is salient the value is 0: black, whatever the hue.
            hue[x] = _VIOLET * hue[x] / (total[x] if total[x] > 0 else _ONE)
        _selectivity(total, peak, count)
        _paint(hue, total, peak, picture[y])
    return picture


@compiled("uint8[:, :, ::1](Array(float32, 3, 'C', True), float32, float32, float32[::1])")
def heat_map(maps: Any, low: Any, scale: Any, shares: Any) -> Any:
    """Paint the heat map, as `smoe_ros.rendering.heat_map`.

    Args:
        maps: Scale maps, shape (S, H, W), float32.
        low: Smallest of all their values.
        scale: 1 / (largest − smallest).
        shares: Each scale's share of the weight, shape (S,); sums to 1.

    Returns:
        RGB image, shape (H, W, 3), uint8.
    """
    count, height, width = maps.shape
    picture = np.empty((height, width, 3), np.uint8)
    saturations = np.empty((height, width), np.float32)
    values = np.empty((height, width), np.float32)
    peak = np.empty(width, np.float32)
    hue = np.empty(width, np.float32)
    highest = np.float32(1e-9)
    for y in range(height):
        _collect(maps, y, low, scale, shares, saturations[y], values[y], peak)
        _selectivity(saturations[y], peak, count)
        for x in range(width):
            highest = max(highest, values[y, x])
    for y in range(height):
        saturation, value = saturations[y], values[y]
        for x in range(width):
            value[x] = min(value[x] / highest, _ONE)
            hue[x] = _BLUE * (_ONE - value[x])
            place = np.sqrt(saturation[x]) * np.float32(_STEPS)
            entry: Any = min(np.int64(place), _STEPS - 1)
            rest = place - np.float32(entry)
            saturation[x] = _ROOTS[entry] + (_ROOTS[entry + 1] - _ROOTS[entry]) * rest
        _paint(hue, saturation, value, picture[y])
    return picture
