# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One measurement each: a method on a picture, or on a film."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smoe_ros.evaluation.agreement import gini, spearman, structural_similarity
from smoe_ros.evaluation.baselines import sobel_edges
from smoe_ros.evaluation.localisation import energy_in_boxes, points_into_boxes
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.network import Network, Question
from smoe_ros.evaluation.perturbation import area_under_curve, deletion_curve, insertion_curve
from smoe_ros.evaluation.randomisation import cascade
from smoe_ros.evaluation.road import road
from smoe_ros.evaluation.sensitivity import max_sensitivity
from smoe_ros.evaluation.stability import Motion, contribution_change, grey, motion_between
from smoe_ros.explainer import Explainer
from smoe_ros.preprocessing import Rgb

Array: TypeAlias = NDArray[np.floating]

# Pairs of frames that share fewer pixels than this are a cut, not a motion.
_LEAST_FOLLOWED = 0.3


def rounded(value: float) -> float:
    """Return a figure with the digits that are worth keeping."""
    return float(f'{value:.6g}')


def faithfulness(
    network: Network, question: Question, method: MapMethod, steps: int
) -> dict[str, Any]:
    """Delete and insert pixels in the order of a method's map, and look where the map lies.

    Returns:
        ``deletion`` and ``insertion`` (areas under the curves), their ``difference`` (insertion
        − deletion), ``gini``, the curves; ``energy`` and ``pointing`` where boxes are known.
    """
    saliency = _map_of(method, question)
    deletion = deletion_curve(network.classify, question.image, saliency, question.label, steps)
    insertion = insertion_curve(network.classify, question.image, saliency, question.label, steps)
    deleted, inserted = area_under_curve(deletion), area_under_curve(insertion)
    values: dict[str, Any] = {
        'deletion': rounded(deleted),
        'insertion': rounded(inserted),
        'difference': rounded(inserted - deleted),
        'gini': rounded(gini(saliency)),
    }
    if question.boxes:
        values['energy'] = rounded(energy_in_boxes(saliency, question.boxes))
        values['pointing'] = float(points_into_boxes(saliency, question.boxes))
    values['deletion_curve'] = [rounded(value) for value in deletion]
    values['insertion_curve'] = [rounded(value) for value in insertion]
    return values


def removal(network: Network, question: Question, method: MapMethod, seed: int) -> dict[str, Any]:
    """Remove salient pixels, and the others, without leaving holes: ROAD."""
    saliency = _map_of(method, question)
    value = road(network.classify, question.image, saliency, question.label, seed=seed)
    return {'road': rounded(value)}


def sensitivity(question: Question, method: MapMethod, samples: int, seed: int) -> dict[str, Any]:
    """Measure how far a method's map moves when noise is added that nobody sees."""
    labels = torch.tensor([question.label], device=question.image.device)

    def explain(batch: Tensor) -> Tensor:
        return method.explain(batch, labels.expand(len(batch)))

    value = max_sensitivity(explain, question.image, samples=samples, seed=seed)
    return {'max_sensitivity': rounded(value) if np.isfinite(value) else None}


