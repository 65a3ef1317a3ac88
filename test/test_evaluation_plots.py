# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The plots of an evaluation can be read."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from smoe_ros.evaluation.plots import quality_figure

RECORDED = Path(__file__).parents[1] / 'docs' / 'quality' / 'evaluation.json'


def rows_of(points):
    return [
        {'name': f'method {number}', 'kind': 'peer', 'ms': ms, 'difference': {'mean': value}}
        for number, (ms, value) in enumerate(points)
    ]


CROWDED = rows_of(
    [(900, 0.178), (26, 0.178), (89, 0.175), (880, 0.173), (27, 0.1735), (0.1, 0.0), (24, 0.172)]
)


@pytest.mark.parametrize('rows', [json.loads(RECORDED.read_text())['methods'], CROWDED])
def test_no_name_in_the_plot_of_times_covers_another_or_a_point(rows):
    axes = quality_figure(rows).axes[1]
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert len(boxes) >= 6
    for (one, first), (other, second) in itertools.combinations(boxes.items(), 2):
        assert not first.overlaps(second), (one, other)
    dots = axes.transData.transform([(row['ms'], row['difference']['mean']) for row in rows])
    for name, box in boxes.items():
        assert not any(box.contains(*dot) for dot in dots), name
        assert all(axes.bbox.contains(*corner) for corner in box.corners()), name


def test_a_name_stands_beside_its_own_point():
    axes = quality_figure(CROWDED).axes[1]
    for text in axes.texts:
        dot = axes.transData.transform(text.xy)
        box = text.get_window_extent()
        nearest = np.clip(dot, [box.x0, box.y0], [box.x1, box.y1])
        assert np.hypot(*(nearest - dot)) < 30
