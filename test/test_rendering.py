# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the colours mean: LOVI, the heat map and the overlay, against their legends and oracles."""

import colorsys

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smoe_ros.rendering import heat_map, lovi, overlay

BLACK, WHITE, RED, VIOLET = (0, 0, 0), (255, 255, 255), (255, 0, 0), (255, 0, 255)

law = settings(deadline=None, max_examples=40, database=None)
unit_maps = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5)),
    # Levels far enough apart to be activity: below 1e-9 a range is rounding, not a pattern.
    elements=st.integers(0, 1000).map(lambda level: level / 1000),
)


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def picture(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def legend(count):
    """Return maps (S, 1, S + 2): no scale, then each scale alone, finest first, then all."""
    row = [np.zeros(count), *np.eye(count), np.ones(count)]
    return np.array(row, dtype=np.float32).T[:, None, :]


def assert_within_a_grey_level(actual, exact):
    """Compare with an oracle's colours in 0..1, to one level of 255."""
    assert actual.dtype == np.uint8
    assert actual.shape == exact.shape
    assert np.abs(actual.astype(np.float64) - 255 * exact).max() <= 1


# --- LOVI ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('count', [2, 3, 5, 7])
def test_lovi_is_violet_where_only_the_finest_scale_is_active(count):
    assert tuple(lovi(legend(count))[0, 1]) == VIOLET


@pytest.mark.parametrize('count', [2, 3, 5, 7])
def test_lovi_is_red_where_only_the_deepest_scale_is_active(count):
    assert tuple(lovi(legend(count))[0, count]) == RED


@pytest.mark.parametrize('count', [2, 3, 5, 7])
def test_lovi_is_white_where_all_scales_agree(count):
    assert tuple(lovi(legend(count))[0, -1]) == WHITE


@pytest.mark.parametrize('count', [1, 2, 3, 5, 7])
def test_lovi_is_black_where_no_scale_is_active(count):
    assert tuple(lovi(legend(count))[0, 0]) == BLACK


def test_lovi_of_a_single_scale_is_red_and_as_bright_as_the_map():
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16)
    rendered = lovi(ramp)
    assert_within_a_grey_level(rendered[..., 0], ramp[0].astype(np.float64))
    assert not rendered[..., 1:].any()


def test_lovi_spaces_the_hues_evenly_from_300_degrees_to_0():
    expected = [colorsys.hsv_to_rgb(hue / 360, 1, 1) for hue in (300, 225, 150, 75, 0)]
    assert_within_a_grey_level(lovi(legend(5))[0, 1:6], np.array(expected))


@pytest.mark.parametrize('level', [0.0, 0.5, 1.0])
@pytest.mark.parametrize('count', [1, 5])
def test_lovi_of_flat_maps_is_black(level, count):
    assert not lovi(np.full((count, 4, 6), level, dtype=np.float32)).any()


def test_lovi_stretches_all_scales_by_one_common_range():
    # The second scale reaches half of the first one's height: it must stay half as bright.
    rendered = lovi(np.array([[[0.2, 0.8, 0.2]], [[0.2, 0.2, 0.5]]], dtype=np.float32))
    assert tuple(rendered[0, 1]) == VIOLET
    assert_within_a_grey_level(rendered[0, 2], np.array([0.5, 0, 0]))


RENDERING_SHAPES = [
    (5, 24, 32),
    (5, 7, 13),
    (3, 13, 4),
    (2, 1, 9),
    (1, 6, 5),
    (7, 5, 5),
    (4, 1, 1),
]


@pytest.mark.parametrize('shape', RENDERING_SHAPES, ids=str)
def test_lovi_agrees_with_the_oracle(shape):
    scale_maps = uniform(*shape)
    assert_within_a_grey_level(lovi(scale_maps), oracles.lovi(scale_maps))


@law
@given(unit_maps)
def test_lovi_agrees_with_the_oracle_on_any_maps(scale_maps):
    assert_within_a_grey_level(lovi(scale_maps), oracles.lovi(scale_maps))


# --- heat map -----------------------------------------------------------------------------------


def ramp_of_one_scale(count):
    """Return maps in which the deepest scale rises from 0 to 1 and the others are silent."""
    scale_maps = np.zeros((count, 1, 101), dtype=np.float32)
    scale_maps[-1] = np.linspace(0, 1, 101)
    return scale_maps


@pytest.mark.parametrize('count', [1, 2, 5])
def test_heat_map_is_black_where_nothing_is_salient_and_red_at_the_peak(count):
    rendered = heat_map(ramp_of_one_scale(count))
    assert tuple(rendered[0, 0]) == BLACK
    assert tuple(rendered[0, -1]) == RED


@pytest.mark.parametrize('count', [1, 2, 5])
def test_heat_map_runs_from_blue_over_green_to_red(count):
    rendered = heat_map(ramp_of_one_scale(count))[0]
    strongest = rendered.argmax(axis=1)
    assert (strongest[3:25] == 2).all()
    assert (strongest[26:75] == 1).all()
    assert (strongest[76:] == 0).all()


