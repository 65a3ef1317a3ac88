# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview picture."""

from __future__ import annotations

import numpy as np
import pytest

from smoe_ros.rendering import (
    HISTORY_SECONDS,
    Bar,
    History,
    draw_overview,
    lovi,
    scale_colours,
)
from smoe_ros.rendering.overview import HEIGHT, WIDTH

CAMERA = np.full((48, 64, 3), (200, 10, 10), np.uint8)
OVERLAY = np.full((48, 64, 3), (10, 200, 10), np.uint8)
LOVI = np.full((24, 32, 3), (10, 10, 200), np.uint8)


# Bars and history; LOVI's legend has all colours.
CONTRIBUTIONS = np.s_[HEIGHT // 2 :, WIDTH // 2 :]


def draw(contributions: list[float], history: History | None = None) -> np.ndarray:
    bars = [Bar(f'layer{i}', contribution) for i, contribution in enumerate(contributions)]
    return draw_overview(CAMERA, OVERLAY, LOVI, bars, 'a caption', history)


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


def test_bar_is_as_long_as_its_share() -> None:
    def length(contribution: float) -> int:
        picture = draw([contribution, 0.1])[CONTRIBUTIONS]
        return coloured(picture, scale_colours(2)[0]).any(axis=0).sum()

    assert length(0.4) == pytest.approx(2 * length(0.2), rel=0.05)
    assert length(0.0) <= 1


def test_negative_share_points_to_the_other_side() -> None:
    def middle(contribution: float) -> float:
        picture = draw([contribution, 0.1])[CONTRIBUTIONS]
        return np.nonzero(coloured(picture, scale_colours(2)[0]))[1].mean()

    assert middle(-0.1) < middle(0.1)


def test_an_overwhelming_share_stays_inside_the_picture() -> None:
    assert draw([7.0, -6.0]).shape == draw([0.5, 0.5]).shape


def test_picture_without_scales_is_drawn() -> None:
    assert draw([]).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize('size', [(480, 640), (272, 640), (1080, 1920), (640, 480), (48, 700)])
def test_picture_is_1280x720_whatever_the_camera(size: tuple[int, int]) -> None:
    camera = np.full((*size, 3), (200, 10, 10), np.uint8)
    picture = draw_overview(camera, camera, LOVI, [Bar('a', 1.0)], '', History())
    assert picture.shape == (720, 1280, 3)
    y, x = np.nonzero(coloured(picture[: HEIGHT // 2, : WIDTH // 2], (200, 10, 10)))
    width, height = x.max() - x.min() + 1, y.max() - y.min() + 1
    assert width / height == pytest.approx(size[1] / size[0], rel=0.02)


def moments(*seconds: float, scales: int = 2) -> History:
    history = History()
    for second in seconds:
        history.add(second, [0.1] * scales)
    return history


def test_history_keeps_ten_seconds() -> None:
    times, shares = moments(0, 3, 5, 12.5, 14).past()
    assert times.tolist() == [-9, -1.5, 0]
    assert shares.shape == (3, 2)
    assert HISTORY_SECONDS == 10


def test_history_begins_anew_when_time_goes_back_or_the_scales_are_others() -> None:
    history = moments(5, 6, 2)
    assert history.past()[0].tolist() == [0]
    history.add(2.5, [0.2] * 3)
    assert history.past()[1].tolist() == [[0.2] * 3]


def test_history_shows_what_a_scale_contributed_when() -> None:
    history = History()
    for second in range(11):
        history.add(second, [0.5 if second < 5 else 0.1, 0.3])
    plot = draw([0.1, 0.3], history)[CONTRIBUTIONS][-130:]
    # Lines are smoothed: nearly its colour.
    distance = np.abs(plot.astype(int) - scale_colours(2)[0]).sum(axis=2)
    y, x = np.nonzero(distance < 150)
    early, late = y[x < x.mean() - 100].mean(), y[x > x.mean() + 100].mean()
    assert early < late - 20  # higher up
