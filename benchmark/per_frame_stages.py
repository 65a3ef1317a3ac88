# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What smoe_ros spends a frame's time on, by timing the public pieces of it one by one."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from per_frame_candidates import BARE_FOLDED, BARE_ONNXRUNTIME, ENGINES, Run, Workload

from smoe_ros.frame_explanation import frame_explanations
from smoe_ros.rendering import heat_map, lovi

# The engines' own bare network, beside which the cost of the saliency shows.
_BARE = {'torch': BARE_FOLDED, 'onnxruntime': BARE_ONNXRUNTIME}
# Stages that are the same work whatever runs the network.
_COMMON = ('preprocess', 'arrays', 'LOVI', 'heat map')


def builders(workload: Workload, engines: Sequence[str]) -> dict[str, Callable[[], Run]]:
    """Return name of each stage to be timed, and what makes it ready."""
    result: dict[str, Callable[[], Run]] = {
        f'stage: {stage}': partial(_common, workload, stage) for stage in _COMMON
    }
    for engine in engines:
        result[_explain_name(engine)] = partial(_explain, workload, engine)
    return result


def stages(times: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Return the medians of each engine's stages in milliseconds.

    ``'explain'`` is network and saliency together. Where the engine's bare network was timed, it
    is ``'forward'``, and ``'saliency'`` the median of what is left within each round. That may be
    negative: the engine may run the network faster than it does bare.
    """
    result: dict[str, dict[str, float]] = {}
    for engine in ENGINES:
        explain = times.get(_explain_name(engine))
        if explain is None:
            continue
        row = {'explain': statistics.median(explain)}
        forward = times.get(_BARE.get(engine, ''))
        if forward is not None:
            row['forward'] = statistics.median(forward)
            left = (a - b for a, b in zip(explain, forward, strict=True))
            row['saliency'] = statistics.median(left)
        for stage in _COMMON:
            if f'stage: {stage}' in times:
                row[stage] = statistics.median(times[f'stage: {stage}'])
        result[engine] = {stage: round(value, 3) for stage, value in row.items()}
    return result


def _explain_name(engine: str) -> str:
    return f'stage: explain, {engine}'


def _explain(workload: Workload, engine: str) -> Run:
    pipeline = workload.pipeline(engine)
    return lambda: pipeline.explainer(workload.batch)


def _common(workload: Workload, stage: str) -> Run:
    if stage == 'preprocess':
        return lambda: workload.backbone.preprocess(workload.rgb)
    explainer = workload.pipeline('torch').explainer
    explanation = explainer(workload.batch)
    if stage == 'arrays':
        return lambda: frame_explanations(explanation, explainer.scales)
    maps = explanation.scale_maps[0].numpy()
    return partial({'LOVI': lovi, 'heat map': heat_map}[stage], maps)
