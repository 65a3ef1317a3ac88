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

import argparse
import itertools
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from builtin_interfaces.msg import Time
from measuring import Record, benchmark
from memory import peak_mb
from options import benchmark_parser
from rclpy.serialization import serialize_message
from record_tables import recording
from sensor_msgs.msg import Image

from smoe_ros.bags import BagWriter, typestore
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb
from smoe_ros.images.footage import footage_path
from smoe_ros.images.framing import encode
from smoe_ros.images.video import VideoFile
from smoe_ros.offline.smoe_bag import main as smoe_bag

ENGINES = ('torch', 'onnxruntime')
_IN_MEMORY = 60
_PERIOD = 33_333_333
_BEGIN = 1_700_000_000 * 10**9


def _write_bag(path: Path, frames: Sequence[Rgb], count: int) -> None:
    """Write a bag of raw images: the frames, over and over."""
    with BagWriter(path, typestore()) as writer:
        writer.add_topic('/image_raw', 'sensor_msgs/msg/Image')
        for index, rgb in enumerate(itertools.islice(itertools.cycle(frames), count)):
            time_ns = _BEGIN + index * _PERIOD
            image = Image(height=rgb.shape[0], width=rgb.shape[1], encoding='rgb8')
            image.step, image.data = 3 * rgb.shape[1], array('B', rgb.tobytes())
            image.header.stamp = Time(sec=time_ns // 10**9, nanosec=time_ns % 10**9)
            writer.write('/image_raw', time_ns, serialize_message(image))


def _explainer_rate(pipeline: Pipeline, frames: Sequence[Rgb], count: int) -> float:
    begun = time.perf_counter()
    for index in range(count):
        pipeline.explain([frames[index % len(frames)]])
    return count / (time.perf_counter() - begun)


def _bag_run(bag: Path, engine: str) -> tuple[float, float]:
    """Explain a bag in a process of its own; return seconds without imports, and peak MB."""
    out = bag.with_name('out')
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        arguments = ['explain', str(bag), str(out), '--engine', engine]
        code, seconds, peak = pool.submit(_smoe_bag, arguments).result()
    shutil.rmtree(out, ignore_errors=True)
    if code:
        raise ConfigurationError('smoe_bag failed')
    return seconds, peak


def _smoe_bag(arguments: Sequence[str]) -> tuple[int, float, float]:
    begun = time.perf_counter()
    code = smoe_bag(arguments)
    return code, time.perf_counter() - begun, peak_mb()


def _measure(engine: str, frames: Sequence[Rgb], long: Path, short: Path, repeats: int) -> Record:
    """Measure one engine on two bags, whose names are their numbers of images."""
    counts = {bag: int(bag.name) for bag in (long, short)}
    pipeline = Pipeline(Settings(engine=engine))
    pipeline.warm_up([(720, 1280)])
    _bag_run(short, engine)  # what is exported and compiled once
    alone, with_bag, peaks = [], [], {short: [], long: []}
    for _ in range(repeats):
        alone.append(_explainer_rate(pipeline, frames, counts[short]))
        seconds, peak = _bag_run(long, engine)
        with_bag.append(counts[long] / seconds)
        peaks[long].append(peak)
        peaks[short].append(_bag_run(short, engine)[1])
    alone.append(_explainer_rate(pipeline, frames, counts[short]))
    pipeline.close()
    return {
        'frames': counts[long],
        'fewer frames': counts[short],
        'explainer alone (Hz)': round(statistics.median(alone), 2),
        'smoe_bag (Hz)': round(statistics.median(with_bag), 2),
        'ratio': round(statistics.median(with_bag) / statistics.median(alone), 3),
        'peak (MB)': round(statistics.median(peaks[long])),
        'peak of fewer frames (MB)': round(statistics.median(peaks[short])),
        'runs': {'alone': alone, 'smoe_bag': with_bag},
    }


def measure_all(options: argparse.Namespace) -> Record:
    """Measure every engine and return the record."""
    counts, repeats = ((40, 20), 1) if options.quick else ((1000, 250), options.repeats)
    film = VideoFile(footage_path('bigbuckbunny'), print).frames()
    frames = [encode(image, 'rgb8') for image in itertools.islice(film, _IN_MEMORY)]
    with tempfile.TemporaryDirectory(prefix='smoe_recording_') as folder:
        bags = [Path(folder, str(count)) for count in counts]
        for bag, count in zip(bags, counts, strict=True):
            _write_bag(bag, frames, count)
        return {'engines': {e: _measure(e, frames, *bags, repeats) for e in ENGINES}}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    parser = benchmark_parser('recording', 'How fast smoe_bag explains a bag.', 3)
    return benchmark(parser.parse_args(arguments), measure_all, recording)


if __name__ == '__main__':
    sys.exit(main())
