# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of an explanation for people: LOVI, heat map, overlay and mask.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from smoe_ros import kernels
from smoe_ros.images import Rgb

Maps = NDArray[np.float32]


def lovi(scale_maps: Maps) -> Rgb:
    """Layer Ordered Visualization of Information: which scale of the network saw what.

    With p the maps range-normalised jointly over all pixels and scales, and pos falling from 1 at
    the finest scale to 0 at the deepest: hue = 300° · Σ p·pos / Σ p, saturation =
    (1 − mean p / max p) · S / (S − 1), value = max p. Violet: the finest scales; red: the deepest;
    white: all of them; black: none. A single scale is drawn in red.

    Args:
        scale_maps: Maps of all scales, finest first, shape (S, H, W).

    Returns:
        RGB image, shape (H, W, 3), uint8.

    Raises:
        ValueError: If the maps have not three dimensions or there is none.
    """
    maps, low, scale = _joint_range(scale_maps)
    count = len(maps)
    position = np.linspace(1, 0, count, dtype=np.float32) if count > 1 else np.zeros(1, 'f4')
    compiled = kernels.load()
    if compiled is not None:
        return compiled.lovi(maps, low, scale, position)
    p = (maps - low) * scale
    total = p.sum(axis=0)
    peak = p.max(axis=0)
    # Where nothing is salient the value is 0: black, whatever the hue.
    hue = 300 * np.tensordot(position, p, axes=1) / np.where(total > 0, total, 1)
    return _hsv_to_rgb(hue, _selectivity(total, peak, count), peak)


def heat_map(scale_maps: Maps, weights: Sequence[float] | None = None) -> Rgb:
    """Heat map of the fused saliency: blue where little, red where most.

    With p the maps range-normalised jointly: value V = Σ w·p / Σ w divided by its maximum,
    hue = 240° · (1 − V), saturation = LOVI's to the power 1/e: pale where all scales agree.

    Args:
        scale_maps: Maps of all scales, finest first, shape (S, H, W).
        weights: One non-negative weight a scale; None means equal.

    Returns:
        RGB image, shape (H, W, 3), uint8.

    Raises:
        ValueError: If the maps have not three dimensions, there is none, or the weights do not
            fit them.
    """
    maps, low, scale = _joint_range(scale_maps)
    shares = np.ones(len(maps), np.float32) if weights is None else np.asarray(weights, np.float32)
    if shares.shape != (len(maps),) or not shares.sum() > 0:
        raise ValueError(f'{len(maps)} scale maps need as many weights, not all 0, got {weights}')
    shares = shares / shares.sum()
    compiled = kernels.load()
    if compiled is not None:
        return compiled.heat_map(maps, low, scale, shares)
    p = (maps - low) * scale
    value = np.tensordot(shares, p, axes=1)
    value /= max(float(value.max()), 1e-9)
    saturation = _selectivity(p.sum(axis=0), p.max(axis=0), len(p)) ** (1 / math.e)
    return _hsv_to_rgb(240 * (1 - value), saturation, value)


def overlay(image: Rgb, rendering: Rgb, alpha: float) -> Rgb:
    """Blend a rendering over the image that it explains: (1 − α) · image + α · rendering.

    Args:
        image: RGB image, shape (H, W, 3), uint8.
        rendering: RGB rendering, shape (h, w, 3), uint8; resized bilinearly to the image.
        alpha: Share of the rendering, 0..1.

    Returns:
        RGB image, shape (H, W, 3), uint8.

    Raises:
        ValueError: If alpha lies outside 0..1.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f'alpha lies in 0..1, got {alpha}')
    height, width = image.shape[:2]
    if rendering.shape[:2] != (height, width):
        rendering = cv2.resize(rendering, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.addWeighted(image, 1 - alpha, rendering, alpha, 0)


def salient_mask(saliency: Maps, keep: float = 0.1) -> NDArray[np.bool_]:
    """Mask of the most salient pixels of each map, and of all that tie with the last of them.

    A flat map ties everywhere: all of it is kept.

    Args:
        saliency: Saliency maps, shape (..., H, W).
        keep: Fraction of each map's pixels to keep, above 0 and up to 1, rounded up to a pixel.

    Returns:
        True where salient, shape (..., H, W), bool.

    Raises:
        ValueError: If the fraction lies outside that range, or the maps have no pixels.
    """
    if not 0 < keep <= 1:
        raise ValueError(f'the fraction of pixels to keep lies above 0 and up to 1, got {keep}')
    maps = np.asarray(saliency)
    if maps.ndim < 2 or 0 in maps.shape[-2:]:
        raise ValueError(f'saliency maps have shape (..., H, W) with pixels, got {maps.shape}')
    pixels = maps.reshape(*maps.shape[:-2], -1)
    count = pixels.shape[-1]
    # 0.07 · 100 is 7.000000000000001 in floating point: 7 pixels, not 8.
    kept = max(math.ceil(round(keep * count, 6)), 1)
    last = np.partition(pixels, count - kept, axis=-1)[..., count - kept]
    return maps >= last[..., None, None]


def _joint_range(scale_maps: Maps) -> tuple[Maps, np.float32, np.float32]:
    """Return maps, lowest value and 1 / (highest − lowest) of all together.

    (maps − lowest) times that normalises their range; flat maps become 0.
    """
    maps = np.ascontiguousarray(scale_maps, dtype=np.float32)
    if maps.ndim != 3 or len(maps) == 0:
        raise ValueError(f'scale maps have shape (S, H, W) with S at least 1, got {maps.shape}')
    low, high = float(maps.min()), float(maps.max())
    return maps, np.float32(low), np.float32(1 / max(high - low, 1e-9))


def _selectivity(total: Maps, peak: Maps, count: int) -> Maps:
    """Return (1 − mean p / max p) · S / (S − 1): 0 where all agree, 1 where one is alone."""
    if count == 1:
        return np.ones_like(peak)
    mean_share = total / (count * np.where(peak > 0, peak, 1))
    # Equal scales round to a hair below 0, which has no power 1/e.
    return np.clip((1 - mean_share) * np.float32(count / (count - 1)), 0, 1)


def _hsv_to_rgb(hue: Maps, saturation: Maps, value: Maps) -> Rgb:
    """Convert hue in degrees, saturation and value in 0..1, each (H, W), to RGB."""
    hsv = cv2.merge([hue, saturation, np.clip(value, 0, 1)])
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return cv2.convertScaleAbs(rgb, alpha=255)
