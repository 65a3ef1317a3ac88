# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Statistics over the channels of an activation: one number a site.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.
"""

from __future__ import annotations

import torch
from torch import Tensor

# The paper's ε. A hyper-parameter of the method, not a detail: with half the channels dead, φ is
# 5.3 at 1e-7 and 2.0 at 1e-3.
EPSILON = 1e-7


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
    if activation.ndim != 4 or activation.shape[1] == 0:
        shape = tuple(activation.shape)
        raise ValueError(f'an activation has shape (B, C, H, W) with C at least 1, got {shape}')
    x = activation.float() + EPSILON
    x.clamp_(min=EPSILON)
    mean = x.mean(dim=1)
    phi = mean * (mean.log2() - _mean_log2(x))
    # Where all channels are nearly equal φ is a small difference of large numbers, and a product
    # of huge values overflows: those few sites are done again in float64. NaN fails both tests.
    rounding = mean * 2.4e-6
    inexact = ~((rounding <= 3e-6 * phi + 1e-6) & (phi <= torch.finfo(torch.float32).max))
    if inexact.any():
        phi[inexact] = _smoe_scale_float64(activation.movedim(1, -1)[inexact])
    return phi.clamp_(min=0)


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
    return phi.clamp(max=torch.finfo(torch.float32).max).float()
