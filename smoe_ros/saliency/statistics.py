# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics over the channels of an activation: one number a site.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from smoe_ros.saliency.compiled import kernels_for
from smoe_ros.saliency.gamma import fit_shape, log_mean_ratio

# The paper's ε. A hyper-parameter of the method, not a detail: with half the channels dead, φ is
# 5.3 at 1e-7 and 2.0 at 1e-3.
EPSILON = 1e-7

_FLOAT32_MAX = torch.finfo(torch.float32).max


@torch.no_grad()
def smoe_scale(activation: Tensor) -> Tensor:
    """SMOE Scale, φ = μ · (log2 μ − mean_c log2 x): how unevenly a site's channels fire.

    μ is the mean over the channels of x = max(activation, 0) + 1e-7. φ = AM · log2(AM / GM) is at
    least 0, 0 where all channels are equal, and in the activation's unit times bits. Activations
    that can be negative (SiLU, GELU, Hardswish) are clamped at 0. See arXiv 1911.11293, section 3.

    Args:
        activation: Rectified activation, shape (B, C, H, W), of any floating type and layout.

    Returns:
        φ, shape (B, H, W), float32, within 1e-5 of the exact value. Sites with a channel that is
        NaN or +∞ are not finite either.

    Raises:
        ValueError: If the activation has not four dimensions or no channel.
    """
    _check_shape(activation)
    compiled = kernels_for(activation)
    if compiled is not None:
        return torch.from_numpy(compiled.smoe_scale(activation.detach().numpy()))
    x = activation.float() + EPSILON
    x.clamp_(min=EPSILON)
    mean = x.mean(dim=1)
    phi = mean * (mean.log2() - _mean_log2(x))
    # Where all channels are nearly equal φ is a small difference of large numbers, and a product
    # of huge values overflows: those few sites are done again in float64. NaN fails both tests.
    rounding = mean * 2.4e-6
    inexact = ~((rounding <= 3e-6 * phi + 1e-6) & (phi <= _FLOAT32_MAX))
    if inexact.any():
        phi[inexact] = _smoe_scale_float64(activation.movedim(1, -1)[inexact])
    return phi.clamp_(min=0)


@torch.no_grad()
def gamma_scale(activation: Tensor) -> Tensor:
    """Scale parameter θ of the gamma distribution fitted to a site's channels.

    The long way that SMOE Scale cuts short: Gamma(k, θ) by maximum likelihood over the channels
    of x = max(activation, 0) + 1e-7, iterated, θ = mean / k. It orders sites nearly as
    `smoe_scale` does, and is in the activation's unit. Activations that can be negative (SiLU,
    GELU, Hardswish) are clamped at 0.

    Args:
        activation: Rectified activation, shape (B, C, H, W), of any floating type and layout.

    Returns:
        θ, shape (B, H, W), float32, at least 0, and 0 where all channels are equal; held at
        float32's maximum. Sites with a channel that is NaN or +∞ are not finite either.

    Raises:
        ValueError: If the activation has not four dimensions or no channel.
    """
    _check_shape(activation)
    x = activation.double().clamp(min=0) + EPSILON
    mean, s = log_mean_ratio(x, dim=1)
    equal = s == 0
    theta = mean / fit_shape(s.masked_fill(equal, 1.0))
    return theta.masked_fill_(equal, 0.0).clamp_(max=_FLOAT32_MAX).float()


@torch.no_grad()
def channel_std(activation: Tensor) -> Tensor:
    """Unbiased standard deviation over the channels; 0 where all are equal or there is one.

    Negative values count as they are.

    Args:
        activation: Activation, shape (B, C, H, W), of any floating type and layout.

    Returns:
        σ, shape (B, H, W), float32, at least 0; held at float32's maximum.

    Raises:
        ValueError: If the activation has not four dimensions or no channel.
    """
    _check_shape(activation)
    _, sigma = _moments(activation)
    return sigma.clamp_(max=_FLOAT32_MAX).float()