class FollowedFilm:
    """Consecutive frames, what moves between them, and what the network calls them."""

    def __init__(self, name: str, frames: Sequence[Rgb], network: Network) -> None:
        """Follow the motion.

        Args:
            name: Name of the film.
            frames: Consecutive frames, shape (h, w, 3), uint8.
            network: Makes inputs of them; everything is measured in the input's pixels.
        """
        self.name = name
        self._inputs = [network.prepare(frame) for frame in frames]
        # The class of the first frame for all: a change of the top class is no jitter of the map.
        self._label = int(network.classify(self._inputs[0][None])[0].argmax())
        size = self._inputs[0].shape[2], self._inputs[0].shape[1]
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
        return self._stability(self._greys)

    def stability(self, method: MapMethod) -> dict[str, Any]:
        """Measure how a method's map changes from frame to frame.

        Returns:
            Means over the pairs: ``correlation`` (Spearman), ``flow_error`` (of maps 0..1, after
            the motion is undone), ``peak_jitter`` (pixels of the input, likewise).
        """
        return self._stability(self._maps(method))

    def averaged_stability(self, method: MapMethod, share: float) -> dict[str, Any]:
        """Measure what an exponential average over time would bring, and what it would cost.

        Args:
            method: Makes the maps.
            share: Share of the newest map in the average, 0..1.

        Returns:
            As `stability`; and ``likeness``, the Spearman correlation of the averaged map with
            that of its own frame: what is lost is the lag.
        """
        maps = self._maps(method)
        averages = [maps[0]]
        for one in maps[1:]:
            averages.append(share * one + (1 - share) * averages[-1])
        likeness = [spearman(a, b) for a, b in zip(averages[1:], maps[1:], strict=True)]
        return self._stability(averages) | {'likeness': _mean(likeness)}

    def contribution_changes(self, explainer: Explainer) -> dict[str, Any]:
        """Measure how much the scales' contributions change from frame to frame, L1."""
        vectors = [explainer(image[None]).contributions[0].cpu().numpy() for image in self._inputs]
        changes = [
            contribution_change(vectors[number], vectors[number + 1]) for number, _ in self.pairs
        ]
        return {'contribution_change': _mean(changes)}

    def _maps(self, method: MapMethod) -> list[Array]:
        """Return a method's map of every frame, from 0 to 1."""
        label = torch.tensor([self._label], device=self._inputs[0].device)
        maps = [method.explain(image[None], label)[0].cpu().numpy() for image in self._inputs]
        return [_stretched(one) for one in maps]

    def _stability(self, maps: Sequence[Array]) -> dict[str, Any]:
        pairs = [(motion, maps[number], maps[number + 1]) for number, motion in self.pairs]
        return {
            'correlation': _mean([spearman(a, b) for _, a, b in pairs]),
            'flow_error': _mean([motion.flow_error(a, b) for motion, a, b in pairs]),
            'peak_jitter': _mean([motion.peak_jitter(a, b) for motion, a, b in pairs]),
        }


def randomisation(
    network: Network, questions: Sequence[Question], steps: int, seed: int
) -> dict[str, Any]:
    """Randomise the network from the top, and see what remains of each scale's map.

    Returns:
        ``steps``: for each the ``layer`` down to which weights are random, and the ``spearman``
        and ``ssim`` of every scale's map, finest first, and last of the fused saliency, with what
        they were; means over the pictures.
    """
    images = torch.stack([question.image for question in questions])
    original = _maps_by_scale(network.explainer, images)
    names = [f'{scale.layer}#{scale.call}' for scale in network.explainer.scales]
    result = []
    for layer, model in cascade(network.model, images, steps=steps, seed=seed):
        with Explainer(
            model,
            names,
            network.explainer.method.scale_weights,
            network.explainer.method.statistic,
            network.explainer.method.normalization,
            input_size=(images.shape[2], images.shape[3]),
        ) as explainer:
            now = _maps_by_scale(explainer, images)
        likeness = {'spearman': spearman, 'ssim': structural_similarity}
        result.append(
            {'layer': layer}
            | {
                name: [
                    _mean([compare(a, b) for a, b in zip(before, after, strict=True)])
                    for before, after in zip(original, now, strict=True)
                ]
                for name, compare in likeness.items()
            }
        )
    return {'scales': names, 'steps': result}


def edge_likeness(network: Network, questions: Sequence[Question]) -> dict[str, Any]:
    """Measure how much of each scale's map could be had without a network, from edges alone.

    Returns:
        ``spearman``: correlation of each scale's map, finest first, and last of the fused
        saliency, with the strength of Sobel's edges; means over the pictures.
    """
    likeness = []
    for question in questions:
        batch = question.image[None]
        edges = sobel_edges(batch, torch.zeros(1))[0].cpu().numpy()
        maps = _maps_by_scale(network.explainer, batch)
        likeness.append([spearman(one[0], edges) for one in maps])
    return {'spearman': [rounded(value) for value in np.mean(likeness, axis=0).tolist()]}


def _maps_by_scale(explainer: Explainer, images: Tensor) -> list[Array]:
    """Return each scale's maps (B, H, W), finest first, and last the fused ones."""
    seen = explainer(images)
    maps = [*seen.scale_maps.unbind(dim=1), seen.saliency]
    return [one.cpu().numpy() for one in maps]


def _map_of(method: MapMethod, question: Question) -> Array:
    label = torch.tensor([question.label], device=question.image.device)
    return method.explain(question.image[None], label)[0].cpu().numpy()


def _stretched(
    saliency: Array,
) -> Array:
    """Bring a map to 0..1, so that methods of different units can be compared."""
    low, high = float(saliency.min()), float(saliency.max())
    return (saliency - low) / max(high - low, 1e-9)


def _mean(values: Sequence[float]) -> float | None:
    return rounded(float(np.mean(values))) if values else None
