#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How cameras of different image sizes should share a network: in groups, or letterboxed.

usage: benchmark/mixed_sizes.py [--repeats N] [--quick] [--output FILE]

Three ways, interleaved in one run, from RGB frames to arrays: each frame alone; one forward pass
an input size, as smoe_ros/pipeline.py does; and one pass of all frames, each padded with the mean
colour to a common input, its maps cropped back. Shows medians and ratios, and how far from the
explanation of the frame alone the others' saliency of real photos is.

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
from dataclasses import replace
from pathlib import Path

import numpy as np
import skimage.data
import torch
from measuring import Record, benchmark, interleaved
from numpy.typing import NDArray
from options import benchmark_parser
from record_tables import mixed_sizes
from scipy.stats import spearmanr
from torch import Tensor

from smoe_ros.forward_pass import run
from smoe_ros.frame_explanation import FrameExplanation, frame_explanations
from smoe_ros.framing import fit
from smoe_ros.methods import MethodOptions
from smoe_ros.pipeline import Pipeline
from smoe_ros.preprocessing import STRIDE, Rgb
from smoe_ros.saliency import fuse_scales, gaussian_cdf
from smoe_ros.settings import Settings

Size = tuple[int, int]  # width and height, as cameras name them
Map = NDArray[np.float32]
Place = tuple[slice, slice]  # rows and columns

CAMERA_SETS: tuple[tuple[Size, ...], ...] = (
    ((640, 480), (640, 360)),
    ((640, 480), (1280, 720), (480, 640)),
    ((640, 480), (640, 480), (640, 480)),
    ((640, 480), (640, 480), (640, 360), (640, 360)),
)
BACKBONES = ('efficientnet_lite0', 'resnet18')
PHOTOS = ('chelsea', 'coffee', 'rocket')
_OUTPUT = Path(__file__).parents[1] / 'docs' / 'tuning' / 'mixed_sizes.json'


def letterbox(inputs: Sequence[Tensor]) -> tuple[Tensor, list[Place]]:
    """Put inputs, shape (3, h, w) each, in the middle of canvases that hold the largest sides.

    Returns:
        Shape (B, 3, H, W), 0 (the mean colour) beside the inputs; and where each lies, at
        multiples of 32.
    """
    height, width = (max(item.shape[side] for item in inputs) for side in (1, 2))
    batch = torch.zeros(len(inputs), 3, height, width)
    places = [(_middle(item.shape[1], height), _middle(item.shape[2], width)) for item in inputs]
    for canvas, item, (y, x) in zip(batch, inputs, places, strict=True):
        canvas[:, y, x] = item
    return batch, places


def _middle(length: int, space: int) -> slice:
    start = (space - length) // 2 // STRIDE * STRIDE
    return slice(start, start + length)


