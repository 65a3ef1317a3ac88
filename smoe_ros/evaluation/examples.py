# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Example maps: the same pictures by every method, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from smoe_ros.evaluation.arrays import stretched
from smoe_ros.evaluation.evaluated_network import Question
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.plots import is_variant

_WIDTH = 1.25
_DPI = 110
_SHOWN = 0.995  # of the pixels; those above are as bright as can be


def draw_examples(questions: Sequence[Question], methods: Sequence[MapMethod], path: Path) -> None:
    """Draw a column a picture and a row a method, each map from its minimum to nearly its maximum.

    Maps that look the same on every picture, and variants, are left out.

    Args:
        questions: The pictures.
        methods: What makes the maps.
        path: PNG or JPEG to write.
    """
    methods = [method for method in methods if not _says_nothing(method)] or methods
    shapes = [question.image.shape[1:] for question in questions]
    widths = [_WIDTH * shape[1] / shape[0] for shape in shapes]
    size = (1.6 + sum(widths), 0.35 + (_WIDTH + 0.06) * (len(methods) + 1))
    close = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    figure = Figure(size, layout=close)
    rows = figure.subplots(len(methods) + 1, len(questions), width_ratios=widths, squeeze=False)
    for axes, question in zip(rows[0], questions, strict=True):
        height, width = question.image.shape[1:]
        axes.imshow(cv2.resize(question.rgb, (width, height), interpolation=cv2.INTER_AREA))
        for box in question.boxes:
            corner, sides = (box.x0, box.y0), (box.x1 - box.x0, box.y1 - box.y0)
            axes.add_patch(Rectangle(corner, *sides, fill=False, edgecolor='white', linewidth=1.2))
        name = question.label_name.split(',')[0]
        axes.set_title(f'{name}\n{100 * question.probability:.0f} %', fontsize=7)
    for row, method in zip(rows[1:], methods, strict=True):
        for axes, question in zip(row, questions, strict=True):
            # Gradients have single pixels so large that nothing else would be seen.
            shown = stretched(method.of(question.image, question.label), _SHOWN)
            axes.imshow(shown, cmap='inferno', vmin=0, vmax=1)
        row[0].set_ylabel(
            method.name.replace(' (', '\n('), rotation=0, ha='right', va='center', fontsize=8
        )
    for axes in rows.flat:
        axes.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=_DPI)


def _says_nothing(method: MapMethod) -> bool:
    return method.name in ('random', 'centred Gaussian') or is_variant(method.name)