def test_heat_map_is_colourless_where_all_scales_agree():
    assert tuple(heat_map(legend(5))[0, -1]) == WHITE


def test_heat_map_follows_the_weights():
    scale_maps = legend(2)[:, :, :3]
    finest_counts = heat_map(scale_maps, weights=(1.0, 0.1))
    deepest_counts = heat_map(scale_maps, weights=(0.1, 1.0))
    assert tuple(finest_counts[0, 1]) == RED
    assert tuple(deepest_counts[0, 2]) == RED
    np.testing.assert_array_equal(finest_counts[0, 2], deepest_counts[0, 1])
    assert finest_counts[0, 2].argmax() == 2


def test_heat_map_is_black_where_only_a_scale_of_weight_zero_is_active():
    assert tuple(heat_map(legend(2)[:, :, :3], weights=(1.0, 0.0))[0, 2]) == BLACK


@pytest.mark.parametrize('level', [0.0, 0.5, 1.0])
@pytest.mark.parametrize('count', [1, 5])
def test_heat_map_of_flat_maps_is_black(level, count):
    assert not heat_map(np.full((count, 4, 6), level, dtype=np.float32)).any()


@pytest.mark.parametrize('weights', ['none', 'linear', 'linear times 1000'])
@pytest.mark.parametrize('shape', RENDERING_SHAPES, ids=str)
def test_heat_map_agrees_with_the_oracle(shape, weights):
    scale_maps = uniform(*shape)
    linear = range(1, shape[0] + 1)
    chosen = {
        'none': None,
        'linear': tuple(float(w) for w in linear),
        'linear times 1000': tuple(1000.0 * w for w in linear),
    }[weights]
    exact = oracles.heat_map(scale_maps, chosen)
    assert_within_a_grey_level(heat_map(scale_maps, chosen), exact)


@law
@given(unit_maps)
def test_heat_map_agrees_with_the_oracle_on_any_maps(scale_maps):
    assert_within_a_grey_level(heat_map(scale_maps), oracles.heat_map(scale_maps))


# --- both ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('render', [lovi, heat_map])
def test_a_rendering_takes_views_and_read_only_maps_and_leaves_them_alone(render):
    scale_maps = uniform(12, 16, 5).transpose(2, 1, 0)[:, ::2, 1::2]
    scale_maps.flags.writeable = False
    before = scale_maps.copy()
    np.testing.assert_array_equal(render(scale_maps), render(before))
    np.testing.assert_array_equal(scale_maps, before)


@pytest.mark.parametrize('render', [lovi, heat_map])
def test_a_rendering_is_one_block_of_memory_ready_to_publish(render):
    assert render(uniform(5, 7, 13)).flags.c_contiguous


# --- overlay ------------------------------------------------------------------------------------


@pytest.mark.parametrize('size', [(12, 16), (6, 8), (31, 5)], ids=str)
def test_overlay_at_alpha_zero_is_the_image(size):
    image = picture(12, 16, 3)
    np.testing.assert_array_equal(overlay(image, picture(*size, 3, seed=1), 0.0), image)


def test_overlay_at_alpha_one_is_the_rendering():
    rendering = picture(12, 16, 3, seed=1)
    np.testing.assert_array_equal(overlay(picture(12, 16, 3), rendering, 1.0), rendering)


@pytest.mark.parametrize('alpha', [0.1, 0.25, 0.5, 0.77])
def test_overlay_mixes_and_rounds_to_the_nearest_level(alpha):
    image, rendering = picture(33, 21, 3), picture(33, 21, 3, seed=1)
    mixed = overlay(image, rendering, alpha)
    exact = oracles.overlay(image, rendering, alpha)
    assert mixed.dtype == np.uint8
    assert np.abs(mixed - exact).max() <= 0.5 + 1e-4


@pytest.mark.parametrize('alpha', [0.3, 1.0])
@pytest.mark.parametrize('size', [(7, 9), (40, 50), (14, 30), (1, 1)], ids=str)
def test_overlay_resizes_the_rendering_bilinearly_to_the_image(alpha, size):
    image, rendering = picture(21, 28, 3), picture(*size, 3, seed=1)
    exact = oracles.overlay(image, rendering, alpha)
    assert_within_a_grey_level(overlay(image, rendering, alpha), exact / 255)


def test_overlay_takes_views_and_read_only_pictures_and_leaves_them_alone():
    image = picture(12, 20, 3)[:, 2:18, ::-1]
    rendering = picture(24, 16, 3, seed=1)[::2]
    image.flags.writeable = rendering.flags.writeable = False
    before = image.copy(), rendering.copy()
    exact = oracles.overlay(image, rendering, 0.5)
    assert_within_a_grey_level(overlay(image, rendering, 0.5), exact / 255)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(rendering, before[1])
