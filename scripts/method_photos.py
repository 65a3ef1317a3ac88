# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The photos of docs/method.md, as EfficientNet-Lite0 with its ImageNet weights sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import skimage.data
import torch

from smoe_ros.backbones import load_backbone
from smoe_ros.engines import EagerEngine
from smoe_ros.explainer import Explainer, Explanation
from smoe_ros.images import Rgb
from smoe_ros.saliency.methods import MethodOptions
from smoe_ros.scales import Scale

PHOTOS = ('chelsea', 'coffee', 'rocket')
NOISE = 'white noise'


@dataclass(frozen=True)
class Photo:
    """A photo and its explanation.

    Attributes:
        name: Its name in skimage.data.
        rgb: Its pixels, shape (H, W, 3), uint8.
        label: The class that the network takes it for, and how surely.
        scales: The network's scales, finest first.
        explanation: Of a batch of this photo alone.
        raw_maps: SMOE Scale of each scale, finest first, shape (1, h, w) each.
        activations: What it was taken of, shape (1, C, h, w) each.
    """

    name: str
    rgb: Rgb
    label: str
    scales: tuple[Scale, ...]
    explanation: Explanation
    raw_maps: list[torch.Tensor]
    activations: list[torch.Tensor]

    @property
    def aspect(self) -> float:
        """Height over width."""
        return self.rgb.shape[0] / self.rgb.shape[1]


def explained_photos(names: Sequence[str] = PHOTOS, **options: str) -> list[Photo]:
    """Explain photos.

    Args:
        names: Names in skimage.data, or ``NOISE``.
        options: Of `Explainer`.
    """
    backbone = load_backbone()
    photos = []
    with Explainer(backbone.model, **options) as explainer:
        for name in names:
            rgb = _pixels(name)
            batch = backbone.preprocess(rgb)[None]
            explanation = explainer(batch)
            chance, index = explanation.logits[0].softmax(dim=0).max(dim=0)
            engine = EagerEngine(backbone.model, explainer.scales)
            seen = engine.forward(batch, MethodOptions(), keep_activations=True)
            photos.append(
                Photo(
                    name,
                    rgb,
                    f'{backbone.labels[index]}\n{chance:.0%}',
                    explainer.scales,
                    explanation,
                    seen.raw_maps,
                    seen.activations,
                )
            )
    return photos


def _pixels(name: str) -> Rgb:
    if name == NOISE:
        return np.random.default_rng(0).integers(0, 256, (300, 450, 3), np.uint8)
    return getattr(skimage.data, name)()
