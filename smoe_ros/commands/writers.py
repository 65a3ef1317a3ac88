# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of an explained photo and of an explained video."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from smoe_ros.commands import results
from smoe_ros.commands.film import Film
from smoe_ros.commands.table import ContributionsTable
from smoe_ros.commands.tiles import draw_scales_sheet
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.images import Rgb
from smoe_ros.rendering import heat_map, lovi, overlay
from smoe_ros.rendering.overview import History, draw_overview, scale_bar


@dataclass(frozen=True)
class Style:
    """What drawing needs besides the explanation.

    Attributes:
        alpha: Share of the heat map in the overlay, 0..1.
        weights: Each scale's share of the weight, finest first.
        labels: Name of each class.
    """

    alpha: float
    weights: tuple[float, ...]
    labels: tuple[str, ...]

    def overlay(self, rgb: Rgb, explanation: FrameExplanation) -> Rgb:
        """Return the heat map on the frame, in its size."""
        return overlay(rgb, heat_map(explanation.class_scale_maps, self.weights), self.alpha)

    def caption(self, explanation: FrameExplanation) -> str:
        """Return the most probable class and its probability, empty without classes."""
        class_id = explanation.class_id
        if class_id < 0:
            return ''
        known = class_id < len(self.labels)
        name = self.labels[class_id] if known else f'class {class_id}'
        return f'{name} {explanation.class_probability:.2f}'


def write_photo(folder: Path, photo: Rgb, explanation: FrameExplanation, style: Style) -> None:
    """Write all files of a photo, an RGB image of shape (H, W, 3), uint8.

    Raises:
        OSError: If a file cannot be written.
    """
    height, width = photo.shape[:2]
    # Copied into the photo's size, for laying the files over each other.
    coloured = cv2.resize(lovi(explanation.class_scale_maps), (width, height))
    sheet = draw_scales_sheet(photo, explanation, style.caption(explanation))
    _write_png(folder / results.SALIENCY, _sixteen_bits(explanation.saliency, width, height))
    _write_png(folder / results.LOVI, coloured)
    _write_png(folder / results.OVERLAY, style.overlay(photo, explanation))
    _write_png(folder / results.SCALES, sheet)
    if explanation.rest is not None:
        _write_png(folder / results.REST, _sixteen_bits(explanation.rest, width, height))
    with (folder / results.CONTRIBUTIONS).open('w', encoding='utf-8', newline='') as file:
        ContributionsTable(file, style.labels).add(explanation, (height, width), 0.0)


@contextmanager
def video_files(
    folder: Path, rate: float, style: Style
) -> Iterator[Callable[[Rgb, FrameExplanation], None]]:
    """Create the files of a video of so many frames a second, and give what adds its next frame.

    Raises:
        OSError: If they cannot be written; so does what is given.
    """
    history, numbers = History(), itertools.count()
    with (
        (folder / results.CONTRIBUTIONS).open('w', encoding='utf-8', newline='') as file,
        Film(folder / results.VIDEO, rate) as film,
    ):
        table = ContributionsTable(file, style.labels)

        def add(rgb: Rgb, explanation: FrameExplanation) -> None:
            seconds, shares = next(numbers) / rate, explanation.contributions.tolist()
            bars = [scale_bar(*pair) for pair in zip(explanation.scales, shares, strict=True)]
            history.add(seconds, shares)
            picture = draw_overview(
                rgb,
                style.overlay(rgb, explanation),
                lovi(explanation.class_scale_maps),
                bars,
                style.caption(explanation),
                history,
            )
            film.add(picture)
            table.add(explanation, (rgb.shape[0], rgb.shape[1]), seconds)

        yield add


def _sixteen_bits(values: NDArray[np.float32], width: int, height: int) -> NDArray[np.uint16]:
    """Resize values in 0..1 to a photo's size and spread them over 0..65535."""
    resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.rint(np.clip(resized, 0, 1) * 65535).astype(np.uint16)


def _write_png(path: Path, pixels: NDArray[Any]) -> None:
    """Write a grey or RGB image; unlike OpenCV, say why it cannot be written."""
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode('.png', ordered)
    path.write_bytes(data.tobytes())
