# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A second, independent implementation of the method: NumPy and SciPy, float64, slow and obvious.

Each function is the formula as it is printed, on arrays of the shapes that the package uses.
Nothing here imports smoe_ros, so that a test which compares the two compares two readings.
"""

import colorsys
import math
from fractions import Fraction

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.optimize import brentq
from scipy.special import digamma, erf, gammainc
from scipy.stats import norm

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
    places = [
        (np.arange(new) + 0.5) * old / new - 0.5
        for old, new in zip(image.shape, size, strict=True)
    ]
    return map_coordinates(image, np.meshgrid(*places, indexing='ij'), order=1, mode='nearest')


def fuse_scales(scale_maps, size, weights=None):
    """Return the saliency (B, H, W), the resized maps (B, S, H, W), the contributions (B, S)."""
    share = np.ones(len(scale_maps)) if weights is None else np.asarray(weights, dtype=np.float64)
    share = share / share.sum()
    resized = np.stack(
        [np.stack([bilinear(one, size) for one in maps]) for maps in scale_maps], axis=1
    )
    saliency = np.einsum('s,bshw->bhw', share, resized)
    contributions = np.empty(resized.shape[:2])
    for b, s in np.ndindex(*contributions.shape):
        pattern = saliency[b] - saliency[b].mean()
        explained = ((resized[b, s] - resized[b, s].mean()) * pattern).mean()
        variance = pattern.var()
        contributions[b, s] = share[s] * (1 if variance <= FLAT_VARIANCE else explained / variance)
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


def gamma_shape(s):
    """Return the root k of ln k − ψ(k) = s, bracketed; by its limit where that cancels."""
    if s < 1e-8:
        return 1 / (2 * s) + 1 / 6
    # 1/(2k) < ln k − ψ(k) < 1/k holds for every k.
    log_k = brentq(
        lambda log_k: math.exp(log_k) * (log_k - digamma(math.exp(log_k)) - s),
        math.log(0.5 / s) - 1e-6,
        math.log(1.0 / s) + 1e-6,
        xtol=1e-14,
        rtol=1e-14,
    )
    return math.exp(log_k)


def gamma_fit(sample):
    """Return k and θ of the gamma distribution most likely to have given a sample of reals > 0."""
    sample = np.asarray(sample, dtype=np.longdouble)
    s = float(np.log(sample.mean()) - np.log(sample).mean())
    k = gamma_shape(s)
    return k, float(sample.mean()) / k


def gamma_scale(activation):
    """Return θ of the gamma fitted to each site's channels; (B, C, H, W) -> (B, H, W)."""
    x = np.maximum(np.asarray(activation, dtype=np.float64), 0.0) + EPSILON
    result = np.zeros((x.shape[0], *x.shape[2:]))
    for b, row, column in np.ndindex(*result.shape):
        site = x[b, :, row, column]
        if site.max() > site.min():
            result[b, row, column] = gamma_fit(site)[1]
    return result


def channel_std(activation):
    """Return the unbiased standard deviation over the channels; (B, C, H, W) -> (B, H, W)."""
    x = np.asarray(activation, dtype=np.float64)
    if x.shape[1] == 1:
        return np.zeros((x.shape[0], *x.shape[2:]))
    return x.std(axis=1, ddof=1)


def channel_mean(activation):
    """Return the mean over the channels; (B, C, H, W) -> (B, H, W)."""
    return np.asarray(activation, dtype=np.float64).mean(axis=1)


def channel_max(activation):
    """Return the maximum over the channels; (B, C, H, W) -> (B, H, W)."""
    return np.asarray(activation, dtype=np.float64).max(axis=1)


def truncated_normal_entropy(pre_activation):
    """Return ln(√(2πe) σ Z) + a pdf(a) / 2Z over the channels; (B, C, H, W) -> (B, H, W)."""
    sigma = np.maximum(channel_std(pre_activation), 1e-7)
    a = -channel_mean(pre_activation) / sigma
    z = np.maximum(norm.sf(a) - 1e-7, 1e-7)
    return np.log(math.sqrt(2 * math.pi * math.e) * sigma * z) + a * norm.pdf(a) / (2 * z)


def gamma_cdf(maps):
    """Return each map through the CDF of a gamma fitted to its own pixels; (B, H, W)."""
    result = np.full(np.shape(maps), 0.5)
    for item, one in zip(result, np.asarray(maps, dtype=np.float64), strict=True):
        if one.max() > one.min():
            x = one - one.min() + EPSILON
            k, theta = gamma_fit(x)
            item[...] = gammainc(k, x / theta)
    return result


def class_activation(activation, gradient, method, score=None):
    """Return relu of the weighted sum of channels, site by site; (B, C, h, w) -> (B, h, w)."""
    activation = np.asarray(activation, dtype=np.float64)
    gradient = np.asarray(gradient, dtype=np.float64)
    batch, channels, height, width = activation.shape
    result = np.zeros((batch, height, width))
    for b, c in np.ndindex(batch, channels):
        a, g = activation[b, c], gradient[b, c]
        if method == 'grad_cam':
            alpha = g.mean()
        elif method == 'x_grad_cam':
            alpha = (g * a).sum() / (a.sum() + 1e-6)
        else:
            factor = 1.0 if score is None else math.exp(score[b])
            share = g**2 / (2 * g**2 + (a * g**3).sum() + 1e-7)
            alpha = (share * np.maximum(factor * g, 0.0)).sum()
        result[b] += alpha * a
    return np.maximum(result, 0.0)


def feature_vectors(activation, points, size):
    """Return the channels of the cell whose square holds the pixel's centre; (B, C)."""
    activation = np.asarray(activation)
    rows, columns = activation.shape[2:]
    result = []
    for one, (x, y) in zip(activation, points, strict=True):
        row = next(i for i in range(rows) if y + 0.5 < Fraction((i + 1) * size[0], rows))
        column = next(i for i in range(columns) if x + 0.5 < Fraction((i + 1) * size[1], columns))
        result.append(one[:, row, column])
    return np.stack(result)


def salient_mask(saliency, kept):
    """Return True on the `kept` highest pixels of one (H, W) map and on all equal to the last."""
    return saliency >= np.sort(saliency.ravel())[-kept]