@torch.no_grad()
def channel_mean(activation: Tensor) -> Tensor:
    """Mean over the channels. Negative values count as they are.

    Args:
        activation: Activation, shape (B, C, H, W), of any floating type and layout.

    Returns:
        Mean, shape (B, H, W), float32.

    Raises:
        ValueError: If the activation has not four dimensions or no channel.
    """
    _check_shape(activation)
    return activation.mean(dim=1, dtype=torch.float64).float()


@torch.no_grad()
def channel_max(activation: Tensor) -> Tensor:
    """Maximum over the channels. Negative values count as they are.

    Args:
        activation: Activation, shape (B, C, H, W), of any floating type and layout.

    Returns:
        Maximum, shape (B, H, W), float32.

    Raises:
        ValueError: If the activation has not four dimensions or no channel.
    """
    _check_shape(activation)
    return activation.amax(dim=1).float()


@torch.no_grad()
def truncated_normal_entropy(pre_activation: Tensor) -> Tensor:
    """Entropy in nats of a normal fitted to the channels and cut off at 0, as a ReLU does.

    H = ln(√(2πe) · σ · Z) + a · pdf(a) / (2Z), with a = −m/σ, Z = 1 − (Φ(a) + 1e-7), mean m and
    unbiased σ over the channels, σ and Z at least 1e-7: equal channels, and sites that lie wholly
    below 0 (a beyond 5.07), stay finite. Negative values are the point: they are taken as they
    are. The entropy may be negative.

    Args:
        pre_activation: Value before the activation function, shape (B, C, H, W), of any floating
            type and layout.

    Returns:
        H, shape (B, H, W), float32.

    Raises:
        ValueError: If the pre-activation has not four dimensions or no channel.
    """
    _check_shape(pre_activation)
    mean, sigma = _moments(pre_activation)
    sigma = sigma.clamp(min=1e-7)
    a = -mean / sigma
    # 1 − Φ(a), without losing its digits where Φ is nearly 1.
    z = (torch.special.erfc(a / math.sqrt(2)) / 2 - 1e-7).clamp(min=1e-7)
    pdf = (-a.square() / 2).exp() / math.sqrt(2 * math.pi)
    return ((math.sqrt(2 * math.pi * math.e) * sigma * z).log() + a * pdf / (2 * z)).float()


def _check_shape(activation: Tensor) -> None:
    if activation.ndim != 4 or activation.shape[1] == 0:
        shape = tuple(activation.shape)
        raise ValueError(f'an activation has shape (B, C, H, W) with C at least 1, got {shape}')


def _moments(activation: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and unbiased σ over the channels: (B, C, H, W) -> 2 × (B, H, W) float64."""
    # Equal channels minus one of their own are exactly 0, minus their mean not always.
    first = activation[:, :1].double()
    offset = activation.double() - first
    offset_mean = offset.mean(dim=1, keepdim=True)
    squares = (offset - offset_mean).square_().sum(dim=1)
    sigma = (squares / max(activation.shape[1] - 1, 1)).sqrt_()
    return (first + offset_mean).squeeze(1), sigma


def _mean_log2(x: Tensor) -> Tensor:
    """Return the mean over channels of log2 x: (B, C, H, W), x ≥ 1e-7 -> (B, H, W).

    The logarithm of a product is the sum of the logarithms: four channels are multiplied first,
    which leaves a quarter of the logarithms (1e-28 … (3e9)⁴ stay within float32).
    """
    channels = x.shape[1]
    quads = channels - channels % 4
    a, b, c, d = x[:, :quads].unflatten(1, (4, quads // 4)).unbind(dim=1)
    product = a * b
    product.mul_(c).mul_(d)
    total = product.log2_().sum(dim=1)
    if quads < channels:
        total += x[:, quads:].log2().sum(dim=1)
    return total / channels


def _smoe_scale_float64(sites: Tensor) -> Tensor:
    """SMOE Scale of single sites in float64: (N, C) -> (N,) float32."""
    x = sites.double().clamp(min=0) + EPSILON
    mean = x.mean(dim=1)
    phi = mean * (mean.log2() - x.log2().mean(dim=1))
    return phi.clamp(max=_FLOAT32_MAX).float()
