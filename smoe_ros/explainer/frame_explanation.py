# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One frame's explanation, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from smoe_ros.explainer.explanation import Explanation
from smoe_ros.saliency import most_salient_point
from smoe_ros.scales import Scale


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


def frame_explanations(
    explanation: Explanation, scales: tuple[Scale, ...]
) -> list[FrameExplanation]:
    """Take a batch's explanation apart, to one a frame.

    The scales are finest first, with their sizes in this batch.
    """
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
    arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items() if tensor is not None}
    count = len(explanation.saliency)
    classes = top_classes(explanation.logits, count)
    return [
        FrameExplanation(
            **{name: array[i] for name, array in arrays.items()},
            scales=scales,
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


def rescaled_points(
    points: NDArray[Any], size: ArrayLike, new_size: ArrayLike
) -> NDArray[np.float64]:
    """Convert points to pixels of an image of another size, centre to centre.

    Args:
        points: x and y, shape (..., 2); the centre of the top left pixel is 0, 0.
        size: Height and width of the image they are in, shape (2,) or (..., 2).
        new_size: Height and width of the other, likewise.

    Returns:
        x and y there, shape (..., 2).
    """
    ratio = np.divide(new_size, size)[..., ::-1]
    return (points + 0.5) * ratio - 0.5
