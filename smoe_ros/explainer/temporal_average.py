# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera's explanations averaged over time."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.saliency import fuse_scales, most_salient_point
from smoe_ros.saliency.methods import MethodOptions


class _Past(NamedTuple):
    """The average up to a frame, when that came, and how it was explained."""

    shown: FrameExplanation
    method: MethodOptions
    nanoseconds: int | None


class TemporalAverage:
    """Averages the maps of one camera exponentially: M̄ ← a M̄ + (1 − a) M, a = exp(−Δt / τ).

    Δt is the time between two stamps, so that the average does not depend on how many frames are
    dropped. It begins anew where the maps have another size or come from other scales or another
    method, where time goes back, and after a frame without a stamp.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._past: _Past | None = None

    def add(
        self,
        explanation: FrameExplanation,
        method: MethodOptions,
        nanoseconds: int | None,
        time_constant: float,
    ) -> FrameExplanation:
        """Return a frame's explanation with averaged maps.

        The scale maps and the class activation are averaged; saliency, contributions and peaks are
        those of the averages. Information, class and probability stay the frame's own.

        Args:
            explanation: Of the frame.
            method: How it was explained.
            nanoseconds: Stamp of the frame, None if it has none.
            time_constant: τ in seconds: what is older weighs less than 1/e = 37 %. 0 averages
                nothing.
        """
        if not time_constant:
            self._past = None
            return explanation
        now = _Past(explanation, method, nanoseconds)
        weight = 0.0 if self._past is None else _weight(self._past, now, time_constant)
        if self._past is not None and weight > 0:
            explanation = _averaged(explanation, self._past.shown, method, weight)
        self._past = now._replace(shown=explanation)
        return explanation


def _weight(past: _Past, now: _Past, time_constant: float) -> float:
    """Return the weight of the past in the average up to now, 0 where that begins anew."""
    if past.nanoseconds is None or now.nanoseconds is None:
        return 0.0
    passed = (now.nanoseconds - past.nanoseconds) * 1e-9
    alike = (now.method, now.shown.scales) == (past.method, past.shown.scales)
    if not alike or now.shown.scale_maps.shape != past.shown.scale_maps.shape or passed <= 0:
        return 0.0
    return math.exp(-passed / time_constant)


def _averaged(
    explanation: FrameExplanation, past: FrameExplanation, method: MethodOptions, weight: float
) -> FrameExplanation:
    maps = _mixed(explanation.scale_maps, past.scale_maps, weight)
    tensor = torch.from_numpy(maps)
    size = (maps.shape[1], maps.shape[2])
    fused = fuse_scales([one[None] for one in tensor], size, method.scale_weights)
    saliency = fused.saliency[0].numpy()
    cam, rest = None, None
    if explanation.class_activation is not None and past.class_activation is not None:
        cam = _mixed(explanation.class_activation, past.class_activation, weight)
        saliency, rest = saliency * cam, saliency * (1 - cam)
    return replace(
        explanation,
        saliency=saliency,
        scale_maps=maps,
        contributions=fused.contributions[0].numpy(),
        peak=most_salient_point(torch.from_numpy(saliency)[None])[0].numpy(),
        scale_peaks=most_salient_point(tensor).numpy(),
        class_activation=cam,
        rest=rest,
    )


def _mixed(
    now: NDArray[np.float32], past: NDArray[np.float32], weight: float
) -> NDArray[np.float32]:
    """Return weight · past + (1 − weight) · now."""
    mixed = past - now
    mixed *= np.float32(weight)
    mixed += now
    return mixed
