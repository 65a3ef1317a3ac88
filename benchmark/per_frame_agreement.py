# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far apart ways of computing the same explanation are, torch's own among them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from per_frame_candidates import Workload
from per_frame_timing import in_words
from torch import Tensor

from smoe_ros.explainer import Explainer, Explanation

_FAR = 1e-4


def measure(workload: Workload, engines: Sequence[str]) -> list[dict[str, Any]]:
    """Compare explanations of the workload's frame with those of the network as it is loaded."""
    model, batch = workload.backbone.model, workload.batch
    wanted = Explainer(model)(batch)
    planes = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    ways = {
        'torch, planes instead of channels last': lambda: Explainer(planes)(batch),
        'torch, float64': lambda: Explainer(copy.deepcopy(model).double())(batch),
        'torch, batch normalisation folded': lambda: Explainer(workload.folded.model)(batch),
    }
    for engine in engines:
        if engine != 'torch':
            ways[f'engine {engine}'] = lambda e=engine: workload.pipeline(e).explainer(batch)
    rows = []
    for name, explain in ways.items():
        row: dict[str, Any] = {'backbone': workload.settings.backbone, 'way': name}
        try:
            row |= _differences(explain(), wanted)
        except Exception as error:  # whatever an engine raises costs its own row only
            row['reason'] = in_words(error)
        rows.append(row)
    return rows


def _differences(given: Explanation, wanted: Explanation) -> dict[str, float]:
    maps = _difference(given.scale_maps, wanted.scale_maps)
    return {
        'maps_max': maps.max().item(),
        'maps_beyond': (maps > _FAR).float().mean().item(),
        'saliency_max': _difference(given.saliency, wanted.saliency).max().item(),
    }


def _difference(one: Tensor, other: Tensor) -> Tensor:
    return (one.double() - other.double()).abs()
