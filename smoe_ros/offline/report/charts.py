# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report's plots as inline SVG that takes its colours from the page.

No text of the bag is given to matplotlib, which would read dollar signs as formulas.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from smoe_ros.offline.report.ratings import Band, Floats, column_edges

# matplotlib wants colours; these stand for those that the page decides about.
_INK = '#abcd00'
_SCALE = 0xABCE00
_SETTINGS = {
    'svg.fonttype': 'none',
    'axes.edgecolor': _INK,
    'axes.labelcolor': _INK,
    'text.color': _INK,
    'xtick.color': _INK,
    'ytick.color': _INK,
}


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


@dataclass(frozen=True)
class _Format:
    """Of a plot; one unit of it is one pixel on a screen of its width."""

    name: str
    width: int
    height: int
    text: float
    line: float


# Narrow for phones held upright, wide for everything else and for paper.
_FORMATS = (_Format('narrow', 330, 330, 11.5, 1.2), _Format('wide', 1060, 420, 15.5, 1.6))


def contribution_plot(
    key: str, series: Series, marks: Mapping[int, int], limits: tuple[float, float], title: str
) -> str:
    """Plot contributions and distances over time, for phones and for wide screens.

    Args:
        key: Another one for each plot of a page.
        series: The frames.
        marks: Frames that get a number in the plot: the number to the frame's place.
        limits: First and last second of the time axis.
        title: What a screen reader says, escaped.

    Returns:
        HTML.
    """
    shown = _thinned(series)
    markers = {
        number: (float(series.seconds[place]), float(series.distances[place]))
        for number, place in marks.items()
    }
    plots = [
        f'<div class="{form.name}">{_svg(_draw(key, shown, markers, limits, form), title)}</div>'
        for form in _FORMATS
    ]
    return f'<div class="plot">{"".join(plots)}</div>'


def frames_per_point(frames: int) -> int:
    """Return how many frames in a row one point of a plot stands for."""
    edges = column_edges(frames)
    return int(edges[1]) if len(edges) > 1 else 1


def band_strip(band: Band, limits: tuple[int, int], title: str) -> str:
    """Draw when a class was seen.

    Args:
        band: The class.
        limits: First and last time in nanoseconds.
        title: What a screen reader says, escaped.

    Returns:
        HTML.
    """
    unit = 1000 / max(limits[1] - limits[0], 1)
    begins = np.clip((band.spans[:, 0] - limits[0]) * unit, 0, 1000)
    # At least as wide as can be seen.
    widths = np.maximum(np.clip((band.spans[:, 1] - limits[0]) * unit, 0, 1000) - begins, 0.8)
    path = ''.join(
        f'M{begin:.1f} 0h{width:.1f}v10h-{width:.1f}z'
        for begin, width in zip(begins, widths, strict=True)
    )
    return (
        f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{title}">'
        f'<path d="{path}"/></svg>'
    )


def _thinned(series: Series) -> Series:
    """Average frames in a row where there are more than a screen has columns."""
    total = len(series.seconds)
    edges = column_edges(total)
    if len(edges) == total:
        return series
    counts = np.diff(edges, append=total)
    with np.errstate(invalid='ignore'):
        distances = np.fmax.reduceat(series.distances, edges)
    return Series(
        np.add.reduceat(series.seconds, edges) / counts,
        np.add.reduceat(series.contributions, edges) / counts[:, None],
        distances,
        np.unique(np.searchsorted(edges, series.begins, side='right') - 1),
    )


def _draw(
    key: str,
    series: Series,
    markers: Mapping[int, tuple[float, float]],
    limits: tuple[float, float],
    form: _Format,
) -> str:
    """Return a plot as matplotlib writes it."""
    file = io.StringIO()
    with mpl.rc_context(_SETTINGS | {'font.size': form.text, 'svg.hashsalt': key + form.name}):
        figure = Figure(figsize=(form.width / 72, form.height / 72), layout='constrained')
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(5, 2))
        seconds = np.insert(series.seconds, series.begins, np.nan)
        for index, shares in enumerate(series.contributions.T):
            line = np.insert(shares, series.begins, np.nan)
            _line(above, seconds, line * 100, f'#{_SCALE + index:06x}', form.line)
        above.set_ylabel('contribution (%)')
        distances = np.insert(series.distances, series.begins, np.nan)
        _line(below, seconds, distances, _INK, form.line * 0.8)
        for number, (second, distance) in markers.items():
            below.annotate(
                str(number),
                (second, distance),
                (0, 2),
                textcoords='offset points',
                ha='center',
                va='bottom',
                annotation_clip=False,
            )
        below.set_ylabel('distance')
        below.set_xlabel('seconds since the first message of the bag')
        below.set_ylim(0, max(np.nanmax(series.distances, initial=0) * 1.35, 0.02))
        begin, end = limits
        margin = max(end - begin, 0.1) * 0.01
        below.set_xlim(begin - margin, end + margin)
        for axes in (above, below):
            axes.grid(color=_INK, alpha=0.14, linewidth=0.8)
            axes.spines[['top', 'right']].set_visible(False)
            axes.locator_params(axis='y', nbins=5 if axes is above else 3)
        below.locator_params(axis='x', nbins=form.width // 60)
        figure.align_ylabels()
        figure.savefig(file, format='svg', transparent=True)
    return file.getvalue()


def _line(axes: Any, seconds: Floats, values: Floats, colour: str, width: float) -> None:
    # A frame between two breaks has no line, but a dot.
    known = np.isfinite(values)
    before, after = np.append(False, known[:-1]), np.append(known[1:], False)
    alone = known & ~before & ~after
    axes.plot(seconds, values, color=colour, linewidth=width, marker='.', markevery=_places(alone))


def _places(chosen: NDArray[np.bool_]) -> list[int]:
    return np.flatnonzero(chosen).tolist()


def _svg(document: str, title: str) -> str:
    """Return matplotlib's document as a part of a page.

    Without prologue, namespaces and metadata, which name addresses; without styles and ids that
    would concern the whole page; with the page's colours and font, and coordinates of a tenth of
    a pixel.
    """
    svg = document[document.index('<svg') :]
    svg = re.sub(r'<(metadata|style)\b.*?</\1>', '', svg, flags=re.DOTALL)
    svg = re.sub(
        r'<svg\b[^>]*?(viewBox="[^"]*")[^>]*>',
        lambda match: f'<svg {match[1]} role="img" aria-label="{title}">',
        svg,
        count=1,
    )
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    svg = re.sub(r'\sid="([^"]*)"', lambda match: match[0] if match[1] in used else '', svg)
    svg = re.sub(r'\bd="[^"]*"', lambda match: _rounded(match[0]), svg)
    # Versions of matplotlib differ in how they name the font.
    svg = re.sub(r'font-family: [^;"]*;? ?', '', svg)
    svg = re.sub(r'font: ([\d.]+px) [^;"]*', r'font-size: \1', svg)
    svg = svg.replace(_INK, 'currentColor')
    svg = re.sub(r'#abce([0-9a-f]{2})', lambda match: f'var(--s{int(match[1], 16)})', svg)
    return re.sub(r'\s*\n\s*', '\n', svg)


def _rounded(path: str) -> str:
    return re.sub(r'\d+\.\d{2,}', lambda match: f'{float(match[0]):.1f}', path)
