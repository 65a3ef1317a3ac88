#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What smoe_ros spends a frame's time on, for each network and engine by itself.

usage: benchmark/stages.py [--repeats N] [--quick] [--output FILE]

The engine's network without any of our work, and its explanation, take turns with the other
stages; a stage of the saliency is the median of the differences within a turn.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import host
import torch
from benchmark_options import repeated_parser
from markdown_table import table
from per_frame_candidates import Workload, camera_frame

from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.frame_explanation import frame_explanations
from smoe_ros.rendering import heat_map, lovi

BACKBONES = ('efficientnet_lite0', 'mobilenet_v3_large', 'resnet18', 'resnet50')
SIZES = (224, 448)
ENGINES = ('torch', 'onnxruntime')
_OUTPUT = Path(__file__).parents[1] / 'docs' / 'performance' / 'stages.json'
_STAGES = ('preprocess', 'forward', 'saliency', 'arrays', 'lovi', 'heat map')


def measure(backbone: str, short_side: int, engine: str, repeats: int) -> dict[str, Any]:
    """Time the stages of one network on one engine, in milliseconds.

    Raises:
        ConfigurationError: If the network cannot be loaded, or another engine stepped in.
    """
    workload = Workload(backbone, short_side, camera_frame())
    explainer = workload.pipeline(engine).explainer
    explanation = explainer(workload.batch)
    maps = explanation.scale_maps[0].numpy()
    runs: dict[str, Callable[[], object]] = {
        'forward': _forward(workload, engine),
        'explain': lambda: explainer(workload.batch),
        'arrays': lambda: frame_explanations(explanation, explainer.scales),
        'lovi': lambda: lovi(maps),
        'heat map': lambda: heat_map(maps),
        'preprocess': lambda: workload.backbone.preprocess(workload.rgb),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 2):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if turn >= 2:  # the first ones are warm-up
                times[name].append(1000 * (time.perf_counter() - started))
    workload.close()
    pairs = list(zip(times['explain'], times['forward'], times['lovi'], strict=True))
    medians = {name: statistics.median(values) for name, values in times.items()}
    medians['saliency'] = statistics.median(explain - forward for explain, forward, _ in pairs)
    share = statistics.median((explain + drawn) / forward - 1 for explain, forward, drawn in pairs)
    return {
        'backbone': backbone,
        'short_side': short_side,
        'engine': engine,
        'median_ms': {name: round(medians[name], 3) for name in _STAGES},
        'saliency_and_lovi_over_forward': round(share, 4),
    }


def _forward(workload: Workload, engine: str) -> Callable[[], object]:
    """Return what runs the network as the engine does, and nothing else."""
    if engine == 'onnxruntime':
        return workload.builders['bare network, onnxruntime']()
    model, batch = workload.folded.model, workload.batch

    def run() -> None:
        with torch.inference_mode():
            model(batch)

    return run


def tables(record: dict[str, Any]) -> dict[str, str]:
    """Turn a run's record into the Markdown table ``'stages'``."""
    header = (
        'network',
        'short side',
        'engine',
        *(f'{stage}, ms' for stage in _STAGES),
        'saliency and LOVI / forward',
    )
    rows = [
        (
            f'`{row["backbone"]}`',
            str(row['short_side']),
            row['engine'],
            *(f'{row["median_ms"][stage]:.2f}' for stage in _STAGES),
            f'{row["saliency_and_lovi_over_forward"]:.1%}',
        )
        for row in record['stages']
    ]
    return {'stages': table(header, rows)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON, and return the exit code."""
    parser = repeated_parser('What a frame spends its time on.', 30, _OUTPUT)
    options = parser.parse_args(arguments)
    cases = [(name, size, engine) for name in BACKBONES for size in SIZES for engine in ENGINES]
    record: dict[str, Any] = {'host': host.describe(), 'repeats': options.repeats, 'stages': []}
    try:
        for case in cases[: 1 if options.quick else None]:
            record['stages'].append(measure(*case, 3 if options.quick else options.repeats))
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
    except (ConfigurationError, OSError) as error:
        print(f'stages: {error}', file=sys.stderr)
        return 1
    print(host.sentence(record['host']))
    print(f'\n{tables(record)["stages"]}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
