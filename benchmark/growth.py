#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the time of a frame grows with input size, number of scales, frames and cameras.

usage: benchmark/growth.py [--repeats N] [--quick] [--output FILE]

The default backbone, on each engine; of each comparison all cases take turns in one run.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

import cv2
from candidates import camera_frame, explain
from measuring import Record, Run, benchmark, interleaved
from options import benchmark_parser
from record_tables import GROWTH_TITLES, growth

from smoe_ros.engines import EngineError
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb

ENGINES = ('torch', 'onnxruntime')
_SIDES = (128, 224, 320, 448, 640)
_FRAMES = (1, 2, 4, 8)
# Height and width of the images of cameras of different aspect.
_CAMERAS = ((480, 640), (720, 1280), (480, 480), (600, 960))

Cases = dict[tuple[str, str], Run]  # engine and what is varied


def measure(options: argparse.Namespace) -> Record:
    """Measure everything and return the record.

    Raises:
        ConfigurationError: If a network cannot be loaded, or an engine fails meanwhile.
    """
    rgb = camera_frame()
    images = [cv2.resize(rgb, (width, height)) for height, width in _CAMERAS]
    quick = options.quick
    sides, counts = (_SIDES[:2], _FRAMES[:2]) if quick else (_SIDES, _FRAMES)
    pipelines: list[Pipeline] = []
    cases: dict[str, Cases] = {what: {} for what in GROWTH_TITLES}

    def add(what: str, key: int, frames: Sequence[Rgb], pipeline: Pipeline) -> None:
        pipeline.warm_up([(frame.shape[0], frame.shape[1]) for frame in frames])
        cases[what][pipeline.settings.engine, str(key)] = lambda: explain(pipeline, frames)

    for engine in ENGINES[: 1 if quick else None]:
        try:
            of_sides = {side: Pipeline(Settings(engine=engine, short_side=side)) for side in sides}
        except EngineError as error:
            print(f'growth: without {engine}: {error}', file=sys.stderr)
            continue
        usual = of_sides[Settings().short_side]
        names = [f'{scale.layer}#{scale.call}' for scale in usual.explainer.scales]
        of_scales = {
            count: Pipeline(Settings(engine=engine, scales=tuple(names[-count:])))
            for count in range(1, len(names) + 1)
        }
        pipelines += [*of_sides.values(), *of_scales.values()]
        for side, pipeline in of_sides.items():
            add('short side', side, [rgb], pipeline)
        for count, pipeline in of_scales.items():
            add('scales', count, [rgb], pipeline)
        for count in counts:
            add('frames', count, [rgb] * count, usual)
        for count in (1, 2, 4):
            add('cameras', count, images[:count], usual)
    repeats = 2 if quick else options.repeats
    engines: Record = {}
    for what, runs in cases.items():
        for (engine, key), times in interleaved(runs, repeats).items():
            median = round(statistics.median(times), 2)
            engines.setdefault(engine, {}).setdefault(what, {})[key] = median
    for pipeline in pipelines:
        if pipeline.engine != pipeline.settings.engine:
            raise ConfigurationError(f'engine {pipeline.settings.engine} has failed meanwhile')
        pipeline.close()
    return {'repeats': repeats, 'engines': engines}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    parser = benchmark_parser('growth', 'How the time of a frame grows.', 25)
    return benchmark(parser.parse_args(arguments), measure, growth)


if __name__ == '__main__':
    sys.exit(main())
