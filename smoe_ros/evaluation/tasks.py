# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One measurement each: a method on a picture, or the network on some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smoe_ros.evaluation.agreement import gini, spearman, structural_similarity
from smoe_ros.evaluation.arrays import Array, mean_of, rounded
from smoe_ros.evaluation.baselines import sobel_edges
from smoe_ros.evaluation.evaluated_network import Network, Question
from smoe_ros.evaluation.localisation import energy_in_boxes, points_into_boxes
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.perturbation import area_under_curve, deletion_curve, insertion_curve
from smoe_ros.evaluation.randomisation import cascade
from smoe_ros.evaluation.road import road
from smoe_ros.evaluation.sensitivity import max_sensitivity
from smoe_ros.explainer import Explainer


def faithfulness(
    network: Network, question: Question, method: MapMethod, steps: int
) -> dict[str, Any]:
    """Delete and insert pixels in the order of a method's map, and look where the map lies.

    Returns:
        ``deletion`` and ``insertion`` (areas under the curves), their ``difference`` (insertion
        − deletion), ``gini``, the curves; ``energy`` and ``pointing`` where boxes are known.
    """
    saliency = method.of(question.image, question.label)
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
    saliency = method.of(question.image, question.label)
    value = road(network.classify, question.image, saliency, question.label, seed=seed)
    return {'road': rounded(value)}


def sensitivity(question: Question, method: MapMethod, samples: int, seed: int) -> dict[str, Any]:
    """Measure how far a method's map moves when noise is added that nobody sees."""
    labels = torch.tensor([question.label], device=question.image.device)

    def explain(batch: Tensor) -> Tensor:
        return method.explain(batch, labels.expand(len(batch)))

    value = max_sensitivity(explain, question.image, samples=samples, seed=seed)
    return {'max_sensitivity': rounded(value) if np.isfinite(value) else None}


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
                    mean_of([compare(a, b) for a, b in zip(before, after, strict=True)])
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
        edges = sobel_edges(question.image.cpu().numpy())
        maps = _maps_by_scale(network.explainer, question.image[None])
        likeness.append([spearman(one[0], edges) for one in maps])
    return {'spearman': [rounded(value) for value in np.mean(likeness, axis=0).tolist()]}


def _maps_by_scale(explainer: Explainer, images: Tensor) -> list[Array]:
    """Return each scale's maps (B, H, W), finest first, and last the fused ones."""
    seen = explainer(images)
    maps = [*seen.scale_maps.unbind(dim=1), seen.saliency]
    return [one.cpu().numpy() for one in maps]
