# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture of one frame: camera, overlay, LOVI with its legend, contributions as bars."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from smoe_ros.preprocessing import Rgb

_BACKGROUND = (24, 24, 28)
_TEXT = (235, 235, 235)
_FAINT = (120, 120, 128)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SIZE = 0.5
_TITLE_HEIGHT = 26
_LEGEND_HEIGHT = 22


@dataclass(frozen=True)
class Bar:
    """One scale's share.

    Attributes:
        label: The scale, as a person reads it.
        contribution: Its share; may be negative.
    """

    label: str
    contribution: float


class _ScaleLike(Protocol):
    """A scale of the explainer, or the message of one."""

    @property
    def layer(self) -> str: ...
    @property
    def call(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...


def scale_bar(scale: _ScaleLike, contribution: float) -> Bar:
    """Return the bar of a scale, labelled with its module, call and size."""
    # OpenCV's fonts have ASCII only, so no ×.
    size = f'{scale.channels} x {scale.height} x {scale.width}'
    return Bar(f'{scale.layer}#{scale.call}  {size}', contribution)


def scale_colours(count: int) -> list[tuple[int, int, int]]:
    """Return the colour that LOVI gives to each scale alone, finest first, as RGB 0..255."""
    positions = [1 - index / (count - 1) if count > 1 else 0.0 for index in range(count)]
    return [_hue_to_rgb(300 * position) for position in positions]


def draw_overview(
    camera: Rgb, overlay: Rgb, lovi: Rgb, bars: Sequence[Bar], caption: str, cell_width: int = 640
) -> Rgb:
    """Draw a frame's overview in a grid of two by two.

    Args:
        camera: The camera's image, shape (H, W, 3).
        overlay: Heat map on the camera's image.
        lovi: LOVI picture.
        bars: One a scale, finest first.
        caption: A line about the frame, for example its class.
        cell_width: Width of a cell in pixels.

    Returns:
        RGB picture, twice as wide as a cell.
    """
    height = round(cell_width * camera.shape[0] / camera.shape[1])
    cells = [
        _titled(_fit(camera, cell_width, height), 'camera'),
        _titled(_fit(overlay, cell_width, height), 'overlay: how salient'),
        _titled(_fit(lovi, cell_width, height), 'LOVI: which scale saw it'),
        _titled(_draw_bars(bars, caption, cell_width, height), 'contribution of each scale'),
    ]
    grid = np.vstack([np.hstack(cells[:2]), np.hstack(cells[2:])])
    return np.vstack([grid, _legend(2 * cell_width)])


def _draw_bars(bars: Sequence[Bar], caption: str, width: int, height: int) -> Rgb:
    panel = _blank(width, height)
    step = max((height - 34) // max(len(bars), 1), 1)
    label_width = 230 * width // 640
    # Room for the usual shares; a scale that takes nearly all is cut at the border.
    zero, unit = label_width + 40, (width - label_width - 110) / 0.6
    size = min((_size_within(bar.label, label_width) for bar in bars), default=_SIZE)
    cv2.line(panel, (zero, 4), (zero, step * len(bars)), _FAINT, 1)
    for row, (bar, colour) in enumerate(zip(bars, scale_colours(len(bars)), strict=True)):
        middle = row * step + step // 2
        half = max(min(step // 2 - 3, 14), 1)
        end = int(np.clip(zero + bar.contribution * unit, 4, width - 60))
        cv2.rectangle(
            panel, (min(zero, end), middle - half), (max(zero, end), middle + half), colour, -1
        )
        _write(panel, bar.label, (8, middle + 5), size)
        _write(panel, f'{bar.contribution:.0%}', (max(end, zero) + 6, middle + 5))
    _write(panel, caption, (8, height - 10), _size_within(caption, width - 16))
    return panel


def _legend(width: int) -> Rgb:
    strip = _blank(width, _LEGEND_HEIGHT)
    left, right = width // 4, 3 * width // 4
    for x in range(left, right):
        strip[4:-4, x] = _hue_to_rgb(300 * (1 - (x - left) / (right - left)))
    fine, deep = 'LOVI: finest scales', 'deepest scales; white: all, black: none'
    size = _size_within(deep, width // 4 - 20)
    _write(strip, fine, (left - _text_width(fine, size) - 10, 16), size)
    _write(strip, deep, (right + 10, 16), size)
    return strip


def _titled(image: Rgb, title: str) -> Rgb:
    bar = _blank(image.shape[1], _TITLE_HEIGHT)
    _write(bar, title, (8, 18))
    return np.vstack([bar, image])


def _fit(image: Rgb, width: int, height: int) -> Rgb:
    interpolation = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=interpolation)


def _blank(width: int, height: int) -> Rgb:
    return np.full((height, width, 3), _BACKGROUND, np.uint8)


def _write(image: Rgb, text: str, origin: tuple[int, int], size: float = _SIZE) -> None:
    cv2.putText(image, text, origin, _FONT, size, _TEXT, 1, cv2.LINE_AA)


def _size_within(text: str, width: int) -> float:
    """Return the text size at which a line fits a width in pixels, at most the usual one."""
    return _SIZE * min(1.0, width / max(_text_width(text, _SIZE), 1))


def _text_width(text: str, size: float) -> int:
    return cv2.getTextSize(text, _FONT, size, 1)[0][0]


def _hue_to_rgb(hue: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue / 360, 1, 1)
    return round(255 * red), round(255 * green), round(255 * blue)
