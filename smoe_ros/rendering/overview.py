# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture of one frame: camera, overlay, LOVI with its legend, contributions and their past.

Always of the same size, whatever the camera's, so that text stays readable and a video can be made
of it. `docs/recording.md` shows it.
"""

from __future__ import annotations

import colorsys
import functools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from smoe_ros.images import Rgb

WIDTH, HEIGHT = 1280, 720
HISTORY_SECONDS = 10.0

_CELL_WIDTH, _CELL_HEIGHT = WIDTH // 2, HEIGHT // 2
_BACKGROUND = (24, 24, 28)
_TEXT = (235, 235, 235)
_FAINT = (150, 150, 158)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SIZE = 0.5
_TITLE_HEIGHT = 26
_LEGEND_HEIGHT = 40
_LABEL_WIDTH = 250
_HISTORY_HEIGHT = 110
_TWO_LINES = 34
# Shares that bars and plot have room for; beyond, they are cut at the border.
_LEAST_SHARE, _MOST_SHARE = -0.1, 0.6
# A camera at 60 Hz for the whole of the history.
_MOST_MOMENTS = 600


@dataclass(frozen=True)
class Bar:
    """One scale's share.

    Attributes:
        label: The scale, as a person reads it.
        contribution: Its share; may be negative.
        note: A second, fainter line about it.
    """

    label: str
    contribution: float
    note: str = ''


class History:
    """The contributions of a camera's latest frames: `HISTORY_SECONDS` of them."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._moments: deque[tuple[float, tuple[float, ...]]] = deque(maxlen=_MOST_MOMENTS)

    def add(self, seconds: float, contributions: Sequence[float]) -> None:
        """Take note of a frame: its stamp, and one share a scale, finest first.

        Begins anew when time goes back, as at the start of a recording, or when the number of
        scales is another, as after a change of network.
        """
        moments = self._moments
        if moments and (seconds < moments[-1][0] or len(contributions) != len(moments[-1][1])):
            moments.clear()
        moments.append((seconds, tuple(map(float, contributions))))
        while moments[0][0] < seconds - HISTORY_SECONDS:
            moments.popleft()

    def past(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return when the frames were, in seconds before the latest, and their contributions.

        Returns:
            Times of shape (N,), the last of them 0; contributions of shape (N, S).
        """
        times = np.array([time for time, _ in self._moments])
        shares = np.array([shares for _, shares in self._moments])
        scales = len(self._moments[-1][1]) if self._moments else 0
        return times - times[-1:], shares.reshape(len(times), scales)


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
    """Return the bar of a scale: its module and call, below them its size."""
    # OpenCV's fonts have ASCII only, so no ×.
    size = f'{scale.channels} x {scale.height} x {scale.width}'
    return Bar(f'{scale.layer}#{scale.call}', contribution, size)


def scale_colours(count: int) -> list[tuple[int, int, int]]:
    """Return the colour that LOVI gives to each scale alone, finest first, as RGB 0..255."""
    positions = [1 - index / (count - 1) if count > 1 else 0.0 for index in range(count)]
    return [_hue_to_rgb(300 * position) for position in positions]


def draw_overview(
    camera: Rgb,
    overlay: Rgb,
    lovi: Rgb,
    bars: Sequence[Bar],
    caption: str,
    history: History | None = None,
) -> Rgb:
    """Draw a frame's overview: camera, overlay; LOVI, contributions.

    Args:
        camera: The camera's image, shape (H, W, 3).
        overlay: Heat map on the camera's image.
        lovi: LOVI picture.
        bars: One a scale, finest first.
        caption: A line about the frame, for example its class.
        history: The contributions up to this frame; None draws none.

    Returns:
        RGB picture, shape (HEIGHT, WIDTH, 3).
    """
    picture = _blank(WIDTH, HEIGHT)
    cells = (
        ('camera', _fitted(camera, _CELL_HEIGHT - _TITLE_HEIGHT)),
        ('overlay: how salient', _fitted(overlay, _CELL_HEIGHT - _TITLE_HEIGHT)),
        ('LOVI: which scale saw it', _draw_lovi(lovi, camera.shape[1] / camera.shape[0])),
        ('contribution of each scale', _draw_contributions(bars, caption, history)),
    )
    for index, (title, content) in enumerate(cells):
        row, column = divmod(index, 2)
        left, top = column * _CELL_WIDTH, row * _CELL_HEIGHT
        _write(picture, title, (left + 8, top + 18))
        bottom = top + _TITLE_HEIGHT + len(content)
        picture[top + _TITLE_HEIGHT : bottom, left : left + _CELL_WIDTH] = content
    return picture


def _draw_lovi(lovi: Rgb, aspect: float) -> Rgb:
    """Draw LOVI in the camera's aspect ratio, and its legend below."""
    height = _CELL_HEIGHT - _TITLE_HEIGHT - _LEGEND_HEIGHT
    return np.vstack([_fitted(lovi, height, aspect), _legend()])


@functools.cache
def _legend() -> Rgb:
    legend = _blank(_CELL_WIDTH, _LEGEND_HEIGHT)
    left, right = 90, _CELL_WIDTH - 90
    hues = [_hue_to_rgb(300 * (1 - x / (right - left))) for x in range(right - left)]
    legend[6:18, left:right] = hues
    _write(legend, 'finest', (left - 8 - _text_width('finest', _SIZE), 17))
    _write(legend, 'deepest', (right + 8, 17))
    meaning = 'strong colour: few scales   white: all of them   black: none'
    _write(legend, meaning, ((_CELL_WIDTH - _text_width(meaning, _SIZE)) // 2, 34))
    return legend


def _draw_contributions(bars: Sequence[Bar], caption: str, history: History | None) -> Rgb:
    panel = _blank(_CELL_WIDTH, _CELL_HEIGHT - _TITLE_HEIGHT)
    height = len(panel) - 30
    if history is not None and bars:
        height -= _HISTORY_HEIGHT
        times, shares = history.past()
        _draw_history(panel[height : height + _HISTORY_HEIGHT], times, shares)
    _draw_bars(panel[:height], bars)
    _write(panel, _shortened(caption, _CELL_WIDTH - 16), (8, len(panel) - 10))
    return panel


def _draw_bars(panel: Rgb, bars: Sequence[Bar]) -> None:
    if not bars:
        return
    step = max(len(panel) // len(bars), 1)
    # More scales than lines of text have room for are rare; their labels then lie closer.
    size = min(_SIZE, step / 32)
    room = _CELL_WIDTH - _LABEL_WIDTH - 60
    unit = room / (_MOST_SHARE - _LEAST_SHARE)
    zero = _LABEL_WIDTH + round(-_LEAST_SHARE * unit)
    cv2.line(panel, (zero, 4), (zero, min(step * len(bars), len(panel))), _FAINT, 1)
    for row, (bar, colour) in enumerate(zip(bars, scale_colours(len(bars)), strict=True)):
        middle = row * step + step // 2
        half = max(min(step // 2 - 2, 12), 1)
        end = int(np.clip(zero + bar.contribution * unit, _LABEL_WIDTH, _LABEL_WIDTH + room))
        ends = (min(zero, end), middle - half), (max(zero, end), middle + half)
        cv2.rectangle(panel, *ends, colour, -1)
        label = _shortened(bar.label, _LABEL_WIDTH - 12, size)
        # Two lines where there is room for them.
        two = bool(bar.note) and step >= _TWO_LINES
        _write(panel, label, (8, middle - 2 if two else middle + 5), size)
        if two:
            _write(panel, bar.note, (8, middle + 14), 0.42, _FAINT)
        _write(panel, f'{bar.contribution:.0%}', (max(end, zero) + 6, middle + 5), size)


def _draw_history(panel: Rgb, times: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    """Draw a line a scale over the past seconds, now at the right border."""
    if not len(times):
        return
    left, right, top, bottom = 60, _CELL_WIDTH - 16, 8, len(panel) - 22
    unit = (bottom - top) / (_MOST_SHARE - _LEAST_SHARE)
    for share in (0.0, 0.25, 0.5):
        y = round(bottom - (share - _LEAST_SHARE) * unit)
        cv2.line(panel, (left, y), (right, y), (56, 56, 62), 1)
        _write(panel, f'{share:.0%}', (left - 8 - _text_width(f'{share:.0%}', 0.42), y + 5), 0.42)
    _write(panel, f'-{HISTORY_SECONDS:.0f} s', (left, len(panel) - 6), 0.42)
    _write(panel, 'now', (right - _text_width('now', 0.42), len(panel) - 6), 0.42)
    x = right + times / HISTORY_SECONDS * (right - left)
    heights = (np.clip(shares, _LEAST_SHARE, _MOST_SHARE) - _LEAST_SHARE) * unit
    for column, colour in zip(bottom - heights.T, scale_colours(shares.shape[1]), strict=True):
        points = np.rint(np.stack([x, column], axis=1)).astype(np.int32)
        cv2.polylines(panel, [points], isClosed=False, color=colour, lineType=cv2.LINE_AA)


def _fitted(image: Rgb, height: int, aspect: float | None = None) -> Rgb:
    """Return an image in the middle of a cell's width, in its own or another aspect ratio."""
    aspect = aspect or image.shape[1] / image.shape[0]
    width, tall = min(_CELL_WIDTH, round(height * aspect)), height
    if width == _CELL_WIDTH:
        tall = min(round(width / aspect), height)
    width, tall = max(width, 1), max(tall, 1)
    interpolation = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_LINEAR
    cell = _blank(_CELL_WIDTH, height)
    left, top = (_CELL_WIDTH - width) // 2, (height - tall) // 2
    cell[top : top + tall, left : left + width] = cv2.resize(
        image, (width, tall), interpolation=interpolation
    )
    return cell


def _blank(width: int, height: int) -> Rgb:
    return _background(width, height).copy()


@functools.cache
def _background(width: int, height: int) -> Rgb:
    # A copy takes a tenth of the time of filling.
    return np.full((height, width, 3), _BACKGROUND, np.uint8)


def _write(
    image: Rgb,
    text: str,
    origin: tuple[int, int],
    size: float = _SIZE,
    colour: tuple[int, int, int] = _TEXT,
) -> None:
    cv2.putText(image, text, origin, _FONT, size, colour, 1, cv2.LINE_AA)


def _shortened(text: str, width: int, size: float = _SIZE) -> str:
    """Return the end of a line that fits a width in pixels: module paths differ in their ends."""
    if _text_width(text, size) <= width:
        return text
    while text and _text_width(f'..{text}', size) > width:
        text = text[1:]
    return f'..{text}'


def _text_width(text: str, size: float) -> int:
    return cv2.getTextSize(text, _FONT, size, 1)[0][0]


def _hue_to_rgb(hue: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue / 360, 1, 1)
    return round(255 * red), round(255 * green), round(255 * blue)
