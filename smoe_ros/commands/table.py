# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""``contributions.csv``: what each scale contributed, a row a frame."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TextIO, TypeAlias

from smoe_ros.explainer.frame_explanation import FrameExplanation, rescaled_points

_FRAME_COLUMNS = (
    'frame',
    'time_s',
    'class_id',
    'class_label',
    'class_probability',
    'peak_x',
    'peak_y',
)
Row: TypeAlias = list[str | int]


class ContributionsTable:
    """Writes the rows of one photo or video; the columns come with the first frame."""

    def __init__(self, file: TextIO, labels: Sequence[str]) -> None:
        """Write to a file opened with ``newline=''``; labels are the name of each class."""
        self._writer = csv.writer(file, lineterminator='\n')
        self._labels = labels
        self._frames = 0

    def add(
        self, explanation: FrameExplanation, source_size: tuple[int, int], seconds: float
    ) -> None:
        """Write the row of the next frame: its height and width in pixels, its time in a video."""
        if not self._frames:
            self._writer.writerow(_header(explanation))
        # In pixels of the source.
        peak = rescaled_points(explanation.peak, explanation.saliency.shape, source_size)
        class_id = explanation.class_id
        label = self._labels[class_id] if 0 <= class_id < len(self._labels) else ''
        row: Row = [self._frames, _figure(seconds), class_id, label]
        row += map(_figure, (explanation.class_probability, *peak))
        row += map(_figure, explanation.contributions)
        row += map(_figure, explanation.information)
        self._writer.writerow(row)
        self._frames += 1


def _header(explanation: FrameExplanation) -> Row:
    names = [f'{scale.layer}#{scale.call}' for scale in explanation.scales]
    figures = ('contribution', 'information')
    return [*_FRAME_COLUMNS, *(f'{figure}:{name}' for figure in figures for name in names)]


def _figure(value: float) -> str:
    """Write a float32 so that reading it back gives the same one."""
    return f'{float(value):.9g}'
