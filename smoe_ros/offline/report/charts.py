# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report's charts: lines as paths of SVG, which the page stretches, and places of texts.

A chart's own coordinates go from 0 to `BOX`, from its left and from its top.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from smoe_ros.offline.report.ratings import Band, Floats, column_edges
from smoe_ros.rendering.overview import scale_colours

BOX = 1000
_Number = TypeVar('_Number', float, NDArray[Any])
# Between a line and what it is drawn on, as accessibility rules want it of graphics.
_LEAST_CONTRAST = 3.0


@dataclass(frozen=True)
class Axis:
    """What an axis spans, and its ticks: where each is as a share of the axis, and its text."""

    low: float
    high: float
    count: int

    def place(self, value: _Number) -> _Number:
        """Return where a value is, 0..1 for those within the axis."""
        return (value - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Ticks at round values, about `count` of them."""
        raw = (self.high - self.low) / self.count
        power = 10.0 ** math.floor(math.log10(raw))
        step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= 0.99 * raw)
        digits = max(-math.floor(math.log10(step)), 0)
        values = np.arange(math.ceil(self.low / step), math.floor(self.high / step) + 1) * step
        places = self.place(values)
        return [(place, f'{v:.{digits}f}') for place, v in zip(places, values, strict=True)]


@dataclass(frozen=True)
class Chart:
    """Lines over time, a path each, and their axes."""

    lines: tuple[str, ...]
    across: Axis
    up: Axis


@dataclass(frozen=True)
class Series:
    """What is plotted of a group of frames.

    Attributes:
        seconds: When they were, shape (N,).
        contributions: Shape (N, S).
        distances: From the running mean, NaN where not rated; shape (N,).
        begins: Frames where the line is broken: the stream's time goes back; shape (K,).
    """

    seconds: Floats
    contributions: Floats
    distances: Floats
    begins: NDArray[np.int64]

    def charts(self, limits: tuple[float, float]) -> tuple[Chart, Chart]:
        """Draw contributions, and distances, over a time axis from first to last second."""
        margin = max(limits[1] - limits[0], 0.1) * 0.01
        across = Axis(limits[0] - margin, limits[1] + margin, 5)
        thin = self._thinned()
        shares = thin.contributions * 100
        room = max(float(np.ptp(shares)), 1) * 0.05
        up = Axis(float(shares.min()) - room, float(shares.max()) + room, 5)
        farthest = float(np.nanmax(thin.distances, initial=0))
        far = Axis(0, max(farthest * 1.35, 0.02), 3)
        lines = tuple(thin._line(row, across, up) for row in shares.T)
        distance = thin._line(thin.distances, across, far)
        return Chart(lines, across, up), Chart((distance,), across, far)

    def _thinned(self) -> Series:
        """Average frames in a row where there are more than a screen has columns."""
        total = len(self.seconds)
        edges = column_edges(total)
        if len(edges) == total:
            return self
        counts = np.diff(edges, append=total)
        with np.errstate(invalid='ignore'):
            distances = np.fmax.reduceat(self.distances, edges)
        return Series(
            np.add.reduceat(self.seconds, edges) / counts,
            np.add.reduceat(self.contributions, edges) / counts[:, None],
            distances,
            np.unique(np.searchsorted(edges, self.begins, side='right') - 1),
        )

    def _line(self, values: Floats, across: Axis, up: Axis) -> str:
        """Return a path through values, broken where there is none."""
        x = np.insert(across.place(self.seconds), self.begins, np.nan) * BOX
        y = np.insert(1 - up.place(values), self.begins, np.nan) * BOX
        parts, drawing = [], False
        for right, down in zip(x.tolist(), y.tolist(), strict=True):
            known = not math.isnan(down)
            if known:
                # A line of no length shows a frame between two breaks as a dot.
                parts.append(
                    f'L{right:.1f} {down:.1f}' if drawing else f'M{right:.1f} {down:.1f}h0'
                )
            drawing = known
        return ''.join(parts)


def band_strip(band: Band, limits: tuple[int, int]) -> str:
    """Return the path of when a class was seen, from first to last time in nanoseconds."""
    begins, ends = np.clip((band.spans.T - limits[0]) / max(limits[1] - limits[0], 1), 0, 1) * BOX
    # At least as wide as can be seen.
    widths = np.maximum(ends - begins, 0.8)
    return ''.join(
        f'M{begin:.1f} 0h{width:.1f}v{BOX}h-{width:.1f}z'
        for begin, width in zip(begins, widths, strict=True)
    )


def line_colours(count: int, paper: tuple[int, int, int]) -> list[str]:
    """Return the colours of so many scales in LOVI, each mixed with ink until it can be seen.

    Args:
        count: Number of scales.
        paper: What lines are drawn on, as RGB 0..255; the ink is black on a light one, or white.

    Returns:
        Colours as CSS has them; their contrast with the paper is that of WCAG 2 for graphics.
    """
    light = _luminance(np.array(paper))
    colours = np.array(scale_colours(count))[:, None]
    ink = 0 if light > 0.5 else 255
    mixed = np.rint(colours + (ink - colours) * np.arange(0, 1, 0.04)[:, None])
    levels = _luminance(mixed)
    contrast = (np.maximum(levels, light) + 0.05) / (np.minimum(levels, light) + 0.05)
    first = np.argmax(contrast >= _LEAST_CONTRAST, axis=1)
    chosen = mixed[np.arange(count), first].astype(np.uint8)
    return [f'#{colour.tobytes().hex()}' for colour in chosen]


def _luminance(colours: NDArray[Any]) -> Floats:
    """Return the relative luminance of sRGB colours 0..255, shape (..., 3), as WCAG 2 has it."""
    parts = colours / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722))
