#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast smoe_bag explains a bag, beside the explainer alone, and how much memory it takes.

usage: benchmark/recording.py [--repeats N] [--quick] [--output FILE]

Bags of 1280x720 images (a film), the default backbone and outputs, on each engine. The explainer
alone gets the same pictures from memory, one at a time, as smoe_bag gives them to it; both take
turns. Time of smoe_bag is that of the whole call, loading the network included.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path
from typing import Any

import cv2
import host
from benchmark_options import repeated_parser
from builtin_interfaces.msg import Time
from markdown_table import table
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

from smoe_ros.bags import BagWriter, typestore
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb
from smoe_ros.images.footage import footage_path

ENGINES = ('torch', 'onnxruntime')
_OUTPUT = Path(__file__).parents[1] / 'docs' / 'performance' / 'recording.json'
_IN_MEMORY = 60
_PERIOD = 33_333_333
_BEGIN = 1_700_000_000 * 10**9


def _film(count: int) -> list[Rgb]:
    video = cv2.VideoCapture(str(footage_path('bigbuckbunny')))
    frames = [cv2.cvtColor(video.read()[1], cv2.COLOR_BGR2RGB) for _ in range(count)]
    video.release()
    return frames


def _write_bag(path: Path, frames: list[Rgb], count: int) -> None:
    """Write a bag of raw images: the frames, over and over."""
    with BagWriter(path, typestore()) as writer:
        writer.add_topic('/image_raw', 'sensor_msgs/msg/Image')
        for index in range(count):
            rgb = frames[index % len(frames)]
            time_ns = _BEGIN + index * _PERIOD
            image = Image(height=rgb.shape[0], width=rgb.shape[1], encoding='rgb8')
            image.step, image.data = 3 * rgb.shape[1], array('B', rgb.tobytes())
            image.header.stamp = Time(sec=time_ns // 10**9, nanosec=time_ns % 10**9)
            writer.write('/image_raw', time_ns, serialize_message(image))


def _explainer_rate(pipeline: Pipeline, frames: list[Rgb], count: int) -> float:
    begun = time.perf_counter()
    for index in range(count):
        pipeline.explain([frames[index % len(frames)]])
    return count / (time.perf_counter() - begun)


def _bag_run(bag: Path, engine: str, folder: Path) -> tuple[float, float]:
    """Explain a bag in a process of its own; return seconds without imports, and peak MB."""
    out = folder / 'out'
    code = (
        'import resource, sys, time\n'
        'from smoe_ros.offline import explain\n'
        'from smoe_ros.offline.smoe_bag import main\n'
        'begun = time.perf_counter()\n'
        f"code = main(['explain', {str(bag)!r}, {str(out)!r}, '--engine', {engine!r}])\n"
        'peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n'
        'print(code, time.perf_counter() - begun, peak)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    subprocess.run(['rm', '-rf', str(out)], check=True)
    code_, seconds, peak = done.stdout.split()
    if code_ != '0':
        raise SystemExit(f'benchmark/recording.py: smoe_bag failed: {done.stderr.strip()}')
    return float(seconds), float(peak)


def _measure(engine: str, long: int, short: int, repeats: int, folder: Path) -> dict[str, Any]:
    frames = _film(_IN_MEMORY)
    bags = {count: folder / f'{engine}_{count}' for count in (short, long)}
    for count, bag in bags.items():
        _write_bag(bag, frames, count)
    pipeline = Pipeline(Settings(engine=engine))
    pipeline.warm_up([(720, 1280)])
    _bag_run(bags[short], engine, folder)  # what is exported and compiled once
    alone, with_bag, peaks = [], [], {short: [], long: []}
    for _ in range(repeats):
        alone.append(_explainer_rate(pipeline, frames, short))
        seconds, peak = _bag_run(bags[long], engine, folder)
        with_bag.append(long / seconds)
        peaks[long].append(peak)
        peaks[short].append(_bag_run(bags[short], engine, folder)[1])
    alone.append(_explainer_rate(pipeline, frames, short))
    pipeline.close()
    for bag in bags.values():
        subprocess.run(['rm', '-rf', str(bag)], check=True)
    return {
        'frames': long,
        'fewer frames': short,
        'explainer alone (Hz)': round(statistics.median(alone), 2),
        'smoe_bag (Hz)': round(statistics.median(with_bag), 2),
        'ratio': round(statistics.median(with_bag) / statistics.median(alone), 3),
        'peak (MB)': round(statistics.median(peaks[long])),
        'peak of fewer frames (MB)': round(statistics.median(peaks[short])),
        'runs': {'alone': alone, 'smoe_bag': with_bag},
    }


def tables(record: dict[str, Any]) -> dict[str, str]:
    """Return the part of docs/recording.md that the record makes."""
    rows = [
        (
            f'`{engine}`',
            f'{one["explainer alone (Hz)"]:.1f}',
            f'{one["smoe_bag (Hz)"]:.1f}',
            f'{one["ratio"]:.0%}',
            f'{one["peak (MB)"]}',
            f'{one["peak of fewer frames (MB)"]}',
        )
        for engine, one in record['engines'].items()
    ]
    first = next(iter(record['engines'].values()))
    head = (
        'engine',
        'explainer alone, images a second',
        '`smoe_bag explain`, images a second',
        'share',
        f'peak memory, {first["frames"]} images (MB)',
        f'{first["fewer frames"]} images (MB)',
    )
    text = f'{host.sentence(record["host"])}\n\n{table(head, rows)}'
    return {'rate': text}


def main() -> int:
    """Measure, write the record, print the table."""
    parser = repeated_parser(__doc__.splitlines()[0], 3, _OUTPUT)
    options = parser.parse_args()
    long, short, repeats = (40, 20, 1) if options.quick else (1000, 250, options.repeats)
    with tempfile.TemporaryDirectory(prefix='smoe_recording_') as folder:
        engines = {
            engine: _measure(engine, long, short, repeats, Path(folder)) for engine in ENGINES
        }
    record = {'host': host.describe(), 'engines': engines}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(record, indent=2) + '\n')
    print(tables(record)['rate'])
    return 0


if __name__ == '__main__':
    sys.exit(main())
