# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From camera frames to their explanations: one network for all cameras."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smoe_ros.backbones import Backbone, load_backbone
from smoe_ros.errors import FrameError
from smoe_ros.explainer import Explainer, Explanation
from smoe_ros.preprocessing import Rgb
from smoe_ros.saliency import most_salient_point
from smoe_ros.scales import Scale
from smoe_ros.settings import Settings, resolve_device


@dataclass(frozen=True)
class FrameExplanation:
    """One frame's explanation, as arrays.

    Attributes:
        saliency: Fused saliency, shape (h, w), float32, in [0, 1]; with a class activation the
            class map, S · class activation.
        scale_maps: Map of each scale, finest first, shape (S, h, w), float32, in [0, 1].
        scales: The scales, finest first.
        contributions: One share a scale, shape (S,).
        information: Spatial mean of the raw statistic, one a scale, shape (S,).
        peak: Column and row of the saliency's highest pixel.
        scale_peaks: The same for each scale's map, shape (S, 2).
        class_id: Most probable class, -1 if the network is no classifier.
        class_probability: Its softmax probability, 0 if the network is no classifier.
        class_activation: Where the class is seen, shape (h, w), in [0, 1]; None without.
        rest: The rest of the scene, S · (1 − class activation), shape (h, w); None without.
    """

    saliency: NDArray[np.float32]
    scale_maps: NDArray[np.float32]
    scales: tuple[Scale, ...]
    contributions: NDArray[np.float32]
    information: NDArray[np.float32]
    peak: NDArray[np.int64]
    scale_peaks: NDArray[np.int64]
    class_id: int
    class_probability: float
    class_activation: NDArray[np.float32] | None = None
    rest: NDArray[np.float32] | None = None

    @property
    def class_scale_maps(self) -> NDArray[np.float32]:
        """The scale maps times the class activation, shape (S, h, w); themselves without one.

        Their weighted mean is `saliency`: what pictures of it are drawn from.
        """
        if self.class_activation is None:
            return self.scale_maps
        return self.scale_maps * self.class_activation


def backbone_of(settings: Settings) -> Backbone:
    """Load the network that settings name.

    Raises:
        ConfigurationError: As for `load_backbone`.
    """
    return load_backbone(
        settings.backbone,
        settings.weights,
        allow_download=settings.allow_download,
        short_side=settings.short_side,
        mean=settings.mean,
        std=settings.std,
        labels=settings.labels,
    )


class Pipeline:
    """Explains frames of any size; those of one input size go through the network together."""

    def __init__(self, settings: Settings, backbone: Backbone | None = None) -> None:
        """Load the network and find its scales.

        Args:
            settings: How frames are explained.
            backbone: The network, if it is loaded already.

        Raises:
            ConfigurationError: If a setting cannot work; the text says which, and what would.
        """
        self.settings = settings
        self.device = resolve_device(settings.device)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.backbone = backbone or backbone_of(settings)
        self.explainer = Explainer(
            self.backbone.model.to(self.device),
            scales=settings.scales,
            scale_weights=settings.scale_weights,
            statistic=settings.statistic,
            normalization=settings.normalization,
            cam=settings.cam,
            target_class=settings.method.target_class,
            input_size=(settings.short_side, settings.short_side),
        )

    def warm_up(self, height: int, width: int) -> None:
        """Explain two blank frames of a size, so that the first real one is not slow."""
        for _ in range(2):
            self.explain([np.zeros((height, width, 3), np.uint8)])

    def explain(self, frames: Sequence[Rgb]) -> list[FrameExplanation | FrameError]:
        """Explain frames, each as if it were alone.

        Args:
            frames: RGB images, shape (H, W, 3), uint8; sizes may differ.

        Returns:
            For each frame its explanation, or why it has none.
        """
        results: list[FrameExplanation | FrameError] = [FrameError('not explained')] * len(frames)
        groups: defaultdict[tuple[int, ...], list[tuple[int, Tensor]]] = defaultdict(list)
        for index, rgb in enumerate(frames):
            try:
                batch_item = self.backbone.preprocess(rgb)
            except FrameError as error:
                results[index] = error
            else:
                groups[tuple(batch_item.shape)].append((index, batch_item))
        for group in groups.values():
            explained = self._explain_group([batch_item for _, batch_item in group])
            for (index, _), result in zip(group, explained, strict=True):
                results[index] = result
        return results

    def close(self) -> None:
        """Let go of the network."""
        self.explainer.close()

    def _explain_group(self, items: list[Tensor]) -> list[FrameExplanation | FrameError]:
        try:
            return list(self._split(self.explainer(torch.stack(items))))
        except FrameError as error:
            if len(items) == 1:
                return [error]
            # One bad frame must not cost the other cameras theirs.
            return [result for item in items for result in self._explain_group([item])]

    def _split(self, explanation: Explanation) -> list[FrameExplanation]:
        tensors = {
            'saliency': explanation.saliency,
            'scale_maps': explanation.scale_maps,
            'contributions': explanation.contributions,
            'information': explanation.information,
            'peak': most_salient_point(explanation.saliency),
            'scale_peaks': most_salient_point(explanation.scale_maps),
            'class_activation': explanation.class_activation,
            'rest': explanation.rest,
        }
        arrays = {
            name: tensor.cpu().numpy() for name, tensor in tensors.items() if tensor is not None
        }
        count = len(explanation.saliency)
        classes = top_classes(explanation.logits, count)
        return [
            FrameExplanation(
                **{name: array[i] for name, array in arrays.items()},
                scales=self.explainer.scales,
                class_id=classes[i][0],
                class_probability=classes[i][1],
            )
            for i in range(count)
        ]


def top_classes(logits: Tensor | None, count: int) -> list[tuple[int, float]]:
    """Return most probable class and its softmax probability of each frame.

    Args:
        logits: The network's output, shape (B, K), or None.
        count: Number of frames.

    Returns:
        One pair a frame; (-1, 0.0) without logits.
    """
    if logits is None:
        return [(-1, 0.0)] * count
    probabilities, classes = logits.float().softmax(dim=1).max(dim=1)
    return list(zip(classes.tolist(), probabilities.tolist(), strict=True))
