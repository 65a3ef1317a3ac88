# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One measurement each: methods on a picture, or the network on some."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smoe_ros.evaluation.evaluated_network import Network, Question
from smoe_ros.evaluation.map_methods import MapMethod, sobel_edges
from smoe_ros.evaluation.metrics.agreement import Array, gini, spearman, structural_similarity
from smoe_ros.evaluation.metrics.intervals import mean_of
from smoe_ros.evaluation.metrics.localisation import energy_in_boxes, points_into_boxes
from smoe_ros.evaluation.metrics.perturbation import (
    area_under_curve,
    blurred,
    perturbation_curve,
    road,
)
from smoe_ros.evaluation.metrics.randomisation import cascade
from smoe_ros.evaluation.metrics.stability import max_sensitivity
from smoe_ros.explainer import Explainer


def times(methods: Sequence[MapMethod], question: Question) -> dict[str, Any]:
    """Time every method once, in milliseconds, after a call that is not counted."""
    batch = question.image[None]
    label = torch.tensor([question.label], device=batch.device)
    milliseconds = {}
    for method in methods:
        method.explain(batch, label)
        begin = time.perf_counter()
        method.explain(batch, label).cpu()  # waits for a GPU
        milliseconds[method.name] = 1000 * (time.perf_counter() - begin)
    return {'ms': milliseconds}


def faithfulness(
    network: Network, steps: int, question: Question, method: MapMethod
) -> dict[str, Any]:
    """Delete and insert pixels in the order of a method's map, and look where the map lies.

    Returns:
        ``deletion`` and ``insertion`` (areas under the curves), their ``difference`` (insertion
        − deletion), ``gini``, the curves; ``energy`` and ``pointing`` where boxes are known.
    """
    image, label = question.image, question.label
    saliency = method.of(image, label)
    deletion, insertion = (
        perturbation_curve(network.classify, begin, end, saliency, label, steps)
        for begin, end in ((image, torch.zeros_like(image)), (blurred(image), image))
    )
    deleted, inserted = area_under_curve(deletion), area_under_curve(insertion)
    values: dict[str, Any] = {
        'deletion': deleted,
        'insertion': inserted,
        'difference': inserted - deleted,
        'gini': gini(saliency),
    }
    if question.boxes:
        values['energy'] = energy_in_boxes(saliency, question.boxes)
        values['pointing'] = float(points_into_boxes(saliency, question.boxes))
    values['deletion_curve'] = deletion.tolist()
    values['insertion_curve'] = insertion.tolist()
    return values


def removal(network: Network, seed: int, question: Question, method: MapMethod) -> dict[str, Any]:
    """Remove salient pixels, and the others, without leaving holes."""
    saliency = method.of(question.image, question.label)
    return {'road': road(network.classify, question.image, saliency, question.label, seed)}


def sensitivity(samples: int, seed: int, question: Question, method: MapMethod) -> dict[str, Any]:
    """Measure how far a method's map moves when noise is added that nobody sees."""
    explain = partial(method.of, label=question.label)
    value = max_sensitivity(explain, question.image, samples, seed)
    return {'max_sensitivity': value if math.isfinite(value) else None}


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
    original, method = _maps_by_scale(network.explainer, images), network.explainer.method
    names = [f'{scale.layer}#{scale.call}' for scale in network.explainer.scales]
    result = []
    for layer, model in cascade(network.model, images, steps, seed):
        with Explainer(
            model,
            names,
            method.scale_weights,
            method.statistic,
            method.normalization,
            input_size=(images.shape[2], images.shape[3]),
        ) as explainer:
            now = _maps_by_scale(explainer, images)
        step: dict[str, Any] = {'layer': layer}
        for name, compare in (('spearman', spearman), ('ssim', structural_similarity)):
            step[name] = [
                mean_of([compare(a, b) for a, b in zip(before, after, strict=True)])
                for before, after in zip(original, now, strict=True)
            ]
        result.append(step)
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
    return {'spearman': np.mean(likeness, axis=0).tolist()}


def _maps_by_scale(explainer: Explainer, images: Tensor) -> list[Array]:
    """Return each scale's maps (B, H, W), finest first, and last the fused ones."""
    seen = explainer(images)
    maps = [*seen.scale_maps.unbind(dim=1), seen.saliency]
    return [one.cpu().numpy() for one in maps]
