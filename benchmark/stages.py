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

import argparse
import statistics
import sys
from collections.abc import Sequence

from candidates import BARE_FOLDED, BARE_ONNXRUNTIME, Workload, camera_frame
from measuring import Record, Run, benchmark, interleaved
from options import benchmark_parser
from record_tables import stages

from smoe_ros.explainer.frame_explanation import frame_explanations
from smoe_ros.rendering import heat_map, lovi

BACKBONES = ('efficientnet_lite0', 'mobilenet_v3_large', 'resnet18', 'resnet50')
SIZES = (224, 448)
FORWARD = {'torch': BARE_FOLDED, 'onnxruntime': BARE_ONNXRUNTIME}
_STAGES = ('preprocess', 'forward', 'saliency', 'arrays', 'lovi', 'heat map')


def measure(backbone: str, short_side: int, engine: str, repeats: int) -> Record:
    """Time the stages of one network on one engine, in milliseconds.

    Raises:
        ConfigurationError: If the network cannot be loaded, or another engine stepped in.
    """
    workload = Workload(backbone, short_side, camera_frame())
    explainer = workload.pipeline(engine).explainer
    explanation = explainer(workload.batch)
    maps = explanation.scale_maps[0].numpy()
    runs: dict[str, Run] = {
        'forward': workload.builders[FORWARD[engine]](),
        'explain': lambda: explainer(workload.batch),
        'arrays': lambda: frame_explanations(explanation, explainer.scales),
        'lovi': lambda: lovi(maps),
        'heat map': lambda: heat_map(maps),
        'preprocess': lambda: workload.backbone.preprocess(workload.rgb),
    }
    times = interleaved(runs, repeats)
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


def measure_all(options: argparse.Namespace) -> Record:
    """Measure every case and return the record."""
    cases = [(name, size, engine) for name in BACKBONES for size in SIZES for engine in FORWARD]
    repeats = 3 if options.quick else options.repeats
    chosen = cases[: 1 if options.quick else None]
    return {'repeats': repeats, 'stages': [measure(*case, repeats) for case in chosen]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    parser = benchmark_parser('stages', 'What a frame spends its time on.', 30)
    return benchmark(parser.parse_args(arguments), measure_all, stages)


if __name__ == '__main__':
    sys.exit(main())
