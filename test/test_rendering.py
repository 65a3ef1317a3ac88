# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the colours mean: LOVI, the heat map and the overlay, against their legends and oracles."""

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensors import law, without_kernels

from smoe_ros import rendering
from smoe_ros.rendering import heat_map, overlay

BLACK, WHITE, RED, VIOLET = (0, 0, 0), (255, 255, 255), (255, 0, 0), (255, 0, 255)
LOVIS = {'compiled': rendering.lovi, 'in NumPy': without_kernels(rendering.lovi)}
HEAT_MAPS = {'compiled': heat_map, 'in NumPy': without_kernels(heat_map)}
every_lovi = pytest.mark.parametrize('lovi', LOVIS.values(), ids=LOVIS)
every_heat_map = pytest.mark.parametrize('heat_map', HEAT_MAPS.values(), ids=HEAT_MAPS)
every_rendering = pytest.mark.parametrize('render', [*LOVIS.values(), *HEAT_MAPS.values()])

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


CASES = {str(shape): uniform(*shape) for shape in [(5, 24, 32), (3, 13, 4), (2, 1, 9), (4, 1, 1)]}
CASES['where none and where all are active'] = maps = uniform(5, 23, 37)
maps[:, :4], maps[:, 4:6] = 0, 0.5


# --- LOVI ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('case', CASES)
@every_lovi
def test_lovi_agrees_with_the_oracle(lovi, case):
    assert_within_a_grey_level(lovi(CASES[case]), oracles.lovi(CASES[case]))


@every_lovi
@law
@given(scale_maps=unit_maps)
def test_lovi_agrees_with_the_oracle_on_any_maps(lovi, scale_maps):
    assert_within_a_grey_level(lovi(scale_maps), oracles.lovi(scale_maps))


@pytest.mark.parametrize('count', [2, 3, 5, 7])
@every_lovi
def test_lovi_is_black_for_no_scale_violet_for_the_finest_red_for_the_deepest_white_for_all(
    lovi, count
):
    row = [tuple(pixel) for pixel in lovi(legend(count))[0]]
    assert (row[0], row[1], row[count], row[-1]) == (BLACK, VIOLET, RED, WHITE)


@every_lovi
def test_lovi_of_a_single_scale_is_red_and_as_bright_as_the_map(lovi):
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16)
    rendered = lovi(ramp)
    assert_within_a_grey_level(rendered[..., 0], ramp[0].astype(np.float64))
    assert not rendered[..., 1:].any()


# --- heat map -----------------------------------------------------------------------------------


@pytest.mark.parametrize('factor', [None, 1.0, 1000.0])
@pytest.mark.parametrize('case', CASES)
@every_heat_map
def test_heat_map_agrees_with_the_oracle(heat_map, case, factor):
    scale_maps = CASES[case]
    weights = factor and [factor * weight for weight in range(1, len(scale_maps) + 1)]
    exact = oracles.heat_map(scale_maps, weights)
    assert_within_a_grey_level(heat_map(scale_maps, weights), exact)


@every_heat_map
@law
@given(scale_maps=unit_maps)
def test_heat_map_agrees_with_the_oracle_on_any_maps(heat_map, scale_maps):
    assert_within_a_grey_level(heat_map(scale_maps), oracles.heat_map(scale_maps))


@pytest.mark.parametrize('count', [1, 2, 5])
@every_heat_map
def test_heat_map_runs_from_black_over_blue_and_green_to_red(heat_map, count):
    scale_maps = np.zeros((count, 1, 101), dtype=np.float32)
    scale_maps[-1] = np.linspace(0, 1, 101)
    rendered = heat_map(scale_maps)[0]
    assert (tuple(rendered[0]), tuple(rendered[-1])) == (BLACK, RED)
    strongest = rendered.argmax(axis=1)
    assert (strongest[3:25] == 2).all()
    assert (strongest[26:75] == 1).all()
    assert (strongest[76:] == 0).all()


@pytest.mark.parametrize('weights', [(1.0,), (1.0, 2.0, 3.0), (0.0, 0.0)])
def test_weights_that_do_not_fit_the_maps_are_refused(weights):
    with pytest.raises(ValueError, match='2 scale maps need as many weights'):
        heat_map(legend(2), weights)


# --- both ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('level', [0.0, 0.5, 1.0])
@pytest.mark.parametrize('count', [1, 5])
@every_rendering
def test_flat_maps_are_black(render, count, level):
    assert not render(np.full((count, 4, 6), level, dtype=np.float32)).any()


@every_rendering
def test_views_and_read_only_maps_are_drawn_ready_to_publish_and_left_alone(render):
    scale_maps = uniform(12, 16, 5).transpose(2, 1, 0)[:, ::2, 1::2]
    scale_maps.flags.writeable = False
    before = scale_maps.copy()
    rendered = render(scale_maps)
    assert rendered.flags.c_contiguous
    np.testing.assert_array_equal(rendered, render(before))
    np.testing.assert_array_equal(scale_maps, before)


@pytest.mark.parametrize('shape', [(4, 6), (0, 4, 6)], ids=str)
@every_rendering
def test_what_are_no_maps_is_refused_with_its_shape(render, shape):
    with pytest.raises(ValueError, match=r'\(S, H, W\) with S at least 1'):
        render(np.zeros(shape, np.float32))


# --- overlay ------------------------------------------------------------------------------------


@pytest.mark.parametrize('alpha', [0.0, 0.1, 0.25, 0.5, 0.77, 1.0])
def test_overlay_mixes_and_rounds_to_the_nearest_level(alpha):
    image, rendering = picture(33, 21, 3), picture(33, 21, 3, seed=1)
    mixed = overlay(image, rendering, alpha)
    exact = oracles.overlay(image, rendering, alpha)
    assert mixed.dtype == np.uint8
    assert np.abs(mixed - exact).max() <= 0.5 + 1e-4


@pytest.mark.parametrize('alpha', [0.0, 0.3, 1.0])
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


@pytest.mark.parametrize('alpha', [-0.1, 1.1, float('nan')])
def test_an_alpha_out_of_range_is_refused_with_its_value(alpha):
    with pytest.raises(ValueError, match=f'alpha lies in 0..1, got {alpha}'):
        overlay(picture(2, 2, 3), picture(2, 2, 3), alpha)
