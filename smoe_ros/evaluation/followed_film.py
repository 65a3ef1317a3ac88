# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How maps change along a film: beside its own motion, and averaged over time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from smoe_ros.evaluation.evaluated_network import Network
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.metrics.agreement import Array, spearman, stretched
from smoe_ros.evaluation.metrics.intervals import mean_of
from smoe_ros.evaluation.metrics.stability import motion_between
from smoe_ros.explainer import Explainer
from smoe_ros.explainer.frame_explanation import FrameExplanation, frame_explanations
from smoe_ros.explainer.temporal_average import TemporalAverage
from smoe_ros.images import Rgb

TIME_CONSTANTS = (0.0, 0.1, 0.3, 1.0)
"""Of averages over time, in seconds; 0 is no average."""
ALIKE = 0.9
"""Spearman correlation with the map of its own frame from which on an average has followed."""
# Of so many frames one is compared with its average: ranks of all pixels take long.
_EVERY = 5
_LONGEST_LAG = 10.0
# Pairs of frames that share fewer pixels than this are a cut, not a motion.
_LEAST_FOLLOWED = 0.3


class FollowedFilm:
    """Consecutive frames, what moves between them, and what the network calls them.

    Attributes:
        rate: Frames a second.
        inputs: The frames as the network gets them, shape (3, H, W) each.
        pairs: Number of each frame and motion to the next, where there is no cut between them.
    """

    def __init__(self, frames: Sequence[Rgb], rate: float, network: Network) -> None:
        """Follow the motion.

        Args:
            frames: Consecutive frames, shape (h, w, 3), uint8.
            rate: Frames a second.
            network: Makes inputs of them; everything is measured in the input's pixels.
        """
        self.rate = rate
        self.inputs = [network.prepare(frame) for frame in frames]
        # The class of the first frame for all: a change of the top class is no jitter of the map.
        self._label = int(network.classify(self.inputs[0][None])[0].argmax())
        size = self.inputs[0].shape[2], self.inputs[0].shape[1]
        self._seen = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
        motions = enumerate(motion_between(a, b) for a, b in pairwise(self._seen))
        self.pairs = [
            (number, motion)
            for number, motion in motions
            if motion.followed.mean() >= _LEAST_FOLLOWED
        ]

    def input_stability(self) -> dict[str, Any]:
        """Measure the brightness, 0..1: what any method that follows the picture has to show."""
        greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in self._seen]
        return self._stability_of([grey.astype(np.float32) / 255 for grey in greys])

    def stability(self, method: MapMethod) -> dict[str, Any]:
        """Measure how a method's map changes from frame to frame.

        Returns:
            Means over the pairs: ``correlation`` (Spearman), ``flow_error`` (of maps 0..1, after
            the motion is undone), ``peak_jitter`` (pixels of the input, likewise).
        """
        maps = [stretched(method.of(image, self._label)) for image in self.inputs]
        return self._stability_of(maps)

    def contribution_changes(self, explainer: Explainer) -> dict[str, Any]:
        """Measure how much the scales' contributions change from frame to frame."""
        seen = [_explained(explainer, image).contributions for image in self.inputs]
        return {'contribution_change': self._change_of(seen)}

    def smoothing(self, explainer: Explainer) -> dict[str, Any]:
        """Measure what averages with several time constants bring, and what they cost.

        After the film comes a cut, to a picture that stands still: the last frame's mirror image.

        Returns:
            ``averages``, for each of `TIME_CONSTANTS`: the ``time_constant`` in seconds;
            ``flow_error`` and ``peak_jitter`` as in `stability`; ``contribution_change``;
            ``likeness``, the Spearman correlation with the map of its own frame; ``lag``, seconds
            from the cut until that is `ALIKE`; ``ms``, time to average a frame.
        """
        return {'averages': [self._averaged(explainer, seconds) for seconds in TIME_CONSTANTS]}

    def _averaged(self, explainer: Explainer, time_constant: float) -> dict[str, Any]:
        average = TemporalAverage()
        maps: list[Array] = []
        contributions: list[Array] = []
        likeness: list[float] = []
        milliseconds: list[float] = []

        def add(own: FrameExplanation, number: int) -> FrameExplanation:
            stamp = round(1e9 * (number / self.rate))
            begin = time.perf_counter()
            shown = average.add(own, explainer.method, stamp, time_constant)
            milliseconds.append(1e3 * (time.perf_counter() - begin))
            return shown

        for number, image in enumerate(self.inputs):
            own = _explained(explainer, image)
            shown = add(own, number)
            maps.append(stretched(shown.saliency))
            contributions.append(shown.contributions)
            if number % _EVERY == _EVERY - 1:
                likeness.append(spearman(shown.saliency, own.saliency))
        still = _explained(explainer, self.inputs[-1].flip(-1))
        lags = (
            number / self.rate
            for number in range(round(_LONGEST_LAG * self.rate))
            if spearman(add(still, len(maps) + number).saliency, still.saliency) >= ALIKE
        )
        return {
            'time_constant': time_constant,
            **self._unsteadiness_of(maps),
            'contribution_change': self._change_of(contributions),
            'likeness': mean_of(likeness),
            'lag': next(lags, None),
            'ms': median(milliseconds),
        }

    def _stability_of(self, maps: Sequence[Array]) -> dict[str, Any]:
        alike = [spearman(maps[number], maps[number + 1]) for number, _ in self.pairs]
        return {'correlation': mean_of(alike)} | self._unsteadiness_of(maps)

    def _unsteadiness_of(self, maps: Sequence[Array]) -> dict[str, Any]:
        errors = [motion.flow_error(maps[n], maps[n + 1]) for n, motion in self.pairs]
        jitters = [motion.peak_jitter(maps[n], maps[n + 1]) for n, motion in self.pairs]
        return {'flow_error': mean_of(errors), 'peak_jitter': mean_of(jitters)}

    def _change_of(self, contributions: Sequence[Array]) -> float | None:
        """Return how much contributions, shape (S,) of every frame, change in the mean, L1."""
        vectors = np.asarray(contributions, np.float64)
        return mean_of([float(np.abs(vectors[n + 1] - vectors[n]).sum()) for n, _ in self.pairs])


def _explained(explainer: Explainer, image: Tensor) -> FrameExplanation:
    (explanation,) = frame_explanations(explainer(image[None]), explainer.scales)
    return explanation
