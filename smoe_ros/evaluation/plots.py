# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of an evaluation: figures of every method, and the same pictures by every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from smoe_ros.evaluation.evaluated_network import Question
from smoe_ros.evaluation.map_methods import MapMethod

Row: TypeAlias = Mapping[str, Any]
# Told apart by those who see no colours, too: dark, middle, light.
_COLOURS = {'ours': '#1b4f9c', 'baseline': '#b3b3b3', 'peer': '#e08b2c'}
_NAMES = {'ours': 'smoe_ros', 'baseline': 'baseline', 'peer': "other libraries'"}
_STYLES = ('-', '--', ':', '-.')
_DPI = 110
_EXAMPLES = 7
_EXAMPLE_HEIGHT = 1.25
# No examples: maps that look the same on every picture, and those that look like Grad-CAM.
_NOT_SHOWN = ('random', 'centred Gaussian', 'Grad-CAM++', 'XGrad-CAM')
_BRIGHTEST = 0.995  # of the pixels; those above are as bright as can be


def draw_plots(
    summary: Mapping[str, Any],
    questions: Sequence[Question],
    methods: Sequence[MapMethod],
    folder: Path,
) -> list[str]:
    """Draw what a summary holds and example maps into a folder, and return the files' names."""
    figures = {}
    rows = [row for row in summary['methods'] if row['difference']]
    if rows:
        figures['quality.png'] = quality_figure(rows)
        figures['curves.png'] = _curves_figure(rows)
    if summary['randomisation']:
        figures['randomisation.png'] = _randomisation_figure(summary['randomisation'])
    # Those with boxes first, in their order.
    shown = sorted(questions, key=lambda question: not question.boxes)[:_EXAMPLES]
    figures['examples.png'] = _examples_figure(shown, methods)
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=_DPI)
    return list(figures)


def quality_figure(rows: Sequence[Row]) -> Figure:
    """Draw insertion − deletion of the summary's methods with its interval, and their time."""
    ordered = sorted(rows, key=lambda row: row['difference']['mean'])
    figure = Figure((13, 1.6 + 0.3 * len(ordered)), layout='constrained')
    bars, times = figure.subplots(1, 2, width_ratios=(1.5, 1), sharey=True)
    places = range(len(ordered))
    for kind, colour in _COLOURS.items():
        there = [place for place in places if ordered[place]['kind'] == kind]
        if there:
            means = [ordered[place]['difference']['mean'] for place in there]
            bars.barh(there, means, color=colour, label=_NAMES[kind])
            milliseconds = [ordered[place]['ms'] for place in there]
            times.scatter(milliseconds, there, color=colour)
    for place in places:
        value = ordered[place]['difference']
        if value['low'] is not None:
            bars.plot([value['low'], value['high']], [place, place], color='black', linewidth=1.2)
    bars.set_yticks(places, [row['name'] for row in ordered])
    bars.axvline(0, color='black', linewidth=0.8)
    bars.set_xlabel('insertion − deletion: mean and 95 % interval (more is better)')
    bars.legend(loc='lower right')
    times.set_xscale('log')
    times.set_xlabel('milliseconds a picture (less is better)')
    times.grid(alpha=0.3)
    return figure


def _curves_figure(rows: Sequence[Row]) -> Figure:
    """Draw the mean probability as pixels are deleted and inserted."""
    figure = Figure((13, 4.6), layout='constrained')
    for axes, kind, better, done in zip(
        figure.subplots(1, 2),
        ('deletion', 'insertion'),
        ('lower', 'higher'),
        ('deleted, most salient first', 'inserted into the blur'),
        strict=True,
    ):
        seen = dict.fromkeys(_COLOURS, 0)
        for row in rows:
            curve, number = row['curves'][kind], seen[row['kind']]
            seen[row['kind']] += 1
            axes.plot(
                np.linspace(0, 100, len(curve)),
                curve,
                _STYLES[number % len(_STYLES)],
                color=_COLOURS[row['kind']],
                linewidth=2.4 if number < len(_STYLES) else 1.2,
                label=row['name'],
            )
        axes.set(xlabel=f'% of the pixels {done}', ylabel='probability of the class')
        axes.set_title(f'{kind}: {better} is better')
        axes.grid(alpha=0.3)
    axes.legend(fontsize=7, ncols=2)
    return figure


def _randomisation_figure(randomisation: Row) -> Figure:
    """Draw how like each scale's map remains as the network becomes random from the top."""
    figure = Figure((13, 4.6), layout='constrained')
    steps, scales = randomisation['steps'], len(randomisation['scales'])
    layers = [step['layer'] for step in steps]
    axes: Axes
    for axes, (name, title) in zip(
        figure.subplots(1, 2),
        (('spearman', 'Spearman correlation'), ('ssim', 'structural similarity')),
        strict=True,
    ):
        for scale in range(scales + 1):
            fused = scale == scales
            axes.plot(
                [np.nan if step[name][scale] is None else step[name][scale] for step in steps],
                marker='o',
                color='black' if fused else str(0.75 - 0.65 * scale / scales),
                linestyle='--' if fused else '-',
                label='fused' if fused else f'scale {scale + 1}',
            )
        axes.set_xticks(range(len(steps)), layers, rotation=40, ha='right', fontsize=8)
        axes.set(title=f'{title} with the map of the trained network', xlabel='random down to')
        axes.grid(alpha=0.3)
        axes.axhline(0, color='black', linewidth=0.8)
    axes.legend(fontsize=8)
    return figure


def _examples_figure(questions: Sequence[Question], methods: Sequence[MapMethod]) -> Figure:
    """Draw a column a picture and a row a method, each map from its minimum to nearly its maximum.

    What a method cannot do is left empty.
    """
    methods = [one for one in methods if not one.name.endswith(_NOT_SHOWN)] or methods
    sizes = [question.image.shape[1:] for question in questions]
    widths = [_EXAMPLE_HEIGHT * width / height for height, width in sizes]
    figure = Figure(
        (1.6 + sum(widths), 0.35 + (_EXAMPLE_HEIGHT + 0.06) * (len(methods) + 1)),
        layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0),
    )
    rows = figure.subplots(len(methods) + 1, len(questions), width_ratios=widths, squeeze=False)
    for axes, question, (height, width) in zip(rows[0], questions, sizes, strict=True):
        axes.imshow(cv2.resize(question.rgb, (width, height), interpolation=cv2.INTER_AREA))
        for x0, y0, x1, y1 in question.boxes:
            sides = x1 - x0, y1 - y0
            axes.add_patch(
                Rectangle((x0, y0), *sides, fill=False, edgecolor='white', linewidth=1.2)
            )
        name = question.label_name.split(',')[0]
        axes.set_title(f'{name}\n{100 * question.probability:.0f} %', fontsize=7)
    for row, method in zip(rows[1:], methods, strict=True):
        for axes, question in zip(row, questions, strict=True):
            _draw_map(axes, question, method)
        label = method.name.replace(' (', '\n(')
        row[0].set_ylabel(label, rotation=0, ha='right', va='center', fontsize=8)
    for axes in rows.flat:
        axes.set(xticks=[], yticks=[])
    return figure


def _draw_map(axes: Axes, question: Question, method: MapMethod) -> None:
    try:
        saliency = method.of(question.image, question.label)
    except (ValueError, RuntimeError):  # was told when it was measured
        return
    # Gradients have single pixels so large that nothing else would be seen.
    axes.imshow(saliency, cmap='inferno', vmax=float(np.quantile(saliency, _BRIGHTEST)))
