# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview picture."""

from __future__ import annotations

import numpy as np
import pytest

from smoe_ros.overview import Bar, draw_overview, scale_colours
from smoe_ros.rendering import lovi

CAMERA = np.full((48, 64, 3), (200, 10, 10), np.uint8)
OVERLAY = np.full((48, 64, 3), (10, 200, 10), np.uint8)
LOVI = np.full((24, 32, 3), (10, 10, 200), np.uint8)


def draw(contributions: list[float], cell_width: int = 640) -> np.ndarray:
    bars = [Bar(f'layer{i}', contribution) for i, contribution in enumerate(contributions)]
    return draw_overview(CAMERA, OVERLAY, LOVI, bars, 'a caption', cell_width)


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(axis=2)


@pytest.mark.parametrize('count', [1, 2, 5, 8])
def test_bars_have_the_colours_that_lovi_gives_to_a_scale_alone(count: int) -> None:
    for index, colour in enumerate(scale_colours(count)):
        maps = np.zeros((count, 1, 2), np.float32)
        maps[index, 0, 0] = 1
        assert np.abs(lovi(maps)[0, 0].astype(int) - colour).max() <= 1


def test_cells_lie_in_reading_order() -> None:
    picture = draw([0.5, 0.5])
    rows, columns = picture.shape[0] // 2, picture.shape[1] // 2
    for colour, row, column in [
        ((200, 10, 10), 0, 0),
        ((10, 200, 10), 0, 1),
        ((10, 10, 200), 1, 0),
    ]:
        y, x = np.nonzero(coloured(picture, colour))
        assert len(y) > 10000
        assert y.mean() // rows == row
        assert x.mean() // columns == column


def test_camera_keeps_its_aspect_ratio() -> None:
    y, x = np.nonzero(coloured(draw([1.0]), (200, 10, 10)))
    assert (x.max() - x.min() + 1) / (y.max() - y.min() + 1) == pytest.approx(64 / 48, rel=0.01)


def test_bar_is_as_long_as_its_share() -> None:
    def length(contribution: float) -> int:
        picture = draw([contribution, 0.1])[: -(22 + 1)]
        return coloured(picture, scale_colours(2)[0]).any(axis=0).sum()

    assert length(0.4) == pytest.approx(2 * length(0.2), rel=0.05)
    assert length(0.0) <= 1


def test_negative_share_points_to_the_other_side() -> None:
    def middle(contribution: float) -> float:
        picture = draw([contribution, 0.1])[: -(22 + 1)]
        return np.nonzero(coloured(picture, scale_colours(2)[0]))[1].mean()

    assert middle(-0.1) < middle(0.1)


def test_an_overwhelming_share_stays_inside_the_picture() -> None:
    assert draw([7.0, -6.0]).shape == draw([0.5, 0.5]).shape


def test_picture_without_scales_is_drawn() -> None:
    assert draw([]).shape[1] == 1280
