# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A second, independent implementation of the method: NumPy and SciPy, float64, slow and obvious.

Each function is the formula as it is printed, on arrays of the shapes that the package uses.
Nothing here imports smoe_ros, so that a test which compares the two compares two readings.
"""

import colorsys
import math

import numpy as np
from scipy.special import erf

EPSILON = 1e-7
FLAT_VARIANCE = 1e-12


def smoe_scale(activation):
    """Return mean · (log2 mean − mean log2) over the channels; (B, C, H, W) -> (B, H, W)."""
    x = np.maximum(np.asarray(activation, dtype=np.float64), 0.0) + EPSILON
    mean = x.mean(axis=1)
    return np.maximum(mean * (np.log2(mean) - np.log2(x).mean(axis=1)), 0.0)


def gaussian_cdf(maps):
    """Return each map through the CDF of a normal fitted to its own pixels; (B, H, W)."""
    result = np.full(np.shape(maps), 0.5)
    for item, one in zip(result, np.asarray(maps, dtype=np.float64), strict=True):
        if one.size > 1 and one.max() > one.min():
            z = (one - one.mean()) / one.std(ddof=1)
            item[...] = 0.5 * (1.0 + erf(z / math.sqrt(2.0)))
    return result


def min_max(maps):
    """Return each map stretched from its own minimum to its own maximum; (B, H, W)."""
    maps = np.asarray(maps, dtype=np.float64)
    low = maps.min(axis=(1, 2), keepdims=True)
    high = maps.max(axis=(1, 2), keepdims=True)
    return (maps - low) / np.maximum(high - low, 1e-9)


def bilinear(image, size):
    """Resize one (h, w) image to size (H, W); pixels are squares, the border is repeated."""
    image = np.asarray(image, dtype=np.float64)
    height, width = image.shape

    def neighbours(index, source, target):
        position = max((index + 0.5) * source / target - 0.5, 0.0)
        first = min(math.floor(position), source - 1)
        return first, min(first + 1, source - 1), position - first

    result = np.empty(size)
    for y in range(size[0]):
        top, bottom, down = neighbours(y, height, size[0])
        for x in range(size[1]):
            left, right, across = neighbours(x, width, size[1])
            above = (1.0 - across) * image[top, left] + across * image[top, right]
            below = (1.0 - across) * image[bottom, left] + across * image[bottom, right]
            result[y, x] = (1.0 - down) * above + down * below
    return result


def fuse_scales(scale_maps, size, weights=None):
    """Return the saliency (B, H, W), the resized maps (B, S, H, W), the contributions (B, S)."""
    share = np.ones(len(scale_maps)) if weights is None else np.asarray(weights, dtype=np.float64)
    share = share / share.sum()
    resized = np.stack(
        [np.stack([bilinear(one, size) for one in maps]) for maps in scale_maps], axis=1
    )
    saliency = np.einsum('s,bshw->bhw', share, resized)
    contributions = np.empty(resized.shape[:2])
    for b, fused in enumerate(saliency):
        pattern = fused - fused.mean()
        variance = (pattern**2).mean()
        for s, one in enumerate(resized[b]):
            explained = ((one - one.mean()) * pattern).mean()
            contributions[b, s] = (
                share[s] if variance <= FLAT_VARIANCE else share[s] * explained / variance
            )
    return saliency, resized, contributions


def joint_range(scale_maps):
    """Stretch all scales together to [0, 1]; (S, H, W), black when there is nothing to stretch."""
    scale_maps = np.asarray(scale_maps, dtype=np.float64)
    spread = scale_maps.max() - scale_maps.min()
    return (scale_maps - scale_maps.min()) / spread if spread > 0 else np.zeros_like(scale_maps)


def disagreement(column):
    """Return 1 where one scale alone is active at a site, 0 where all are equally active."""
    count = len(column)
    if count == 1:
        return 1.0
    return min(max((1 - column.mean() / column.max()) * count / (count - 1), 0.0), 1.0)


def lovi(scale_maps):
    """Return the LOVI colours as float RGB in [0, 1]; (S, H, W) -> (H, W, 3)."""
    p = joint_range(scale_maps)
    count = len(p)
    position = np.array([1 - c / (count - 1) for c in range(count)] if count > 1 else [0.0])
    result = np.zeros((*p.shape[1:], 3))
    for y, x in np.ndindex(*p.shape[1:]):
        column = p[:, y, x]
        if column.sum() > 0:
            hue = 300.0 / 360.0 * (column * position).sum() / column.sum()
            result[y, x] = colorsys.hsv_to_rgb(hue, disagreement(column), column.max())
    return result


def heat_map(scale_maps, weights=None):
    """Return the heat map's colours as float RGB in [0, 1]; (S, H, W) -> (H, W, 3)."""
    p = joint_range(scale_maps)
    value = np.average(p, axis=0, weights=weights)
    result = np.zeros((*p.shape[1:], 3))
    for y, x in np.ndindex(*p.shape[1:]):
        if value[y, x] > 0:
            v = value[y, x] / value.max()
            saturation = disagreement(p[:, y, x]) ** (1 / math.e)
            result[y, x] = colorsys.hsv_to_rgb(240.0 / 360.0 * (1 - v), saturation, v)
    return result


def overlay(image, rendering, alpha):
    """Return (1 − alpha) · image + alpha · rendering in grey levels, unrounded; (H, W, 3)."""
    size = image.shape[:2]
    resized = np.stack([bilinear(rendering[..., c], size) for c in range(3)], axis=-1)
    return (1.0 - alpha) * image.astype(np.float64) + alpha * resized