def explain_letterboxed(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[FrameExplanation]:
    """Explain frames by one pass, maps cropped back; peaks and shares stay the padded frame's."""
    batch, places = letterbox([pipeline.backbone.preprocess(rgb) for rgb in frames])
    explained = frame_explanations(pipeline.explainer(batch), pipeline.explainer.scales)
    return [
        replace(frame, saliency=frame.saliency[y, x], scale_maps=frame.scale_maps[:, y, x])
        for frame, (y, x) in zip(explained, places, strict=True)
    ]


def explain_cropped_first(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[Map]:
    """Explain frames by one pass, but normalise each scale's map without the padding's part.

    What then still differs from the frame alone is what the network itself saw of the padding.

    Returns:
        Saliency of each frame, shape (h, w).
    """
    batch, places = letterbox([pipeline.backbone.preprocess(rgb) for rgb in frames])
    scales = pipeline.explainer.scales
    raw_maps = run(pipeline.backbone.model, batch, scales, MethodOptions()).raw_maps
    saliency = []
    for i, (y, x) in enumerate(places):
        normalized = []
        for raw_map in raw_maps:
            stride = batch.shape[3] // raw_map.shape[2]
            own = raw_map[i, _strided(y, stride), _strided(x, stride)]
            normalized.append(gaussian_cdf(own[None]))
        size = (y.stop - y.start, x.stop - x.start)
        saliency.append(fuse_scales(normalized, size).saliency[0].numpy())
    return saliency


def _strided(pixels: slice, stride: int) -> slice:
    return slice(pixels.start // stride, pixels.stop // stride)


def explain_grouped(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[Map]:
    """Return the pipeline's saliency of each frame, shape (h, w).

    Raises:
        FrameError: If one cannot be explained.
    """
    saliency = []
    for result in pipeline.explain(frames):
        if isinstance(result, Exception):
            raise result
        saliency.append(result.saliency)
    return saliency


def explain_alone(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[Map]:
    """Explain each frame by a pass of its own."""
    return [explain_grouped(pipeline, [rgb])[0] for rgb in frames]


def measure_times(pipeline: Pipeline, cameras: Sequence[Size], repeats: int) -> Record:
    """Time the three ways for one set of cameras.

    Returns:
        Medians in milliseconds, and the median of letterboxed over grouped within a repeat.
    """
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 256, (h, w, 3), np.uint8) for w, h in cameras]
    times = interleaved(
        {
            'alone': lambda: explain_alone(pipeline, frames),
            'grouped': lambda: explain_grouped(pipeline, frames),
            'letterboxed': lambda: explain_letterboxed(pipeline, frames),
        },
        repeats,
    )
    pairs = zip(times['letterboxed'], times['grouped'], strict=True)
    return {
        'cameras': _camera_names(cameras),
        'median_ms': {name: statistics.median(values) for name, values in times.items()},
        'letterboxed_over_grouped': statistics.median(a / b for a, b in pairs),
    }


def measure_changes(pipeline: Pipeline, cameras: Sequence[Size]) -> list[Record]:
    """Compare each way's saliency of real photos with that of the frame alone.

    Every camera sees every photo, cropped to its size.

    Returns:
        One row a camera size and way: mean, maximum and lowest rank correlation over the photos.
    """
    ways: dict[str, Callable[[Sequence[Rgb]], list[Map]]] = {
        'grouped': lambda frames: explain_grouped(pipeline, frames),
        'letterboxed': lambda frames: [
            frame.saliency for frame in explain_letterboxed(pipeline, frames)
        ],
        'letterboxed, cropped before normalisation': lambda frames: explain_cropped_first(
            pipeline, frames
        ),
    }
    changes: dict[tuple[Size, str], list[tuple[float, float, float]]] = {}
    for turn in range(len(PHOTOS)):
        frames = []
        for number, (width, height) in enumerate(cameras, turn):
            photo = getattr(skimage.data, PHOTOS[number % len(PHOTOS)])()
            frames.append(np.ascontiguousarray(fit(photo, width, height)))
        alone = explain_alone(pipeline, frames)
        for way, explain in ways.items():
            for camera, saliency, own in zip(cameras, explain(frames), alone, strict=True):
                difference = np.abs(saliency - own)
                rank = float(spearmanr(saliency.ravel(), own.ravel()).statistic)
                figures = (float(difference.mean()), float(difference.max()), rank)
                changes.setdefault((camera, way), []).append(figures)
    return [
        {
            'cameras': _camera_names(cameras),
            'way': way,
            'mean_difference': statistics.mean(mean for mean, _, _ in figures),
            'max_difference': max(largest for _, largest, _ in figures),
            'min_spearman': min(rank for _, _, rank in figures),
        }
        for (camera, way), figures in changes.items()
    ]


def _camera_names(cameras: Sequence[Size]) -> str:
    return ', '.join(f'{width}x{height}' for width, height in cameras)


def measure_all(options: argparse.Namespace) -> Record:
    """Measure everything and return the record."""
    backbones, sets = (
        (BACKBONES[:1], CAMERA_SETS[:1]) if options.quick else (BACKBONES, CAMERA_SETS)
    )
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
    return benchmark(parser.parse_args(arguments), measure_all, mixed_sizes)


if __name__ == '__main__':
    sys.exit(main())
