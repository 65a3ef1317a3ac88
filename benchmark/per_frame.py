#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What explaining a frame costs, beside the bare network, the textbook and other libraries.

usage: benchmark/per_frame.py [--backbones NAME ...] [--sizes PIXELS ...] [--repeats N]
                              [--minutes M] [--quick] [--output FILE]

All candidates of a network and size take turns in one run. smoe_ros and the textbook go from a
640x480 RGB frame to saliency, LOVI and contributions; bare networks and the other libraries from
the prepared input. A candidate that cannot do a network shows as a dash, its reason in the JSON.

Needs the environment: source .venv/bin/activate && source install/setup.bash
The other libraries: pip install --no-deps -r requirements/benchmark.txt
"""

from __future__ import annotations

import argparse
import copy
import gc
import os
import statistics
import sys
from collections.abc import Mapping, Sequence

import memory
import torch
from candidates import (
    BARE,
    BARE_FOLDED,
    ENGINES,
    FOOTAGE,
    FRAME_NUMBER,
    TEXTBOOK,
    Workload,
    camera_frame,
    ours,
)
from measuring import Record, Run, benchmark, in_words, interleaved, version_of
from options import benchmark_parser, within
from peers import PEERS
from record_tables import per_frame
from torch import Tensor

from smoe_ros.explainer import Explainer
from smoe_ros.images import Rgb

BACKBONES = ('mobilenet_v3_large', 'efficientnet_lite0', 'resnet18', 'resnet50')
SIZES = (224, 448)
MEMORY_BACKBONES = ('efficientnet_lite0', 'resnet50')
MEMORY_SIZE = 224
# Without what takes long to get ready: export and compilation.
_QUICK = (BARE, BARE_FOLDED, ours('torch'), TEXTBOOK, *(p.name for p in PEERS))
_QUICK_MEMORY = (BARE, ours('torch'), TEXTBOOK)
_QUICK_BACKBONES = ('efficientnet_lite0',)
_QUICK_SIZE = 64
_FAR = 1e-4


def measure(
    backbone: str, short_side: int, rgb: Rgb, options: argparse.Namespace, seconds: float
) -> Record:
    """Time all candidates on one network at one size.

    Args:
        backbone: Name of the network.
        short_side: Of its input, in pixels.
        rgb: The frame, shape (H, W, 3), uint8.
        options: ``quick`` and ``repeats``.
        seconds: For the rounds; getting ready is not counted.

    Returns:
        One entry of the record's ``configurations``.

    Raises:
        ConfigurationError: If the network cannot be loaded or explained.
    """
    workload = Workload(backbone, short_side, rgb)
    failures: dict[str, str] = {}
    candidates: dict[str, Run] = {}
    try:
        names = [name for name in workload.builders if name in _QUICK or not options.quick]
        agreement = measure_agreement(workload, [e for e in ENGINES if ours(e) in names])
        for name in names:
            try:
                candidates[name] = workload.builders[name]()
            except Exception as error:  # whatever a library raises costs its own row only
                failures[name] = in_words(error)
        times = interleaved(candidates, options.repeats, seconds, failures)
    finally:
        workload.close()
    engines = [name for name in map(ours, ENGINES) if name in times]
    fastest = min(engines, key=lambda name: sum(times[name]), default='')
    references = {
        'ratio_to_bare': BARE,
        'ratio_to_torch': ours('torch'),
        'ratio_to_fastest': fastest,
    }
    height, width = workload.batch.shape[-2:]
    return {
        'backbone': backbone,
        'weights': workload.settings.weights,
        'short_side': short_side,
        'input': f'{width}x{height}',
        'rounds': len(next(iter(times.values()), ())),
        'fastest': fastest,
        'candidates': summarise(times, references)
        | {name: {'reason': text} for name, text in failures.items()},
        'agreement': agreement,
    }


def summarise(times: Mapping[str, Sequence[float]], references: Mapping[str, str]) -> Record:
    """Return medians and ratios.

    Args:
        times: Milliseconds of each candidate, round by round.
        references: Name of each ratio, and of the candidate that it is to; ratios are medians of
            those within each round, so that what slows one down slows its partner down, too.

    Returns:
        Of each candidate ``median_ms`` and the ratios.
    """
    summary: Record = {}
    for name, values in times.items():
        row: Record = {
            'median_ms': round(statistics.median(values), 3),
        }
        for ratio, reference in references.items():
            if reference in times:
                pairs = zip(values, times[reference], strict=True)
                row[ratio] = round(statistics.median(a / b for a, b in pairs), 4)
        summary[name] = row
    return summary


def measure_agreement(workload: Workload, engines: Sequence[str]) -> list[Record]:
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
        row: Record = {'backbone': workload.settings.backbone, 'way': name}
        try:
            given = explain()
            maps = _difference(given.scale_maps, wanted.scale_maps)
            row['maps_max'] = maps.max().item()
            row['maps_beyond'] = (maps > _FAR).float().mean().item()
            row['saliency_max'] = _difference(given.saliency, wanted.saliency).max().item()
        except Exception as error:  # whatever an engine raises costs its own row only
            row['reason'] = in_words(error)
        rows.append(row)
    return rows


def _difference(one: Tensor, other: Tensor) -> Tensor:
    return (one.double() - other.double()).abs()


def measure_all(options: argparse.Namespace) -> Record:
    """Measure everything and return the record.

    Raises:
        ConfigurationError: If a network cannot be loaded or explained, or there is no footage.
    """
    quick = options.quick
    if quick:  # two threads wait long for each other on a busy machine
        torch.set_num_threads(1)
        os.environ['OMP_NUM_THREADS'] = '1'  # the memory's processes, too
    repeats = options.repeats = 3 if quick else options.repeats
    backbones = options.backbones or (_QUICK_BACKBONES if quick else BACKBONES)
    sizes = options.sizes or ((_QUICK_SIZE,) if quick else SIZES)
    rgb = camera_frame()
    jobs = [(backbone, size) for size in sizes for backbone in backbones]
    configurations = []
    for backbone, size in jobs:
        print(f'{backbone} at {size} ...', file=sys.stderr)
        seconds = 60 * options.minutes / len(jobs)
        configurations.append(measure(backbone, size, rgb, options, seconds))
        gc.collect()
    of_memory = []
    for backbone in _QUICK_BACKBONES if quick else MEMORY_BACKBONES:
        print(f'memory of {backbone} ...', file=sys.stderr)
        size = _QUICK_SIZE if quick else MEMORY_SIZE
        of_memory.append(memory.measure(backbone, size, _QUICK_MEMORY if quick else None))
    return {
        'threads': torch.get_num_threads(),
        'frame': {'source': FOOTAGE, 'number': FRAME_NUMBER, 'width': 640, 'height': 480},
        'repeats': repeats,
        'quick': quick,
        'peers': {p.name: {'map': p.map, 'version': version_of(p.package)} for p in PEERS},
        'configurations': configurations,
        'memory': of_memory,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    parser = benchmark_parser('per_frame', 'What explaining a frame costs.', 40)
    add = parser.add_argument
    add('--backbones', nargs='+', metavar='NAME', help=f'default: {", ".join(BACKBONES)}')
    add('--sizes', nargs='+', type=within(int, 32, 4096), metavar='PIXELS', help='short sides')
    add('--minutes', type=within(float, 0, 600), default=12, help='for all rounds (default: 12)')
    return benchmark(parser.parse_args(arguments), measure_all, per_frame)


if __name__ == '__main__':
    sys.exit(main())
