# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

Row = Mapping[str, Any]
# Told apart by those who see no colours, too: dark, middle, light.
_COLOURS = {'ours': '#1b4f9c', 'baseline': '#b3b3b3', 'peer': '#e08b2c'}
_NAMES = {'ours': 'smoe_ros', 'baseline': 'baseline', 'peer': "other libraries'"}
_DPI = 110
# Where a name may stand beside its point, the best first.
_PLACES: tuple[dict[str, Any], ...] = tuple(
    {'xytext': (x, y), 'ha': across, 'va': along}
    for y, along in ((0, 'center'), (4, 'bottom'), (-4, 'top'), (15, 'bottom'), (-15, 'top'))
    for x, across in ((7, 'left'), (-7, 'right'))
)
_DOT = 8.0  # pixels that a point takes


def draw_plots(summary: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw what a summary holds into a folder, and return the files."""
    drawn = []
    rows = [row for row in summary['methods'] if row.get('difference')]
    if rows:
        drawn.append(_save(quality_figure(rows), folder / 'quality.png'))
        if 'curves' in rows[0]:
            drawn.append(_save(curves_figure(rows), folder / 'curves.png'))
    if summary.get('randomisation'):
        figure = randomisation_figure(summary['randomisation'])
        drawn.append(_save(figure, folder / 'randomisation.png'))
    return drawn


def is_variant(name: str) -> bool:
    """Say whether a method is a variant of Grad-CAM, which would be drawn over it."""
    return name.endswith(('Grad-CAM++', 'XGrad-CAM'))


def quality_figure(rows: Sequence[Row]) -> Figure:
    """Draw insertion − deletion with its interval, and beside it against the time."""
    ordered = sorted(rows, key=lambda row: row['difference']['mean'])
    figure = Figure((13, 1.6 + 0.3 * len(ordered)), layout='constrained')
    bars, times = figure.subplots(1, 2, width_ratios=(1.25, 1))
    for place, row in enumerate(ordered):
        value = row['difference']
        bars.barh(place, value['mean'], color=_COLOURS[row['kind']])
        if value.get('low') is not None:
            bars.plot([value['low'], value['high']], [place, place], color='black', linewidth=1.2)
    bars.set_yticks(range(len(ordered)), [row['name'] for row in ordered])
    bars.axvline(0, color='black', linewidth=0.8)
    bars.set_xlabel('insertion − deletion: mean and 95 % interval (more is better)')
    for kind, colour in _COLOURS.items():
        if any(row['kind'] == kind for row in rows):
            bars.barh(0, 0, color=colour, label=_NAMES[kind])
    bars.legend(loc='lower right')
    timed = [row for row in ordered if row.get('ms')]
    _draw_times(times, timed)
    figure.draw_without_rendering()  # what is where is known afterwards
    _write_names(times, timed)
    return figure


def _draw_times(axes: Axes, rows: Sequence[Row]) -> None:
    for row in rows:
        axes.scatter(
            row['ms'], row['difference']['mean'], color=_COLOURS[row['kind']], s=_DOT**2 / 2
        )
    axes.set_xscale('log')
    axes.margins(x=0.25, y=0.1)
    axes.grid(alpha=0.3)
    axes.set(xlabel='milliseconds a picture', ylabel='insertion − deletion')


def _write_names(axes: Axes, rows: Sequence[Row]) -> None:
    """Write names beside their points, where they cover neither a point nor each other."""
    points = [(row['ms'], row['difference']['mean']) for row in rows]
    taken = [
        Bbox.from_bounds(x - _DOT / 2, y - _DOT / 2, _DOT, _DOT)
        for x, y in axes.transData.transform(points)
    ]
    named = [(row['name'], at, row['kind']) for row, at in zip(rows, points, strict=True)]
    # Our own first, which get the best places.
    for name, point, _ in sorted(named, key=lambda one: one[2] != 'ours'):
        if is_variant(name):
            continue
        for place in _PLACES:
            text = axes.annotate(name, point, textcoords='offset points', fontsize=8, **place)
            text.set_in_layout(False)
            box = text.get_window_extent()
            inside = all(axes.bbox.contains(*corner) for corner in box.corners())
            if (inside and not box.count_overlaps(taken)) or place is _PLACES[-1]:
                taken.append(box)
                break
            text.remove()


def curves_figure(rows: Sequence[Row]) -> Figure:
    """Draw the mean probability as pixels are deleted and inserted."""
    figure = Figure((13, 4.6), layout='constrained')
    styles = ('-', '--', ':', '-.')
    for axes, kind in zip(figure.subplots(1, 2), ('deletion', 'insertion'), strict=True):
        seen = dict.fromkeys(_COLOURS, 0)
        for row in rows:
            curve = row['curves'][kind]
            style = styles[seen[row['kind']] % len(styles)]
            width = 2.4 if seen[row['kind']] < len(styles) else 1.2
            seen[row['kind']] += 1
            axes.plot(
                np.linspace(0, 100, len(curve)),
                curve,
                style,
                color=_COLOURS[row['kind']],
                linewidth=width,
                label=row['name'],
            )
        done = 'deleted, most salient first' if kind == 'deletion' else 'inserted into the blur'
        axes.set(xlabel=f'% of the pixels {done}', ylabel='probability of the class')
        axes.set_title(f'{kind}: {"lower" if kind == "deletion" else "higher"} is better')
        axes.grid(alpha=0.3)
    axes.legend(fontsize=7, ncols=2)
    return figure


def randomisation_figure(randomisation: Row) -> Figure:
    """Draw how like each scale's map remains as the network becomes random from the top."""
    figure = Figure((13, 4.6), layout='constrained')
    steps = randomisation['steps']
    scales = len(randomisation['scales'])
    titles = {'spearman': 'Spearman correlation', 'ssim': 'structural similarity'}
    for axes, (name, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for scale in range(scales + 1):
            values = [step[name][scale] for step in steps]
            fused = scale == scales
            axes.plot(
                range(len(values)),
                [np.nan if value is None else value for value in values],
                marker='o',
                color='black' if fused else str(0.75 - 0.65 * scale / scales),
                linestyle='--' if fused else '-',
                label='fused' if fused else f'scale {scale + 1}',
            )
        axes.set_xticks(
            range(len(steps)),
            [step['layer'] for step in steps],
            rotation=40,
            ha='right',
            fontsize=8,
        )
        axes.set(title=f'{title} with the map of the trained network', xlabel='random down to')
        axes.grid(alpha=0.3)
        axes.axhline(0, color='black', linewidth=0.8)
    axes.legend(fontsize=8)
    return figure


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=_DPI)
    return path
