# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A batch's explanation, and how it is made of what one forward pass gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from smoe_ros.engines import ForwardPass
from smoe_ros.errors import FrameError
from smoe_ros.saliency import feature_vectors, fuse_scales, min_max, most_salient_point
from smoe_ros.saliency.fusion import resize
from smoe_ros.saliency.methods import NORMALIZATIONS, MethodOptions
from smoe_ros.scales import Scale


@dataclass(frozen=True)
class Explanation:
    """What a network looked at in a batch of B frames, over S scales.

    Attributes:
        saliency: Fused saliency at the input's size, shape (B, H, W), in [0, 1]. With a class
            activation it is the class map: the fused saliency S times the class activation.
        scale_maps: Map of each scale at the input's size, shape (B, S, H, W), in [0, 1].
        contributions: Share of each scale in the pattern of S, shape (B, S), sums to 1.
        information: Spatial mean of each scale's raw statistic, shape (B, S).
        logits: The network's output, shape (B, K); None if it is not one tensor (B, K).
        class_activation: Where the class is seen at the input's size, shape (B, H, W), in
            [0, 1]; None without a class activation.
        rest: The rest of the scene, S · (1 − class activation), shape (B, H, W); None without.
        classes: Class that each frame's class activation is of, shape (B,); None without.
        vectors: One a scale, shape (B, C): the activation at the most salient point of
            `saliency`; empty unless asked for.
    """

    saliency: Tensor
    scale_maps: Tensor
    contributions: Tensor
    information: Tensor
    logits: Tensor | None
    class_activation: Tensor | None = None
    rest: Tensor | None = None
    classes: Tensor | None = None
    vectors: tuple[Tensor, ...] = ()


def explanation_of(
    seen: ForwardPass, scales: Sequence[Scale], method: MethodOptions, size: tuple[int, int]
) -> Explanation:
    """Normalise and fuse what one forward pass gave, at height and width of the network's input.

    Raises:
        FrameError: If an activation or a logit is not finite.
    """
    means = [one.mean(dim=(1, 2), dtype=torch.float64) for one in seen.raw_maps]
    information = torch.stack(means, dim=1)
    logits = None if seen.logits is None else seen.logits.float()
    _check_finite(information, logits, scales)
    normalize = NORMALIZATIONS[method.normalization]
    fused = fuse_scales([normalize(m) for m in seen.raw_maps], size, method.scale_weights)
    saliency, cam, rest = fused.saliency, None, None
    if seen.class_activation is not None:
        cam = min_max(resize(seen.class_activation, size))
        saliency, rest = fused.saliency * cam, fused.saliency * (1 - cam)
    vectors: tuple[Tensor, ...] = ()
    if seen.activations:
        points = most_salient_point(saliency)
        vectors = tuple(feature_vectors(kept, points, size) for kept in seen.activations)
    return Explanation(
        saliency,
        fused.scale_maps,
        fused.contributions,
        information.float(),
        logits,
        cam,
        rest,
        seen.classes,
        vectors,
    )


def _check_finite(information: Tensor, logits: Tensor | None, scales: Sequence[Scale]) -> None:
    finite = information.isfinite()
    if not finite.all():
        frame, scale = (~finite).nonzero()[0].tolist()
        raise FrameError(
            f"frame {frame} of the batch: activation of '{scales[scale].layer}' has NaN or "
            'infinite values; check the frame and the weights'
        )
    if logits is not None and not logits.isfinite().all():
        frame = int((~logits.isfinite()).any(dim=1).nonzero()[0])
        raise FrameError(
            f"frame {frame} of the batch: the network's output has NaN or infinite values; "
            'check the weights'
        )
