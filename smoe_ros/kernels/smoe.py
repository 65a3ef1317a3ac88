# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SMOE Scale in one pass over an activation.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.

The mean of logarithms is the logarithm of a product. Four channels are multiplied in float32
(1e-28 … 3e38), then the product's exponent is taken off and counted as a whole number, which
leaves a mantissa in [1, 2) to go on with: one logarithm a site is left of one a channel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smoe_ros.kernels.compiling import compiled

EPSILON = np.float32(1e-7)
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_ZERO, _ONE = np.float32(0), np.float32(1)
# float32: a sign, 8 bits of exponent (127 is 2⁰), 23 bits of mantissa.
_MANTISSA_BITS, _BIAS = np.int32(23), np.int32(127)
_MANTISSA, _EXPONENT_OF_ONE = np.int32((1 << 23) - 1), np.int32(127 << 23)
# float64: 11 bits of exponent, 52 of mantissa.
_MANTISSA_BITS_64, _BIAS_64 = np.int64(52), np.int64(1023)
_MANTISSA_64, _EXPONENT_OF_ONE_64 = np.int64((1 << 52) - 1), np.int64(1023 << 52)
_ROOT_OF_TWO, _TWO_OVER_LN_2 = math.sqrt(2), 2 / math.log(2)
# Sites at a time, whose sums stay in the first-level cache.
_BLOCK = 512
# Mantissas whose product stays within float64.
_RUN = 512
# Beyond this mean a product of four channels may overflow.
_LARGE = 1e9
# How far below its terms φ may lie before float32's rounding shows.
_NEAR_EQUAL = 0.1


def smoe_scale(activation: NDArray[np.float32]) -> NDArray[np.float32]:
    """SMOE Scale of one activation, as `smoe_ros.saliency.smoe_scale`.

    Args:
        activation: Shape (B, C, H, W), float32; planes or pixels (channels last) contiguous, any
            other layout is copied.

    Returns:
        φ, shape (B, H, W), float32.
    """
    batch, channels, height, width = activation.shape
    phi = np.empty((batch, height * width), np.float32)
    pixels = activation.transpose(0, 2, 3, 1)
    if pixels.flags.c_contiguous and not activation.flags.c_contiguous:
        _of_pixels(pixels.reshape(batch, height * width, channels), phi)
    else:
        planes = np.ascontiguousarray(activation)
        _of_planes(planes.reshape(batch, channels, height * width), phi)
    return phi.reshape(batch, height, width)


@compiled('float64(float64)')
def _log2_of_mantissa(mantissa: Any) -> Any:
    """Return log2 of a number in [1, 2) to 1e-11, without a branch: a vector unit does several.

    ln x = 2 artanh((x − 1) / (x + 1)), with x over √2 so that the fraction is small.
    """
    z = (mantissa - _ROOT_OF_TWO) / (mantissa + _ROOT_OF_TWO)
    square = z * z
    series = 1 / 11 + square * (1 / 13 + square * (1 / 15))
    series = 1 / 5 + square * (1 / 7 + square * (1 / 9 + square * series))
    return 0.5 + _TWO_OVER_LN_2 * z * (1 + square * (1 / 3 + square * series))


@compiled('float64(float32[:])')
def _phi_of_float64(channels: Any) -> Any:
    """Return φ of one site in float64: nearly equal channels, huge ones, an infinity or NaN."""
    total, log_sum = 0.0, 0.0
    for channel in channels:
        x = np.float64(_ZERO if channel < _ZERO else channel) + 1e-7
        total += x
        log_sum += np.log2(x)
    mean = total / len(channels)
    phi = mean * (np.log2(mean) - log_sum / len(channels))
    if mean < np.inf and phi > _FLOAT32_MAX:
        phi = _FLOAT32_MAX
    return 0.0 if phi < 0 else phi


