# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The method as the paper prints it, in eager torch: what smoe_ros is measured against.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.

One formula a function, nothing merged: hooks clone the activations, and all else comes after the
forward pass. Every channel has its logarithm taken, every map is brought to the input's size
before anything is made of it, and LOVI's colours go through HSV in floating point. No smoe_ros in
it, so that agreement means something. One deviation from the authors' code: its incomplete gamma
function, cut off after 8 terms, is exact here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-7
_NEWTON_STEPS = 10


@dataclass(frozen=True)
class TextbookExplanation:
    """What a network looked at in one frame, over S scales.

    Attributes:
        saliency: Fused saliency, shape (H, W), in [0, 1].
        scale_maps: Each scale's map, finest first, shape (S, H, W), in [0, 1].
        contributions: Share of each scale in the saliency's pattern, shape (S,).
        lovi: RGB picture, shape (H, W, 3), uint8.
        logits: The network's output, shape (1, K).
    """

    saliency: Tensor
    scale_maps: Tensor
    contributions: Tensor
    lovi: Tensor
    logits: Tensor


class Textbook:
    """Explains one frame at a time; its hooks stay in the network until `close`."""

    def __init__(
        self,
        model: nn.Module,
        points: Sequence[tuple[str, int]],
        normalization: str = 'gaussian_cdf',
    ) -> None:
        """Hook the activations.

        Args:
            model: The network, in evaluation mode.
            points: Module path and call number (from 0) of each scale's activation, finest first.
            normalization: ``'gaussian_cdf'`` or ``'gamma_cdf'``.
        """
        self._model = model
        self._points = list(points)
        self._normalize = NORMALIZATIONS[normalization]
        self._activations: dict[tuple[str, int], Tensor] = {}
        self._counts: Counter[str] = Counter()
        self._handles = [
            model.get_submodule(layer).register_forward_hook(self._hook(layer))
            for layer in dict.fromkeys(layer for layer, _ in points)
        ]

    def __call__(self, batch: Tensor) -> TextbookExplanation:
        """Explain one frame: its input, shape (1, 3, H, W), normalised for the network."""
        self._counts.clear()
        with torch.no_grad():
            logits = self._model(batch)
            size = (batch.shape[-2], batch.shape[-1])
            maps = []
            for point in self._points:
                normalized = self._normalize(smoe_scale(self._activations[point]))
                maps.append(upsample(normalized, size)[0])
            self._activations.clear()
            scale_maps = torch.stack(maps)
            saliency = weighted_mean(scale_maps, [1.0] * len(maps))
            shares = contributions(scale_maps, saliency, [1.0] * len(maps))
            return TextbookExplanation(saliency, scale_maps, shares, lovi(scale_maps), logits)

    def close(self) -> None:
        """Take the hooks out of the network."""
        for handle in self._handles:
            handle.remove()

    def _hook(self, layer: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            point = (layer, self._counts[layer])
            self._counts[layer] += 1
            if point in self._points:
                # Without a copy the next activation in place would rewrite it.
                self._activations[point] = output.clone()

        return keep


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


def gamma_cdf(raw_map: Tensor) -> Tensor:
    """P(k, x/θ), x = φ − min + 1e-7, Gamma(k, θ) by maximum likelihood over each map, (B, H, W).

    Ten Newton steps from the closed approximation of k.
    """
    x = raw_map - torch.amin(raw_map, dim=(1, 2), keepdim=True) + EPSILON
    mean = torch.mean(x, dim=(1, 2), keepdim=True)
    s = torch.log(mean) - torch.mean(torch.log(x), dim=(1, 2), keepdim=True)
    k = (3.0 - s + torch.sqrt((s - 3.0) ** 2 + 24.0 * s)) / (12.0 * s)
    for _ in range(_NEWTON_STEPS):
        slope = 1.0 / k - torch.polygamma(1, k)
        k = k - (torch.log(k) - torch.digamma(k) - s) / slope
    theta = mean / k
    return torch.special.gammainc(k.expand_as(x), x / theta)


NORMALIZATIONS = {'gaussian_cdf': gaussian_cdf, 'gamma_cdf': gamma_cdf}


def upsample(scale_map: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps bilinearly: (B, h, w) -> (B, H, W)."""
    image = scale_map.unsqueeze(1)
    return F.interpolate(image, size=size, mode='bilinear', align_corners=False).squeeze(1)


def weighted_mean(scale_maps: Tensor, weights: Sequence[float]) -> Tensor:
    """S = Σ wᵢ Mᵢ / Σ wᵢ: (S, H, W) -> (H, W)."""
    total = torch.zeros_like(scale_maps[0])
    for weight, scale_map in zip(weights, scale_maps, strict=True):
        total = total + weight * scale_map
    return total / sum(weights)


def contributions(scale_maps: Tensor, saliency: Tensor, weights: Sequence[float]) -> Tensor:
    """wᵢ/Σw · Cov(Mᵢ, S) / Var(S) over all pixels: (S, H, W) and (H, W) -> (S,)."""
    deviation = saliency - torch.mean(saliency)
    variance = torch.mean(deviation * deviation)
    shares = []
    for weight, scale_map in zip(weights, scale_maps, strict=True):
        covariance = torch.mean((scale_map - torch.mean(scale_map)) * deviation)
        shares.append(weight / sum(weights) * covariance / variance)
    return torch.stack(shares)


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
    rgb = hsv_to_rgb(hue, saturation, value)
    return torch.round(255.0 * rgb).to(torch.uint8)


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Hue in degrees 0..360, saturation and value in 0..1, (H, W) each -> (H, W, 3) in 0..1."""
    sextant = torch.floor(hue / 60.0)
    fraction = hue / 60.0 - sextant
    low = value * (1.0 - saturation)
    falling = value * (1.0 - saturation * fraction)
    rising = value * (1.0 - saturation * (1.0 - fraction))
    corners = (
        (value, rising, low),
        (falling, value, low),
        (low, value, rising),
        (low, falling, value),
        (rising, low, value),
        (value, low, falling),
    )
    rgb = torch.zeros(*hue.shape, 3)
    for number, corner in enumerate(corners):
        chosen = (sextant.long() % 6 == number).unsqueeze(-1)
        rgb = torch.where(chosen, torch.stack(corner, dim=-1), rgb)
    return rgb
