#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What explaining a frame costs, beside the bare network, the textbook and other libraries.

usage: benchmark/per_frame.py [--backbones NAME ...] [--sizes PIXELS ...] [--repeats N]
                              [--minutes M] [--memory NAME ...] [--threads N] [--quick]
                              [--output FILE]

All candidates of a network and size take turns in one run. smoe_ros and the textbook go from a
640x480 RGB frame to saliency, LOVI and contributions; bare networks and the other libraries from
the prepared input. A candidate that cannot do a network shows as a dash, its reason in the JSON.

Needs the environment: source .venv/bin/activate && source install/setup.bash
The other libraries: pip install --no-deps -r requirements/benchmark.txt
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import host
import per_frame_agreement
import torch
from benchmark_options import OneLineParser
from peers import PEERS
from per_frame_candidates import (
    BARE,
    BARE_FOLDED,
    ENGINES,
    FOOTAGE,
    FRAME_NUMBER,
    TEXTBOOK,
    TEXTBOOK_GAMMA,
    Workload,
    camera_frame,
    ours,
)
from per_frame_memory import measure as measure_memory
from per_frame_tables import tables
from per_frame_timing import interleaved, prepare, summarise

from smoe_ros.errors import ConfigurationError
from smoe_ros.images import Rgb

__all__ = ['main', 'tables']

BACKBONES = ('mobilenet_v3_large', 'efficientnet_lite0', 'resnet18', 'resnet50')
SIZES = (224, 448)
MEMORY_BACKBONES = ('efficientnet_lite0', 'resnet50')
MEMORY_SIZE = 224
_DEFAULT_OUTPUT = Path(__file__).parents[1] / 'docs' / 'performance' / 'per_frame.json'
# Without what takes long to get ready: export and compilation.
_QUICK = (BARE, BARE_FOLDED, ours('torch'), TEXTBOOK, TEXTBOOK_GAMMA, *(p.name for p in PEERS))
_QUICK_MEMORY = (BARE, ours('torch'), TEXTBOOK)
_QUICK_SIZE = 64


def measure(
    backbone: str, short_side: int, rgb: Rgb, options: argparse.Namespace, seconds: float
) -> dict[str, Any]:
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
    try:
        builders = workload.builders
        if options.quick:
            builders = {name: build for name, build in builders.items() if name in _QUICK}
        engines = [engine for engine in ENGINES if ours(engine) in builders]
        agreement = per_frame_agreement.measure(workload, engines)
        candidates, reasons = prepare(builders)
        times, failed = interleaved(candidates, options.repeats, seconds)
    finally:
        workload.close()
    timed = {name: times[name] for name in builders if name in times}
    fastest = min(
        (name for name in map(ours, ENGINES) if name in timed),
        key=lambda name: sum(timed[name]),
        default='',
    )
    references = {
        'ratio_to_bare': BARE,
        'ratio_to_torch': ours('torch'),
        'ratio_to_fastest': fastest,
    }
    failures = {name: {'reason': text} for name, text in (reasons | failed).items()}
    height, width = workload.batch.shape[-2:]
    return {
        'backbone': backbone,
        'weights': workload.settings.weights,
        'short_side': short_side,
        'input': f'{width}x{height}',
        'rounds': len(next(iter(times.values()), ())),
        'fastest': fastest,
        'candidates': summarise(timed, references) | failures,
        'agreement': agreement,
    }


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything and return the record.

    Raises:
        ConfigurationError: If a network cannot be loaded or explained, or there is no footage.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
        os.environ['OMP_NUM_THREADS'] = str(options.threads)  # the memory's processes, too
    rgb = camera_frame()
    record: dict[str, Any] = {
        'host': host.describe(),
        'threads': torch.get_num_threads(),
        'frame': {'source': FOOTAGE, 'number': FRAME_NUMBER, 'width': 640, 'height': 480},
        'repeats': options.repeats,
        'quick': options.quick,
        'peers': {peer.name: peer.describe() for peer in PEERS},
        'configurations': [],
        'memory': [],
    }
    jobs = [(backbone, size) for size in options.sizes for backbone in options.backbones]
    for backbone, size in jobs:
        print(f'{backbone} at {size} ...', file=sys.stderr)
        one = measure(backbone, size, rgb, options, 60 * options.minutes / len(jobs))
        record['configurations'].append(one)
        gc.collect()
    for backbone in options.memory:
        print(f'memory of {backbone} ...', file=sys.stderr)
        size = _QUICK_SIZE if options.quick else MEMORY_SIZE
        names = list(Workload(backbone, size, rgb).builders)
        if options.quick:
            names = [name for name in names if name in _QUICK_MEMORY]
        record['memory'].append(measure_memory(backbone, size, names))
    return record


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(description='What explaining a frame costs.')
    parser.add_argument('--backbones', nargs='+', metavar='NAME', help=f'default: {BACKBONES}')
    parser.add_argument('--sizes', nargs='+', type=int, metavar='PIXELS', help='short sides')
    parser.add_argument('--repeats', type=int, help='rounds at most (default: 40)')
    parser.add_argument(
        '--minutes',
        type=float,
        default=12,
        help='for all rounds; getting ready and memory add some 12 (default: 12)',
    )
    parser.add_argument(
        '--memory', nargs='*', metavar='NAME', help=f'networks (default: {MEMORY_BACKBONES})'
    )
    parser.add_argument('--threads', type=int, help="of torch (default: torch's own choice)")
    parser.add_argument('--quick', action='store_true', help='one network, few rounds: a trial')
    parser.add_argument('--output', type=Path, default=_DEFAULT_OUTPUT, metavar='FILE')
    options = parser.parse_args(arguments)
    quick = options.quick
    options.backbones = options.backbones or (['efficientnet_lite0'] if quick else BACKBONES)
    options.sizes = options.sizes or ([_QUICK_SIZE] if quick else SIZES)
    options.repeats = (3 if quick else 40) if options.repeats is None else options.repeats
    if quick and options.threads is None:
        options.threads = 1  # two wait long for each other on a busy machine
    if options.memory is None:
        options.memory = ['efficientnet_lite0'] if quick else MEMORY_BACKBONES
    if options.repeats < 2:
        parser.error(f'--repeats is at least 2, got {options.repeats}')
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, write the JSON, and return the exit code."""
    options = _options(arguments)
    try:
        record = run(options)
    except ConfigurationError as error:
        print(f'per_frame: {error}', file=sys.stderr)
        return 1
    print(host.sentence(record['host']))
    for title, table in tables(record).items():
        print(f'\n{title}:\n\n{table}')
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
    except OSError as error:
        print(f"'{options.output}' cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
