# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Maximum-likelihood fit of a gamma distribution: what SMOE Scale is a short cut for.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.
"""

from __future__ import annotations

import torch
from torch import Tensor

_STEPS = 10
# From here on the asymptotic series are exact to 1e-12, and the differences they stand for lose
# their digits: at k = 5e11, ln k is 27 and ln k − ψ(k) is 1e-12.
_LARGE_SHAPE = 32.0


@torch.no_grad()
def log_mean_ratio(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return the mean and s = ln mean x − mean ln x, all that the fit needs to know of a sample.

    Taken as s = mean(d − ln(1 + d)) with d = x / mean − 1, whose terms do not cancel: it
    holds for samples that differ only in float32's last bit.

    Args:
        x: Positive samples, float64.
        dim: The dimension to reduce.

    Returns:
        Mean and s ≥ 0, both without that dimension; s is exactly 0 where all samples are equal.
    """
    # Equal samples minus one of their own are exactly 0, minus their mean not always.
    first = x.narrow(dim, 0, 1)
    offset = x - first
    offset_mean = offset.mean(dim=dim, keepdim=True)
    mean = first + offset_mean
    deviation = (offset - offset_mean) / mean
    # Far below the mean 1 + d rounds to 0, near it x / mean loses what makes the difference.
    near = deviation.abs() < 0.5
    log_ratio = torch.where(near, deviation.masked_fill(~near, 0.0).log1p(), (x / mean).log())
    s = (deviation - log_ratio).mean(dim=dim)
    return mean.squeeze(dim), s.clamp_(min=0)


@torch.no_grad()
def fit_shape(s: Tensor) -> Tensor:
    """Return the shape k that maximises the likelihood: the root of ln k − ψ(k) = s.

    Starts at k₀ = (3 − s + √((s − 3)² + 24 s)) / (12 s), which is within 1.5 % of the root, and
    takes Newton steps k ← k − (ln k − ψ(k) − s) / (1/k − ψ′(k)) until they no longer change k, at
    most 10. The scale is θ = mean / k.

    Args:
        s: ln mean − mean ln of each sample, any shape, float64, 1e-12..1e3. There is no k for
            s = 0 (all equal), which callers must set apart.

    Returns:
        k > 0, same shape, float64.
    """
    root = ((s - 3).square() + 24 * s).sqrt()
    # Two forms of the same number: for large s the first one's numerator cancels.
    k = torch.where(s < 3, (3 - s + root) / (12 * s), 2 / (s - 3 + root))
    for _ in range(_STEPS):
        value, slope = _log_minus_digamma(k)
        stepped = k - (value - s) / slope
        settled = bool(((stepped - k).abs() <= 1e-12 * k).all())
        k = stepped
        if settled:
            break
    return k


def _log_minus_digamma(k: Tensor) -> tuple[Tensor, Tensor]:
    """Return ln k − ψ(k) and its derivative 1/k − ψ′(k)."""
    small = k.clamp(max=_LARGE_SHAPE)
    r = 1 / k.clamp(min=_LARGE_SHAPE)
    r2 = r * r
    value = r * (1 / 2 + r / 12 - r * r2 * (1 / 120 - r2 / 252))
    slope = -r2 * (1 / 2 + r / 6 - r * r2 * (1 / 30 - r2 / 42))
    large = k > _LARGE_SHAPE
    return (
        torch.where(large, value, small.log() - torch.special.digamma(small)),
        torch.where(large, slope, 1 / small - torch.special.polygamma(1, small)),
    )