@compiled('void(float32[:, :, ::1], float32[:, ::1])')
def _of_planes(planes: Any, phi: Any) -> None:
    """Of (B, C, N): a block of sites at a time, channel by channel."""
    batch, channels, sites = planes.shape
    total = np.empty(_BLOCK, np.float64)
    product = np.empty(_BLOCK, np.float32)
    bits = product.view(np.int32)
    exponent = np.empty(_BLOCK, np.int32)
    mean_bits = total.view(np.int64)
    log_sum = np.empty(_BLOCK, np.float64)
    mantissa = np.empty(_BLOCK, np.float64)
    mantissa_bits = mantissa.view(np.int64)
    for b in range(batch):
        for start in range(0, sites, _BLOCK):
            end = min(start + _BLOCK, sites)
            count = end - start
            total[:], product[:], exponent[:] = 0.0, _ONE, 0
            for c in range(0, channels - 3, 4):
                first, second = planes[b, c, start:end], planes[b, c + 1, start:end]
                third, fourth = planes[b, c + 2, start:end], planes[b, c + 3, start:end]
                for i in range(count):
                    x0 = (_ZERO if first[i] < _ZERO else first[i]) + EPSILON
                    x1 = (_ZERO if second[i] < _ZERO else second[i]) + EPSILON
                    x2 = (_ZERO if third[i] < _ZERO else third[i]) + EPSILON
                    x3 = (_ZERO if fourth[i] < _ZERO else fourth[i]) + EPSILON
                    total[i] += np.float64((x0 + x1) + (x2 + x3))
                    product[i] *= (x0 * x1) * (x2 * x3)
                for i in range(count):
                    exponent[i] += (bits[i] >> _MANTISSA_BITS) - _BIAS
                    bits[i] = (bits[i] & _MANTISSA) | _EXPONENT_OF_ONE
            for c in range(channels - channels % 4, channels):
                last = planes[b, c, start:end]
                for i in range(count):
                    x = (_ZERO if last[i] < _ZERO else last[i]) + EPSILON
                    total[i] += np.float64(x)
                    product[i] *= x
                    exponent[i] += (bits[i] >> _MANTISSA_BITS) - _BIAS
                    bits[i] = (bits[i] & _MANTISSA) | _EXPONENT_OF_ONE
            for i in range(count):
                total[i] /= channels
                log_sum[i] = (exponent[i] + _log2_of_mantissa(product[i])) / channels
                exponent[i] = (mean_bits[i] >> _MANTISSA_BITS_64) - _BIAS_64
                mantissa_bits[i] = (mean_bits[i] & _MANTISSA_64) | _EXPONENT_OF_ONE_64
            exact = True
            for i in range(count):
                mean = total[i]
                log_mean = exponent[i] + _log2_of_mantissa(mantissa[i])
                value = mean * (log_mean - log_sum[i])
                phi[b, start + i] = value
                exact &= (mean < _LARGE) & (value > _NEAR_EQUAL * mean)
            if not exact:
                for i in range(count):
                    value = np.float64(phi[b, start + i])
                    if not ((total[i] < _LARGE) & (value > _NEAR_EQUAL * total[i])):
                        phi[b, start + i] = _phi_of_float64(planes[b, :, start + i])


@compiled('void(float32[:, :, ::1], float32[:, ::1])', reorder=True)
def _of_pixels(pixels: Any, phi: Any) -> None:
    """Of (B, N, C): a site at a time, its channels in four parts side by side."""
    batch, sites, channels = pixels.shape
    quarter = channels // 4
    product = np.empty(max(quarter, 1), np.float32)
    bits = product.view(np.int32)
    for b in range(batch):
        for site in range(sites):
            first, second = pixels[b, site, :quarter], pixels[b, site, quarter : 2 * quarter]
            third = pixels[b, site, 2 * quarter : 3 * quarter]
            fourth = pixels[b, site, 3 * quarter : 4 * quarter]
            total = 0.0
            for i in range(quarter):
                x0 = (_ZERO if first[i] < _ZERO else first[i]) + EPSILON
                x1 = (_ZERO if second[i] < _ZERO else second[i]) + EPSILON
                x2 = (_ZERO if third[i] < _ZERO else third[i]) + EPSILON
                x3 = (_ZERO if fourth[i] < _ZERO else fourth[i]) + EPSILON
                total += np.float64((x0 + x1) + (x2 + x3))
                product[i] = (x0 * x1) * (x2 * x3)
            exponent = np.int32(0)
            for i in range(quarter):
                exponent += (bits[i] >> _MANTISSA_BITS) - _BIAS
                bits[i] = (bits[i] & _MANTISSA) | _EXPONENT_OF_ONE
            log_sum = np.float64(exponent)
            for start in range(0, quarter, _RUN):
                run = 1.0
                for i in range(start, min(start + _RUN, quarter)):
                    run *= np.float64(product[i])
                log_sum += np.log2(run)
            for c in range(4 * quarter, channels):
                x = (_ZERO if pixels[b, site, c] < _ZERO else pixels[b, site, c]) + EPSILON
                total += np.float64(x)
                log_sum += np.log2(np.float64(x))
            mean = total / channels
            value = mean * (np.log2(mean) - log_sum / channels)
            if not ((mean < _LARGE) & (value > _NEAR_EQUAL * mean)):
                value = _phi_of_float64(pixels[b, site])
            phi[b, site] = value
