# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fusion of the maps of all scales into one saliency map, and what each scale contributed to it.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293,
for the weighted mean and its weights; the contributions are this project's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.options.choices import EQUAL, LINEAR, PRIOR
from smoe_ros.saliency.compiled import kernels_for

# Saliency whose standard deviation over the pixels is at most 1e-6 has no pattern to share out:
# what varies there is float32 rounding.
FLAT_VARIANCE = 1e-12

# The paper's weights for ResNet-50 on ImageNet, first scale first.
_PRIOR = (0.18, 0.15, 0.37, 0.40, 0.72)


class FusedSaliency(NamedTuple):
    """Saliency of a batch of B frames over S scales.

    Attributes:
        saliency: Weighted mean of the scale maps, shape (B, H, W), in [0, 1].
        scale_maps: Each scale's map resized to (H, W), unweighted, shape (B, S, H, W).
        contributions: Share of each scale in the pattern of the saliency, shape (B, S); sums to 1.
    """

    saliency: Tensor
    scale_maps: Tensor
    contributions: Tensor


def resolve_scale_weights(weights: str | Sequence[float], count: int) -> tuple[float, ...]:
    """Return one weight a scale, finest first.

    Args:
        weights: ``'equal'``, ``'linear'`` (1, 2, …), ``'prior'`` (the paper's five for ResNet-50,
            arXiv 1911.11293) or one number a scale.
        count: Number of scales.

    Raises:
        ConfigurationError: If the name is unknown, or the numbers are not ``count`` finite,
            non-negative ones with a positive sum.
    """
    if isinstance(weights, str):
        linear = tuple(float(number) for number in range(1, count + 1))
        named = {EQUAL: (1.0,) * count, PRIOR: _PRIOR, LINEAR: linear}
        if weights not in named:
            raise unknown_name('scale weights', weights, named)
        if len(named[weights]) != count:
            raise ConfigurationError(
                f"scale weights 'prior' belong to {len(_PRIOR)} scales, this network has {count}; "
                "choose 'equal' or 'linear', or give one number a scale"
            )
        return named[weights]
    numbers = tuple(float(weight) for weight in weights)
    if len(numbers) != count:
        raise ConfigurationError(
            f'{len(numbers)} scale weights given for {count} scales: {list(numbers)}; '
            'give one number a scale, finest first'
        )
    # NaN, an infinity or a sum beyond float64 fail the first test.
    if not 0 < sum(numbers) < math.inf or min(numbers) < 0:
        raise ConfigurationError(
            f'scale weights must be finite, not negative and not all 0, got {list(numbers)}'
        )
    return numbers


@torch.no_grad()
def fuse_scales(
    scale_maps: Sequence[Tensor],
    size: tuple[int, int],
    weights: str | Sequence[float] | None = None,
) -> FusedSaliency:
    """Resize all maps bilinearly to one size and average them: S = Σ wᵢ Mᵢ / Σ wᵢ.

    A scale's contribution is wᵢ/Σw · Cov(Mᵢ, S) / Var(S) over the pixels: how much of the pattern
    of S it explains. They sum to 1; one that works against the others is negative. Where S is
    flat (variance at most 1e-12) the contribution is wᵢ/Σw.

    Args:
        scale_maps: S normalised maps in [0, 1], finest first, shape (B, h, w) each.
        size: Height and width of the result in pixels.
        weights: As for `resolve_scale_weights`; None means equal.

    Returns:
        The fused saliency, the resized maps and the contributions, all float32.

    Raises:
        ValueError: If there is no map, or a map has not three dimensions.
        ConfigurationError: If the weights do not fit the maps.
    """
    if not scale_maps:
        raise ValueError('at least one scale map is needed to fuse')
    for scale_map in scale_maps:
        if scale_map.ndim != 3:
            raise ValueError(f'a scale map has shape (B, h, w), got {tuple(scale_map.shape)}')
    shares = torch.tensor(
        resolve_scale_weights('equal' if weights is None else weights, len(scale_maps)),
        dtype=torch.float64,
    )
    shares = (shares / shares.sum()).float()
    compiled = kernels_for(*scale_maps)
    if compiled is not None:
        arrays = [scale_map.detach().numpy() for scale_map in scale_maps]
        fused = compiled.fuse(arrays, size, shares.numpy(), FLAT_VARIANCE)
        return FusedSaliency(*map(torch.from_numpy, fused))
    shares = shares.to(scale_maps[0].device)
    resized = torch.stack([resize(scale_map, size) for scale_map in scale_maps], dim=1)
    saliency = torch.einsum('s,bshw->bhw', shares, resized).clamp_(0, 1)
    return FusedSaliency(saliency, resized, _contributions(resized, shares))


def resize(scale_map: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps bilinearly, borders repeated: (B, h, w) -> (B, H, W), float32."""
    image = scale_map.float().unsqueeze(1)
    return F.interpolate(image, size=size, mode='bilinear', align_corners=False).squeeze(1)


def _contributions(scale_maps: Tensor, shares: Tensor) -> Tensor:
    """Return wᵢ/Σw · Cov(Mᵢ, S) / Var(S): (B, S, H, W), (S,) -> (B, S).

    Covariance is linear, so the S × S covariances of the maps among themselves give all of it.
    """
    pixels = scale_maps.flatten(2)
    # A flat map minus one of its own pixels is exactly 0, its mean is not always itself.
    centred = pixels - pixels[:, :, :1]
    centred -= centred.mean(dim=2, keepdim=True)
    covariance = centred @ centred.transpose(1, 2) / pixels.shape[2]
    with_saliency = shares * (covariance @ shares)
    variance = with_saliency.sum(dim=1, keepdim=True)
    flat = variance <= FLAT_VARIANCE
    return torch.where(flat, shares, with_saliency / variance.masked_fill(flat, 1.0))
