#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How cameras of different image sizes should share a network: in groups, or letterboxed.

usage: benchmark/mixed_sizes.py [--repeats N] [--json FILE]

Three ways, interleaved in one run, from RGB frames to arrays: each frame alone; one forward pass
an input size, as Pipeline does; and one pass of all frames, each padded with the mean
colour to a common input, its maps cropped back. Prints medians and ratios, and how far from the
explanation of the frame alone the others' saliency of real photos is.

The letterbox is as kind as can be: no frame is shrunk, and each lies at a multiple of 32, so that
no activation is shifted against its pixels.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
from benchmark_options import OneLineParser
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from smoe_ros.engines import EagerEngine
from smoe_ros.explainer.frame_explanation import FrameExplanation, frame_explanations
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb
from smoe_ros.images.framing import fit
from smoe_ros.saliency import fuse_scales, gaussian_cdf
from smoe_ros.saliency.methods import MethodOptions
from smoe_ros.scales import STRIDE

Size = tuple[int, int]  # width and height, as cameras name them
Map = NDArray[np.float32]

CAMERA_SETS: tuple[tuple[Size, ...], ...] = (
    ((640, 480), (640, 360)),
    ((640, 480), (1280, 720), (480, 640)),
    ((640, 480), (640, 480), (640, 480)),
    ((640, 480), (640, 480), (640, 360), (640, 360)),
)
BACKBONES = ('efficientnet_lite0', 'resnet18')
PHOTOS = ('chelsea', 'coffee', 'rocket')
_WARM_UPS = 3


@dataclass(frozen=True)
class Letterbox:
    """Frames' inputs on canvases of one size, and where each lies.

    Attributes:
        batch: Shape (B, 3, H, W); 0 beside the frames, the mean colour after normalisation.
        rows: Of each frame in it; begin and end at multiples of 32.
        columns: The same.
    """

    batch: Tensor
    rows: tuple[slice, ...]
    columns: tuple[slice, ...]


def letterbox(inputs: Sequence[Tensor]) -> Letterbox:
    """Put inputs, shape (3, h, w) each, in the middle of canvases that hold the largest sides."""
    height, width = (max(item.shape[side] for item in inputs) for side in (1, 2))
    batch = torch.zeros(len(inputs), 3, height, width)
    rows = tuple(_middle(item.shape[1], height) for item in inputs)
    columns = tuple(_middle(item.shape[2], width) for item in inputs)
    for canvas, item, y, x in zip(batch, inputs, rows, columns, strict=True):
        canvas[:, y, x] = item
    return Letterbox(batch, rows, columns)


def _middle(length: int, space: int) -> slice:
    start = (space - length) // 2 // STRIDE * STRIDE
    return slice(start, start + length)


