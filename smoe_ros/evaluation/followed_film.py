# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A film to measure on: its frames, its motion, and how maps change along it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2

from smoe_ros.evaluation.agreement import spearman
from smoe_ros.evaluation.arrays import Array, mean_of, stretched
from smoe_ros.evaluation.evaluated_network import Network
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.stability import Motion, contribution_change, grey, motion_between
from smoe_ros.explainer import Explainer
from smoe_ros.images import Rgb

# Pairs of frames that share fewer pixels than this are a cut, not a motion.
_LEAST_FOLLOWED = 0.3


class FollowedFilm:
    """Consecutive frames, what moves between them, and what the network calls them.

    Attributes:
        rate: Frames a second.
        inputs: The frames as the network gets them, shape (3, H, W) each.
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
        seen = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
        self._greys = [grey(frame) for frame in seen]
        self._motions = [motion_between(a, b) for a, b in pairwise(seen)]

    @property
    def pairs(self) -> list[tuple[int, Motion]]:
        """Number and motion of each pair of frames between which there is no cut."""
        return [
            (number, motion)
            for number, motion in enumerate(self._motions)
            if motion.followed.mean() >= _LEAST_FOLLOWED
        ]

    def input_stability(self) -> dict[str, Any]:
        """Measure the film itself: what any method that follows the picture has to show."""
        return self.stability_of(self._greys)

    def stability(self, method: MapMethod) -> dict[str, Any]:
        """Measure how a method's map changes from frame to frame.

        Returns:
            Means over the pairs: ``correlation`` (Spearman), ``flow_error`` (of maps 0..1, after
            the motion is undone), ``peak_jitter`` (pixels of the input, likewise).
        """
        return self.stability_of(
            [stretched(method.of(image, self._label)) for image in self.inputs]
        )

    def contribution_changes(self, explainer: Explainer) -> dict[str, Any]:
        """Measure how much the scales' contributions change from frame to frame, L1."""
        vectors = [explainer(image[None]).contributions[0].cpu().numpy() for image in self.inputs]
        return {'contribution_change': self.change_of(vectors)}

    def change_of(self, contributions: Sequence[Array]) -> float | None:
        """Return how much contributions, shape (S,) of every frame, change in the mean, L1."""
        return mean_of(
            [contribution_change(contributions[n], contributions[n + 1]) for n, _ in self.pairs]
        )

    def stability_of(self, maps: Sequence[Array]) -> dict[str, Any]:
        """Measure how a map of every frame, from 0 to 1, changes; see `stability`."""
        alike = [spearman(maps[number], maps[number + 1]) for number, _ in self.pairs]
        return {'correlation': mean_of(alike)} | self.unsteadiness_of(maps)

    def unsteadiness_of(self, maps: Sequence[Array]) -> dict[str, Any]:
        """Measure ``flow_error`` and ``peak_jitter`` of a map of every frame; see `stability`."""
        pairs = [(motion, maps[number], maps[number + 1]) for number, motion in self.pairs]
        return {
            'flow_error': mean_of([motion.flow_error(a, b) for motion, a, b in pairs]),
            'peak_jitter': mean_of([motion.peak_jitter(a, b) for motion, a, b in pairs]),
        }
