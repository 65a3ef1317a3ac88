#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How cameras of different image sizes should share a network: in groups, or letterboxed.

usage: benchmark/mixed_sizes.py [--repeats N] [--quick] [--output FILE]

Three ways, interleaved in one run, from RGB frames to arrays: each frame alone; one forward pass
an input size, as smoe_ros does; and one pass of all frames, each padded with the mean colour to a
common input, its maps cropped back. Shows medians and ratios, and how far from the explanation of
the frame alone the others' saliency of real photos is.

The letterbox is as kind as can be: no frame is shrunk, and each lies at a multiple of 32, so that
no activation is shifted against its pixels.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import skimage.data
import torch
from candidates import explain
from measuring import Record, benchmark, interleaved
from numpy.typing import NDArray
from options import benchmark_parser
from record_tables import mixed_sizes
from scipy.stats import spearmanr
from torch import Tensor

from smoe_ros.explainer.frame_explanation import frame_explanations
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb
from smoe_ros.images.framing import fit
from smoe_ros.scales import STRIDE

Map = NDArray[np.float32]
Place = tuple[slice, slice]  # rows and columns
Way = Callable[[Pipeline, Sequence[Rgb]], list[Map]]

# Width and height of the images of each camera.
CAMERA_SETS = (
    ((640, 480), (640, 360)),
    ((640, 480), (1280, 720), (480, 640)),
    ((640, 480), (640, 480), (640, 480)),
    ((640, 480), (640, 480), (640, 360), (640, 360)),
)
BACKBONES = ('efficientnet_lite0', 'resnet18')
PHOTOS = ('chelsea', 'coffee', 'rocket')
_OUTPUT = Path(__file__).parents[1] / 'docs' / 'tuning' / 'mixed_sizes.json'


def _letterbox(pipeline: Pipeline, frames: Sequence[Rgb]) -> tuple[Tensor, list[Place]]:
    """Put frames' inputs in the middle of canvases that hold the largest sides.

    Returns:
        Shape (B, 3, H, W), 0 (the mean colour) beside the inputs; and where each lies, at
        multiples of 32.
    """
    inputs = [pipeline.backbone.preprocess(rgb) for rgb in frames]
    height, width = (max(item.shape[side] for item in inputs) for side in (1, 2))
    batch = torch.zeros(len(inputs), 3, height, width)
    places = [(_middle(item.shape[1], height), _middle(item.shape[2], width)) for item in inputs]
    for canvas, item, (y, x) in zip(batch, inputs, places, strict=True):
        canvas[:, y, x] = item
    return batch, places


def _middle(length: int, space: int) -> slice:
    start = (space - length) // 2 // STRIDE * STRIDE
    return slice(start, start + length)


def letterboxed(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[Map]:
    """Explain frames by one pass, and crop their saliency; shape (h, w) each."""
    batch, places = _letterbox(pipeline, frames)
    explained = frame_explanations(pipeline.explainer(batch), pipeline.explainer.scales)
    return [frame.saliency[place] for frame, place in zip(explained, places, strict=True)]


def grouped(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[Map]:
    """Return the pipeline's saliency of each frame, shape (h, w)."""
    return [explained.saliency for explained in explain(pipeline, frames)]


def alone(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[Map]:
    """Explain each frame by a pass of its own."""
    return [grouped(pipeline, [rgb])[0] for rgb in frames]


def measure_times(pipeline: Pipeline, cameras: Sequence[tuple[int, int]], repeats: int) -> Record:
    """Time the three ways for one set of cameras."""
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 256, (h, w, 3), np.uint8) for w, h in cameras]
    ways: dict[str, Way] = {'alone': alone, 'grouped': grouped, 'letterboxed': letterboxed}
    runs = {name: lambda way=way: way(pipeline, frames) for name, way in ways.items()}
    times = interleaved(runs, repeats)
    pairs = zip(times['letterboxed'], times['grouped'], strict=True)
    return {
        'cameras': ', '.join(f'{width}x{height}' for width, height in cameras),
        'median_ms': {name: statistics.median(values) for name, values in times.items()},
        'letterboxed_over_grouped': statistics.median(a / b for a, b in pairs),
    }


def measure_changes(pipeline: Pipeline, cameras: Sequence[tuple[int, int]]) -> list[Record]:
    """Compare each way's saliency of real photos, cropped to a size, with that of it alone."""
    ways: dict[str, Way] = {'grouped': grouped, 'letterboxed': letterboxed}
    rows = []
    for turn in range(len(PHOTOS)):
        frames = []
        for number, (width, height) in enumerate(cameras, turn):
            photo = getattr(skimage.data, PHOTOS[number % len(PHOTOS)])()
            frames.append(np.ascontiguousarray(fit(photo, width, height)))
        wanted = alone(pipeline, frames)
        for name, way in ways.items():
            for saliency, own in zip(way(pipeline, frames), wanted, strict=True):
                difference = np.abs(saliency - own)
                rows.append(
                    {
                        'way': name,
                        'mean_difference': float(difference.mean()),
                        'max_difference': float(difference.max()),
                        'min_spearman': float(spearmanr(saliency.ravel(), own.ravel()).statistic),
                    }
                )
    return rows


def measure(options: argparse.Namespace) -> Record:
    """Measure everything and return the record."""
    end = 1 if options.quick else None
    backbones, sets = BACKBONES[:end], CAMERA_SETS[:end]
    repeats = 3 if options.quick else options.repeats
    times = {}
    for backbone in backbones:
        with closing(Pipeline(Settings(backbone=backbone, weights='random'))) as pipeline:
            times[backbone] = [measure_times(pipeline, cameras, repeats) for cameras in sets]
    with closing(Pipeline(Settings())) as pipeline:
        changes = [row for cameras in sets for row in measure_changes(pipeline, cameras)]
    return {'torch': torch.__version__, 'repeats': repeats, 'times': times, 'changes': changes}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    parser = benchmark_parser('mixed_sizes', 'Groups or letterboxes of cameras.', 60)
    parser.set_defaults(output=_OUTPUT)
    return benchmark(parser.parse_args(arguments), measure, mixed_sizes)


if __name__ == '__main__':
    sys.exit(main())