def explain_letterboxed(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[FrameExplanation]:
    """Explain frames by one pass, maps cropped back; peaks and shares stay the padded frame's."""
    boxed = letterbox([pipeline.backbone.preprocess(rgb) for rgb in frames])
    explained = frame_explanations(pipeline.explainer(boxed.batch), pipeline.explainer.scales)
    return [
        replace(frame, saliency=frame.saliency[y, x], scale_maps=frame.scale_maps[:, y, x])
        for frame, y, x in zip(explained, boxed.rows, boxed.columns, strict=True)
    ]


def explain_cropped_first(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[Map]:
    """Explain frames by one pass, but normalise each scale's map without the padding's part.

    What then still differs from the frame alone is what the network itself saw of the padding.

    Returns:
        Saliency of each frame, shape (h, w).
    """
    boxed = letterbox([pipeline.backbone.preprocess(rgb) for rgb in frames])
    scales = pipeline.explainer.scales
    engine = EagerEngine(pipeline.backbone.model, scales)
    raw_maps = engine.forward(boxed.batch, MethodOptions()).raw_maps
    saliency = []
    for i, (y, x) in enumerate(zip(boxed.rows, boxed.columns, strict=True)):
        normalized = []
        for raw_map in raw_maps:
            stride = boxed.batch.shape[3] // raw_map.shape[2]
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


def interleaved(
    candidates: Mapping[str, Callable[[], object]], repeats: int
) -> dict[str, list[float]]:
    """Time candidates in turn, so that the machine's drift meets all of them; in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    names = list(candidates)
    for repeat in range(-_WARM_UPS, repeats):
        # Each comes after every other one, whose leavings in the caches it meets.
        for name in names if repeat % 2 else reversed(names):
            started = time.perf_counter()
            candidates[name]()
            if repeat >= 0:
                times[name].append(1e3 * (time.perf_counter() - started))
    return times


def measure_times(pipeline: Pipeline, cameras: Sequence[Size], repeats: int) -> dict[str, Any]:
    """Time the three ways for one set of cameras.

    Returns:
        Medians in milliseconds, the medians of the ratios to the grouped way within each repeat,
        and how many pixels go through the network.
    """
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 256, (h, w, 3), np.uint8) for w, h in cameras]
    inputs = [pipeline.backbone.preprocess(rgb) for rgb in frames]
    times = interleaved(
        {
            'alone': lambda: explain_alone(pipeline, frames),
            'grouped': lambda: explain_grouped(pipeline, frames),
            'letterboxed': lambda: explain_letterboxed(pipeline, frames),
        },
        repeats,
    )
    pairs = zip(times['letterboxed'], times['grouped'], strict=True)
    ratios = [letterboxed / grouped for letterboxed, grouped in pairs]
    return {
        'cameras': _camera_names(cameras),
        'inputs': [f'{item.shape[2]}x{item.shape[1]}' for item in inputs],
        'median_ms': {name: statistics.median(values) for name, values in times.items()},
        'letterboxed_over_grouped': statistics.median(ratios),
        'quartiles': statistics.quantiles(ratios, n=4)[::2],
        'pixels_letterboxed_over_grouped': letterbox(inputs).batch[:, 0].numel()
        / sum(item[0].numel() for item in inputs),
    }


def measure_changes(pipeline: Pipeline, cameras: Sequence[Size]) -> list[dict[str, Any]]:
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
            'camera': _camera_names([camera]),
            'way': way,
            'mean_difference': statistics.mean(mean for mean, _, _ in figures),
            'max_difference': max(largest for _, largest, _ in figures),
            'min_spearman': min(rank for _, _, rank in figures),
        }
        for (camera, way), figures in changes.items()
    ]


def _camera_names(cameras: Sequence[Size]) -> str:
    return ', '.join(f'{width}x{height}' for width, height in cameras)


def _print_times(backbone: str, rows: Sequence[dict[str, Any]], repeats: int) -> None:
    print(f'\n{backbone}, random weights, {repeats} repeats, milliseconds for the whole set:\n')
    print('| cameras | inputs | alone | grouped | letterboxed | letterboxed / grouped | pixels |')
    print('|---|---|---|---|---|---|---|')
    for row in rows:
        medians = ' | '.join(f'{value:.1f}' for value in row['median_ms'].values())
        low, high = row['quartiles']
        print(
            f'| {row["cameras"]} | {", ".join(row["inputs"])} | {medians} '
            f'| {row["letterboxed_over_grouped"]:.2f} ({low:.2f}–{high:.2f}) '
            f'| {row["pixels_letterboxed_over_grouped"]:.2f} |'
        )


def _print_changes(rows: Sequence[dict[str, Any]]) -> None:
    print(
        '\nSaliency of photos beside that of the frame alone (efficientnet_lite0, ImageNet '
        f"weights; {', '.join(PHOTOS)}, cropped to each camera's size):\n"
    )
    print('| set | camera | way | mean difference | max | lowest rank correlation |')
    print('|---|---|---|---|---|---|')
    for row in rows:
        print(
            f'| {row["cameras"]} | {row["camera"]} | {row["way"]} | {row["mean_difference"]:.2g} '
            f'| {row["max_difference"]:.2g} | {row["min_spearman"]:.4f} |'
        )


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = OneLineParser(
        description='Groups or letterboxes for cameras of different image sizes.'
    )
    parser.add_argument('--repeats', type=int, default=60, help='default: 60')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures as JSON, too')
    options = parser.parse_args()
    if options.repeats < 2:
        parser.error(f'--repeats is at least 2, got {options.repeats}')

    figures: dict[str, Any] = {
        'host': {'cpus': os.cpu_count(), 'system': platform.platform()},
        'torch': torch.__version__,
        'threads': torch.get_num_threads(),
        'repeats': options.repeats,
        'times': {},
    }
    print(
        f'torch {torch.__version__}, {torch.get_num_threads()} threads, {os.cpu_count()} CPUs, '
        f'load {os.getloadavg()[0]:.1f}'
    )
    for backbone in BACKBONES:
        pipeline = Pipeline(Settings(backbone=backbone, weights='random'))
        rows = [measure_times(pipeline, cameras, options.repeats) for cameras in CAMERA_SETS]
        pipeline.close()
        _print_times(backbone, rows, options.repeats)
        figures['times'][backbone] = rows
    pipeline = Pipeline(Settings())
    figures['changes'] = [row for c in CAMERA_SETS for row in measure_changes(pipeline, c)]
    pipeline.close()
    _print_changes(figures['changes'])
    if options.json:
        try:
            options.json.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')
        except OSError as error:
            print(f"'{options.json}' cannot be written: {error.strerror}", file=sys.stderr)
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
