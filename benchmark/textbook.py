# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The method as the paper prints it, in eager torch: what smoe_ros is measured against.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.

One formula a function, nothing merged: hooks clone the activations, and all else comes after the
forward pass. Every channel has its logarithm taken, every map is brought to the input's size
before anything is made of it, and LOVI's colours go through HSV in floating point. No smoe_ros in
it, so that agreement means something.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-7


class TextbookExplanation(NamedTuple):
    """What a network looked at in one frame, over S scales."""

    saliency: Tensor  # fused, shape (H, W), in [0, 1]
    scale_maps: Tensor  # each scale's map, finest first, shape (S, H, W), in [0, 1]
    contributions: Tensor  # share of each scale in the saliency's pattern, shape (S,)
    lovi: Tensor  # RGB picture, shape (H, W, 3), uint8


@torch.no_grad()
def textbook(
    model: nn.Module,
    batch: Tensor,
    points: Sequence[tuple[str, int]],
) -> TextbookExplanation:
    """Explain one frame.

    Args:
        model: The network, in evaluation mode.
        batch: Its input, shape (1, 3, H, W).
        points: Module path and call number (from 0) of each scale's activation, finest first.
    """
    activations: dict[tuple[str, int], Tensor] = {}
    calls: Counter[str] = Counter()

    def keeper(layer: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            point = (layer, calls[layer])
            calls[layer] += 1
            if point in points:
                # Without a copy the next activation in place would rewrite it.
                activations[point] = output.clone()

        return keep

    handles = [
        model.get_submodule(layer).register_forward_hook(keeper(layer))
        for layer in dict.fromkeys(layer for layer, _ in points)
    ]
    try:
        model(batch)
    finally:
        for handle in handles:
            handle.remove()
    size = (batch.shape[-2], batch.shape[-1])
    maps = [upsample(gaussian_cdf(smoe_scale(activations[point])), size)[0] for point in points]
    scale_maps = torch.stack(maps)
    saliency = torch.mean(scale_maps, dim=0)
    shares = contributions(scale_maps, saliency)
    return TextbookExplanation(saliency, scale_maps, shares, lovi(scale_maps))


def smoe_scale(activation: Tensor) -> Tensor:
    """φ = μ · (log2 μ − mean log2 x) over the channels, x = max(A, 0) + 1e-7.

    (B, C, H, W) -> (B, H, W)
    """
    x = F.relu(activation) + EPSILON
    mean = torch.mean(x, dim=1)
    return torch.relu(mean * (torch.log2(mean) - torch.mean(torch.log2(x), dim=1)))


def gaussian_cdf(raw_map: Tensor) -> Tensor:
    """½ · (1 + erf((φ − m) / (σ√2))), m and unbiased σ over each map, (B, H, W)."""
    mean = torch.mean(raw_map, dim=(1, 2), keepdim=True)
    sigma = torch.std(raw_map, dim=(1, 2), keepdim=True)
    return 0.5 * (1.0 + torch.erf((raw_map - mean) / (sigma * math.sqrt(2.0))))


def upsample(scale_map: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps bilinearly: (B, h, w) -> (B, H, W)."""
    image = scale_map.unsqueeze(1)
    return F.interpolate(image, size=size, mode='bilinear', align_corners=False).squeeze(1)


def contributions(scale_maps: Tensor, saliency: Tensor) -> Tensor:
    """Cov(Mᵢ, S) / (S · Var(S)) over all pixels, of S scales: (S, H, W) and (H, W) -> (S,)."""
    deviation = saliency - torch.mean(saliency)
    centred = scale_maps - torch.mean(scale_maps, dim=(1, 2), keepdim=True)
    covariances = torch.mean(centred * deviation, dim=(1, 2))
    return covariances / (len(scale_maps) * torch.mean(deviation * deviation))


def lovi(scale_maps: Tensor) -> Tensor:
    """Layer Ordered Visualization of Information: (S, H, W), S > 1 -> (H, W, 3) uint8 RGB.

    With p the maps range-normalised jointly, scale c at pos = 1 − c/(S − 1):
    H = 300° · Σ p·pos / Σ p, S = (1 − mean p / max p) · S/(S − 1), V = max p.
    """
    count = len(scale_maps)
    p = (scale_maps - scale_maps.min()) / (scale_maps.max() - scale_maps.min())
    position = torch.linspace(1.0, 0.0, count).view(count, 1, 1)
    total = torch.sum(p, dim=0)
    value = torch.amax(p, dim=0)
    hue = 300.0 * torch.sum(p * position, dim=0) / torch.where(total > 0, total, 1.0)
    share = torch.mean(p, dim=0) / torch.where(value > 0, value, 1.0)
    saturation = torch.clamp((1.0 - share) * count / (count - 1), 0.0, 1.0)
    return torch.round(255.0 * hsv_to_rgb(hue, saturation, value)).to(torch.uint8)


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """V − V · S · clamp(min(k, 4 − k), 0, 1), k = (n + H/60°) mod 6, n = 5, 3, 1 for R, G, B.

    Hue in degrees, saturation and value in 0..1, (H, W) each -> (H, W, 3) in 0..1.
    """
    k = (torch.tensor([5.0, 3.0, 1.0]) + hue.unsqueeze(-1) / 60.0) % 6.0
    fall = torch.clamp(torch.minimum(k, 4.0 - k), 0.0, 1.0)
    return value.unsqueeze(-1) * (1.0 - saturation.unsqueeze(-1) * fall)
