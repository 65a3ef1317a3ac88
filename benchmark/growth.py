#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the time of a frame grows with input size, number of scales, frames and cameras.

usage: benchmark/growth.py [--repeats N] [--quick] [--output FILE]

The default backbone, on each engine; of each comparison all cases take turns in one run.
Writes the record as JSON, and a plot of the same name beside it.

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

import cv2
import host
from benchmark_options import repeated_parser
from markdown_table import table
from matplotlib.figure import Figure
from per_frame_candidates import camera_frame

from smoe_ros.engines import EngineError
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb

ENGINES = ('torch', 'onnxruntime')
_OUTPUT = Path(__file__).parents[1] / 'docs' / 'performance' / 'growth.json'
_SIDES = (128, 224, 320, 448, 640)
_FRAMES = (1, 2, 4, 8)
# Height and width of the images of cameras of different aspect.
_CAMERAS = ((480, 640), (720, 1280), (480, 480), (600, 960))
_TITLES = {
    'short side': 'short side of the input, pixels',
    'scales': 'scales that are read, deepest first',
    'frames': 'frames of one size together',
    'cameras': 'cameras of different aspect together',
}

Run = Callable[[], object]
Case = tuple[str, int]  # engine and what is varied


def _explaining(pipeline: Pipeline, frames: Sequence[Rgb]) -> Run:
    """Return what explains frames together, ready and tried."""
    pipeline.warm_up([(frame.shape[0], frame.shape[1]) for frame in frames])

    def run() -> None:
        for explained in pipeline.explain(frames):
            if not isinstance(explained, FrameExplanation):
                raise explained

    return run


def medians(cases: dict[Any, Run], repeats: int) -> dict[Any, float]:
    """Return the median time of each case in milliseconds; they take turns."""
    times: dict[Any, list[float]] = {case: [] for case in cases}
    for _ in range(repeats):
        for case, run in cases.items():
            started = time.perf_counter()
            run()
            times[case].append(1000 * (time.perf_counter() - started))
    return {case: round(statistics.median(values), 2) for case, values in times.items()}


def measure(repeats: int, *, quick: bool) -> dict[str, Any]:
    """Measure everything and return the record.

    Raises:
        ConfigurationError: If a network cannot be loaded, or an engine fails meanwhile.
    """
    rgb = camera_frame()
    images = [cv2.resize(rgb, (width, height)) for height, width in _CAMERAS]
    sides, counts = (_SIDES[:2], _FRAMES[:2]) if quick else (_SIDES, _FRAMES)
    pipelines: list[Pipeline] = []
    cases: dict[str, dict[Case, Run]] = {what: {} for what in _TITLES}

    def add(what: str, key: int, frames: Sequence[Rgb], pipeline: Pipeline) -> None:
        cases[what][pipeline.settings.engine, key] = _explaining(pipeline, frames)

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
    record: dict[str, Any] = {'host': host.describe(), 'repeats': repeats, 'engines': {}}
    for what, runs in cases.items():
        for (engine, key), milliseconds in medians(runs, repeats).items():
            record['engines'].setdefault(engine, {}).setdefault(what, {})[key] = milliseconds
    for pipeline in pipelines:
        if pipeline.engine != pipeline.settings.engine:
            raise ConfigurationError(f'engine {pipeline.settings.engine} has failed meanwhile')
        pipeline.close()
    return record


def tables(record: dict[str, Any]) -> dict[str, str]:
    """Turn a run's record into the Markdown table ``'growth'``."""
    engines = record['engines']
    first = next(iter(engines.values()))
    rows = [
        # JSON's keys are text, a fresh record's are numbers.
        (title, str(key), *(f'{engine[what][key]:.1f}' for engine in engines.values()))
        for what, title in _TITLES.items()
        for key in first[what]
    ]
    return {'growth': table(('', '', *(f'{engine}, ms' for engine in engines)), rows)}


def plot(record: dict[str, Any], path: Path) -> None:
    """Draw each comparison, a line an engine.

    Args:
        record: As `measure` returns it, or read back from its JSON.
        path: PNG to write.

    Raises:
        OSError: If it cannot be written.
    """
    figure = Figure((9, 6), layout='constrained', dpi=110)
    for axes, (what, title) in zip(figure.subplots(2, 2).flat, _TITLES.items(), strict=True):
        for engine, measured in record['engines'].items():
            # JSON's keys are text, a fresh record's are numbers.
            keys = [int(key) for key in measured[what]]
            axes.plot(keys, list(measured[what].values()), 'o-', label=engine)
        axes.set_xticks(keys)
        axes.set_ylim(bottom=0)
        axes.set(xlabel=title, ylabel='time (ms)')
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.suptitle(f'{Settings().backbone}, medians of {record["repeats"]} repeats')
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write JSON and plot, and return the exit code."""
    options = repeated_parser('How the time of a frame grows.', 25, _OUTPUT).parse_args(arguments)
    try:
        record = measure(2 if options.quick else options.repeats, quick=options.quick)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
        plot(record, options.output.with_suffix('.png'))
    except (ConfigurationError, OSError) as error:
        print(f'growth: {error}', file=sys.stderr)
        return 1
    print(host.sentence(record['host']))
    print(f'\n{tables(record)["growth"]}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
