# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The mathematics on tensors: agreement with the oracles, hard inputs, laws that always hold."""

import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smoe_ros.errors import ConfigurationError
from smoe_ros.saliency import (
    fuse_scales,
    gaussian_cdf,
    min_max,
    resolve_scale_weights,
    smoe_scale,
)

TOLERANCE = 1e-5
PRIOR = (0.18, 0.15, 0.37, 0.40, 0.72)
NORMALIZATIONS = [(gaussian_cdf, oracles.gaussian_cdf), (min_max, oracles.min_max)]
STATISTIC_AND_NORMALIZATIONS = [(smoe_scale, oracles.smoe_scale), *NORMALIZATIONS]

law = settings(deadline=None, max_examples=40, database=None)


def by_name(pair):
    return pair[0].__name__


def rectified(*shape, seed=0):
    """Return what a ReLU lets through of a normal distribution: about half of it is zero."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).relu() * 3


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def assert_close(actual, expected):
    """Compare with an oracle's float64 result, to 1e-5 absolute plus 1e-5 relative."""
    assert actual.dtype == torch.float32
    assert tuple(actual.shape) == np.shape(expected)
    np.testing.assert_allclose(
        actual.double().numpy(), np.asarray(expected), rtol=TOLERANCE, atol=TOLERANCE
    )


def input_for(function, dtype=torch.float32):
    """Return a batch that the statistic (B, C, H, W) or the normalisation (B, H, W) takes."""
    shape = (2, 13, 9, 14) if function is smoe_scale else (2, 9, 14)
    return rectified(*shape).to(dtype)


def finite_floats(low=None, high=None):
    return st.floats(low, high, width=32, allow_nan=False, allow_infinity=False)


def arrays(*shape_limits, elements):
    """Draw float32 tensors whose sides lie within the limits given, one pair for each side."""
    sides = st.tuples(*(st.integers(*limits) for limits in shape_limits))
    return hnp.arrays(np.float32, sides, elements=elements).map(torch.from_numpy)


activations = arrays((1, 3), (1, 9), (1, 5), (1, 5), elements=finite_floats(0, 1000))
maps = arrays((1, 3), (1, 6), (1, 6), elements=finite_floats(0, 1000))
# The ends of float32 are drawn often: sums and squares overflow and underflow there.
any_finite = st.sampled_from([0.0, 1e-45, 3.4e38, -3.4e38]).map(np.float32) | finite_floats()
any_finite_activations = arrays((1, 2), (1, 9), (1, 3), (1, 3), elements=any_finite)
any_finite_maps = arrays((1, 2), (1, 4), (1, 4), elements=any_finite)


# --- SMOE Scale ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'shape',
    [
        (1, 64, 28, 28),
        (4, 16, 8, 8),
        (2, 64, 13, 17),
        (3, 7, 8, 4),
        (2, 1, 5, 5),
        (2, 2, 1, 9),
        (1, 3, 1, 1),
        (4, 255, 3, 2),
        (1, 1280, 7, 7),
    ],
    ids=str,
)
def test_smoe_scale_agrees_with_the_oracle_on_every_shape(shape):
    activation = rectified(*shape)
    assert_close(smoe_scale(activation), oracles.smoe_scale(activation))


def dead_half():
    activation = rectified(2, 30, 6, 7) + 0.5
    activation[:, ::2] = 0
    return activation


def hot_pixel():
    activation = torch.zeros(2, 10, 6, 7)
    activation[:, 3, 2, 5] = 42.0
    return activation


def near_constant(level, channels):
    generator = torch.Generator().manual_seed(1)
    return level * (1 + 1e-3 * torch.randn(2, channels, 6, 7, generator=generator))


HARD_ACTIVATIONS = {
    'black': torch.zeros(2, 10, 6, 7),
    'half the channels dead': dead_half(),
    'one hot pixel': hot_pixel(),
    'faint, at the size of epsilon': uniform(2, 10, 6, 7) * 1e-7,
    'near constant at 1': near_constant(1.0, 10),
    'near constant at 1000': near_constant(1000.0, 64),
    'near constant at 1000, odd channels': near_constant(1000.0, 67),
    'near constant at 1e6': near_constant(1e6, 64),
    'huge 1e6': rectified(2, 13, 6, 7) * 1e6,
    'huge 1e12': rectified(2, 13, 6, 7) * 1e12,
    'huge 1e30': rectified(2, 13, 6, 7) * 1e30,
    'huge beside dead': torch.tensor([1e30, 0.0, 1e-7, 1.0, 1e12]).reshape(1, 5, 1, 1),
    'negative, as from SiLU': rectified(2, 13, 6, 7) - 0.278,
}


@pytest.mark.parametrize('name', HARD_ACTIVATIONS)
def test_smoe_scale_agrees_with_the_oracle_on_hard_input(name):
    activation = HARD_ACTIVATIONS[name]
    assert_close(smoe_scale(activation), oracles.smoe_scale(activation))


@pytest.mark.parametrize('channels', [1, 3, 4, 10, 64, 67, 1280])
@pytest.mark.parametrize('level', [0.0, 1e-7, 0.1, 1.0, 1000.1, 1e6, 1e9])
def test_smoe_scale_is_zero_where_all_channels_are_equal(level, channels):
    assert_close(smoe_scale(torch.full((1, channels, 2, 3), level)), np.zeros((1, 2, 3)))


@pytest.mark.parametrize('channels', [40, 64, 67])
@pytest.mark.parametrize('level', [1.0, 1e6, 1e9])
@pytest.mark.parametrize('shape', [1.1, 1.3, 1.5])
def test_smoe_scale_agrees_with_the_oracle_at_moderate_spread(shape, level, channels):
    # φ is a third to two thirds of μ here: the difference of logarithms costs most of float32's
    # digits without being so small that it is noticed.
    sites = np.random.default_rng(1).gamma(shape, level, (1, channels, 64, 64))
    activation = torch.from_numpy(sites.astype(np.float32))
    assert_close(smoe_scale(activation), oracles.smoe_scale(activation))


def test_smoe_scale_clamps_negative_input_at_zero():
    activation = torch.randn(2, 13, 6, 7, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(smoe_scale(activation), smoe_scale(activation.clamp(min=0)))


def test_smoe_scale_uses_an_epsilon_of_1e_7():
    # One channel at 1 and one dead: φ = ½ · (log2 ½ − ½ log2 1e-7), by hand.
    activation = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    assert smoe_scale(activation).item() == pytest.approx(0.5 * (-1 + 0.5 * 23.2534967), abs=1e-5)


@law
@given(activations)
def test_smoe_scale_is_never_negative(activation):
    assert smoe_scale(activation).min() >= 0


@law
@given(activations, st.randoms(use_true_random=False))
def test_smoe_scale_does_not_depend_on_the_order_of_channels(activation, random):
    order = list(range(activation.shape[1]))
    random.shuffle(order)
    assert_close(smoe_scale(activation[:, order]), smoe_scale(activation).double().numpy())


@law
@given(
    arrays((1, 2), (1, 9), (1, 4), (1, 4), elements=finite_floats(1, 64)),
    st.sampled_from([2.0, 16.0, 1024.0]),
)
def test_smoe_scale_of_k_times_the_activation_is_k_times_as_large(activation, k):
    assert_close(smoe_scale(activation * k) / k, smoe_scale(activation).double().numpy())


# --- normalisation ------------------------------------------------------------------------------


@pytest.mark.parametrize('pair', NORMALIZATIONS, ids=by_name)
@pytest.mark.parametrize('shape', [(1, 28, 28), (3, 13, 17), (2, 1, 9), (2, 6, 1)], ids=str)
def test_normalization_agrees_with_the_oracle_on_every_shape(pair, shape):
    function, oracle = pair
    raw = rectified(*shape)
    assert_close(function(raw), oracle(raw))


HARD_MAPS = {
    'faint 1e-6': rectified(2, 9, 14) * 1e-6,
    'huge 1e6': rectified(2, 9, 14) * 1e6,
    'huge 1e12': rectified(2, 9, 14) * 1e12,
    'huge 1e30': rectified(2, 9, 14) * 1e30,
    'one hot pixel': torch.eye(15)[:2].reshape(2, 3, 5) * 42,
    'one hot pixel among many': torch.eye(4800)[77:78].reshape(1, 60, 80),
    'near constant': 1000 * (1 + 1e-3 * uniform(2, 9, 14)),
    'flat beside lively': torch.stack([torch.full((9, 14), 0.1), rectified(9, 14)]),
    'two pixels': torch.tensor([[[1.0, 2.0]]]),
    'negative': rectified(2, 9, 14) - 5,
}


@pytest.mark.parametrize('pair', NORMALIZATIONS, ids=by_name)
@pytest.mark.parametrize('name', HARD_MAPS)
def test_normalization_agrees_with_the_oracle_on_hard_input(pair, name):
    function, oracle = pair
    raw = HARD_MAPS[name]
    assert_close(function(raw), oracle(raw))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('level', [0.0, 0.1, 1000.1, 1e9, 1e30])
@pytest.mark.parametrize('shape', [(2, 9, 14), (1, 31, 37), (3, 1, 1)], ids=str)
def test_gaussian_cdf_of_a_flat_map_is_one_half(level, shape, dtype):
    flat = torch.full(shape, level, dtype=dtype)
    assert torch.equal(gaussian_cdf(flat), torch.full(shape, 0.5))


@pytest.mark.parametrize('level', [0.0, 0.1, 1000.1, 1e9, 1e30])
@pytest.mark.parametrize('shape', [(2, 9, 14), (3, 1, 1)], ids=str)
def test_min_max_of_a_flat_map_is_zero(level, shape):
    assert torch.equal(min_max(torch.full(shape, level)), torch.zeros(shape))


def test_min_max_does_not_blow_up_noise_below_1e_9():
    raw = torch.tensor([[[0.0, 1e-10]]])
    assert_close(min_max(raw), [[[0.0, 0.1]]])


@law
@given(maps)
def test_gaussian_cdf_keeps_the_order_of_sites(raw):
    for one, normalized in zip(raw, gaussian_cdf(raw), strict=True):
        in_order = normalized.flatten()[one.flatten().argsort()]
        # Vector and scalar versions of erf may differ in the last bit.
        assert (in_order.diff() >= -1e-6).all()


@pytest.mark.parametrize('function', [gaussian_cdf, min_max])
@law
@given(raw=maps)
def test_normalized_maps_lie_between_zero_and_one(function, raw):
    normalized = function(raw)
    assert normalized.min() >= 0
    assert normalized.max() <= 1


# --- fusion -------------------------------------------------------------------------------------

FUSION_CASES = {
    'five octaves up': ([(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)], (64, 96)),
    'odd and not square': ([(19, 11), (10, 6), (5, 3)], (37, 23)),
    'down': ([(40, 52), (33, 21)], (7, 10)),
    'up and down at once': ([(4, 50), (50, 4)], (13, 12)),
    'already at that size': ([(9, 14), (9, 14)], (9, 14)),
    'from one pixel': ([(6, 5), (1, 1)], (6, 5)),
    'to one pixel': ([(6, 5), (3, 3)], (1, 1)),
    'one scale': ([(6, 5)], (12, 9)),
}


def scale_maps_of(sizes, batch=2):
    return [uniform(batch, *size, seed=i) for i, size in enumerate(sizes)]


@pytest.mark.parametrize('case', FUSION_CASES)
def test_scale_maps_are_resized_bilinearly_with_pixels_as_squares(case):
    sizes, size = FUSION_CASES[case]
    scale_maps = scale_maps_of(sizes)
    _, expected, _ = oracles.fuse_scales(scale_maps, size)
    assert_close(fuse_scales(scale_maps, size).scale_maps, expected)


@pytest.mark.parametrize('case', FUSION_CASES)
@pytest.mark.parametrize('weights', ['none', 'equal', 'linear', 'uneven'])
def test_saliency_is_the_weighted_mean_of_the_resized_maps(case, weights):
    sizes, size = FUSION_CASES[case]
    scale_maps = scale_maps_of(sizes)
    chosen = weights_named(weights, len(sizes))
    expected, _, _ = oracles.fuse_scales(scale_maps, size, chosen)
    assert_close(fuse_scales(scale_maps, size, chosen).saliency, expected)


@pytest.mark.parametrize('case', FUSION_CASES)
@pytest.mark.parametrize('weights', ['none', 'equal', 'linear', 'uneven'])
def test_contributions_are_the_covariance_shares_of_the_oracle(case, weights):
    sizes, size = FUSION_CASES[case]
    scale_maps = scale_maps_of(sizes)
    chosen = weights_named(weights, len(sizes))
    _, _, expected = oracles.fuse_scales(scale_maps, size, chosen)
    assert_close(fuse_scales(scale_maps, size, chosen).contributions, expected)


def weights_named(name, count):
    return {
        'none': None,
        'equal': (1.0,) * count,
        'linear': tuple(range(1, count + 1)),
        'uneven': (0.0, *PRIOR[1:])[:count] if count > 1 else (0.3,),
    }[name]


def test_prior_weights_reach_the_fused_map():
    scale_maps = scale_maps_of(FUSION_CASES['five octaves up'][0])
    expected, _, _ = oracles.fuse_scales(scale_maps, (64, 96), PRIOR)
    fused = fuse_scales(scale_maps, (64, 96), resolve_scale_weights('prior', 5))
    assert_close(fused.saliency, expected)


@pytest.mark.parametrize('level', [0.0, 0.1, 0.5, 1.0])
def test_contributions_to_a_flat_saliency_are_the_weights_shares(level):
    flat = [torch.full((2, 4, 6), level), torch.full((2, 3, 5), level)]
    contributions = fuse_scales(flat, (31, 37), (1.0, 3.0)).contributions
    assert_close(contributions, [[0.25, 0.75]] * 2)


def test_contributions_of_scales_that_cancel_are_the_weights_shares():
    first = uniform(1, 9, 14)
    contributions = fuse_scales([first, 1 - first], (9, 14)).contributions
    assert_close(contributions, [[0.5, 0.5]])


def test_a_flat_image_in_a_batch_leaves_its_neighbours_contributions_alone():
    lively = scale_maps_of([(9, 14), (5, 7)], batch=1)
    flat = [torch.full_like(one, 0.5) for one in lively]
    batch = [torch.cat(pair) for pair in zip(lively, flat, strict=True)]
    contributions = fuse_scales(batch, (9, 14), (1.0, 3.0)).contributions
    assert_close(contributions[1], [0.25, 0.75])
    alone = fuse_scales(lively, (9, 14), (1.0, 3.0)).contributions
    assert_close(contributions[:1], alone.double().numpy())


def test_a_scale_against_the_pattern_contributes_negatively():
    ramp = torch.linspace(0, 1, 12).reshape(1, 3, 4)
    contributions = fuse_scales([ramp, 1 - ramp], (3, 4), (3.0, 1.0)).contributions
    assert_close(contributions, [[1.5, -0.5]])


def test_a_flat_scale_contributes_nothing():
    contributions = fuse_scales([uniform(1, 9, 14), torch.full((1, 2, 3), 0.5)], (9, 14))
    assert_close(contributions.contributions, [[1.0, 0.0]])


@pytest.mark.parametrize('contrast', [1.0, 1e-2, 1e-4, 1e-5])
def test_contributions_sum_to_one_however_faint_the_pattern(contrast):
    scale_maps = [
        0.5 + contrast * (one - 0.5) for one in scale_maps_of([(24, 32), (6, 8), (3, 4)])
    ]
    contributions = fuse_scales(scale_maps, (48, 64), (1.0, 2.0, 3.0)).contributions
    assert_close(contributions.sum(dim=1), [1.0, 1.0])


@pytest.mark.parametrize('contrast', [1e-4, 1e-5, 1e-6])
def test_a_pattern_counts_as_flat_only_up_to_a_variance_of_1e_12(contrast):
    # Variances of about 7e-10 and 7e-12 are patterns, 7e-14 is rounding.
    scale_maps = [0.5 + contrast * (one - 0.5) for one in scale_maps_of([(24, 32)] * 2)]
    _, _, expected = oracles.fuse_scales(scale_maps, (24, 32), (1.0, 3.0))
    assert_close(fuse_scales(scale_maps, (24, 32), (1.0, 3.0)).contributions, expected)


unit_maps = st.lists(
    hnp.arrays(
        np.float32,
        st.tuples(st.just(2), st.integers(1, 6), st.integers(1, 6)),
        elements=finite_floats(0, 1),
    ).map(torch.from_numpy),
    min_size=1,
    max_size=5,
)


@law
@given(unit_maps, st.integers(1, 9), st.integers(1, 9))
def test_contributions_sum_to_one(scale_maps, height, width):
    contributions = fuse_scales(scale_maps, (height, width)).contributions
    assert_close(contributions.sum(dim=1), [1.0, 1.0])


@law
@given(unit_maps, st.integers(1, 9), st.integers(1, 9))
def test_saliency_lies_between_zero_and_one(scale_maps, height, width):
    weights = resolve_scale_weights('linear', len(scale_maps))
    saliency = fuse_scales(scale_maps, (height, width), weights).saliency
    # A weighted mean of ones may miss one by the last bits.
    assert saliency.min() >= 0
    assert saliency.max() <= 1 + 1e-6


@pytest.mark.parametrize('factor', [1e-300, 1e-30, 0.1, 7.0, 1000.0, 1e30, 1e300])
def test_only_the_proportions_of_the_weights_matter(factor):
    scale_maps = scale_maps_of(FUSION_CASES['five octaves up'][0])
    expected, _, shares = oracles.fuse_scales(scale_maps, (20, 30), PRIOR)
    fused = fuse_scales(scale_maps, (20, 30), [factor * weight for weight in PRIOR])
    assert_close(fused.saliency, expected)
    assert_close(fused.contributions, shares)


def test_a_scale_of_weight_zero_is_left_out_of_the_saliency():
    first, second = scale_maps_of([(4, 6), (4, 6)])
    fused = fuse_scales([first, second], (4, 6), (0.0, 1.0))
    assert_close(fused.saliency, second.double().numpy())
    assert_close(fused.contributions, [[0.0, 1.0]] * 2)


# --- scale weights ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('weights', 'count', 'expected'),
    [
        ('equal', 1, (1,)),
        ('equal', 4, (1, 1, 1, 1)),
        ('linear', 5, (1, 2, 3, 4, 5)),
        ('linear', 3, (1, 2, 3)),
        ('prior', 5, PRIOR),
        ([0.0, 0.0, 2.0], 3, (0, 0, 2)),
        ((1, 3), 2, (1, 3)),
    ],
)
def test_scale_weights_have_the_proportions_named(weights, count, expected):
    resolved = resolve_scale_weights(weights, count)
    assert isinstance(resolved, tuple)
    assert all(type(weight) is float for weight in resolved)
    shares = [weight / sum(resolved) for weight in resolved]
    assert shares == pytest.approx([weight / sum(expected) for weight in expected])


@pytest.mark.parametrize(
    ('weights', 'count', 'named'),
    [
        ('priro', 5, 'priro'),
        ('', 5, ''),
        ('prior', 4, '4'),
        ('prior', 6, '6'),
        ([1.0, 2.0], 3, '3'),
        ([], 3, '3'),
        ([1.0, -0.5, 1.0], 3, '-0.5'),
        ([1.0, math.nan], 2, 'nan'),
        ([1.0, math.inf], 2, 'inf'),
        ([0.0, 0.0], 2, '0'),
    ],
)
def test_impossible_scale_weights_are_refused_with_what_was_wrong(weights, count, named):
    with pytest.raises(ConfigurationError) as refusal:
        resolve_scale_weights(weights, count)
    assert named in str(refusal.value)
    assert '\n' not in str(refusal.value)


# --- promises of every function -----------------------------------------------------------------


@pytest.mark.parametrize('pair', STATISTIC_AND_NORMALIZATIONS, ids=by_name)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_type_is_computed_in_float32(pair, dtype):
    function, oracle = pair
    raw = input_for(function, dtype)
    assert_close(function(raw), oracle(raw.double()))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_fusion_of_every_float_type_is_computed_in_float32(dtype):
    scale_maps = [one.to(dtype) for one in scale_maps_of([(8, 12), (4, 6)])]
    expected = oracles.fuse_scales([one.double() for one in scale_maps], (16, 24), (1, 2))
    fused = fuse_scales(scale_maps, (16, 24), (1, 2))
    assert_close(fused.saliency, expected[0])
    assert_close(fused.scale_maps, expected[1])
    assert_close(fused.contributions, expected[2])


def test_smoe_scale_of_half_precision_at_its_limit_does_not_overflow():
    activation = (rectified(2, 13, 6, 7) * 20000).clamp(max=65504).half()
    assert_close(smoe_scale(activation), oracles.smoe_scale(activation.double()))


LAYOUTS = {
    'channels last': lambda t: t.to(memory_format=torch.channels_last),
    'transposed': lambda t: t.transpose(-1, -2),
    'every second row and column': lambda t: t[..., ::2, ::2],
    'every second channel': lambda t: t[:, 1::2],
    'expanded batch': lambda t: t[:1].expand(3, -1, -1, -1),
    'from channels-last arrays (B, H, W, C)': lambda t: t.permute(0, 2, 3, 1).permute(0, 2, 3, 1),
}


@pytest.mark.parametrize('layout', LAYOUTS)
def test_smoe_scale_does_not_depend_on_the_memory_layout(layout):
    activation = LAYOUTS[layout](rectified(2, 13, 9, 14))
    assert_close(smoe_scale(activation), oracles.smoe_scale(activation))


@pytest.mark.parametrize('pair', NORMALIZATIONS, ids=by_name)
@pytest.mark.parametrize('view', [lambda t: t.transpose(1, 2), lambda t: t[:, ::2, 1::3]])
def test_normalization_takes_views(pair, view):
    function, oracle = pair
    raw = view(rectified(2, 9, 14))
    assert_close(function(raw), oracle(raw))


def test_fusion_takes_views():
    scale_maps = [uniform(2, 12, 8).transpose(1, 2), uniform(2, 9, 15)[:, ::2, 1::3]]
    expected, _, contributions = oracles.fuse_scales(scale_maps, (16, 24))
    fused = fuse_scales(scale_maps, (16, 24))
    assert_close(fused.saliency, expected)
    assert_close(fused.contributions, contributions)


@settings(law, max_examples=150)
@given(any_finite_activations)
def test_no_finite_activation_makes_smoe_scale_nan(activation):
    assert not smoe_scale(activation).isnan().any()


@pytest.mark.parametrize('function', [gaussian_cdf, min_max])
@law
@given(raw=any_finite_maps)
def test_no_finite_map_makes_a_normalization_nan(function, raw):
    assert not function(raw).isnan().any()


@pytest.mark.parametrize('function', [gaussian_cdf, min_max])
@law
@given(activation=any_finite_activations)
def test_no_finite_activation_makes_the_saliency_nan(function, activation):
    fused = fuse_scales([function(smoe_scale(activation))] * 2, (4, 5))
    assert not fused.saliency.isnan().any()
    assert not fused.contributions.isnan().any()


@pytest.mark.parametrize('function', [gaussian_cdf, min_max])
@pytest.mark.parametrize('value', [3.4e38, 1e37, 1e-45], ids=str)
@pytest.mark.parametrize('channels', [1, 4, 5, 8, 64])
def test_the_ends_of_float32_do_not_make_the_saliency_nan(function, value, channels):
    # Each site holds the value in two channels (or one), each of the 64 pairs of the first eight.
    activation = torch.zeros(1, channels, 8, 8)
    for y, x in np.ndindex(8, 8):
        activation[0, [y % channels, x % channels], y, x] = value
    raw = smoe_scale(activation)
    assert raw.isfinite().all()
    assert not function(raw).isnan().any()


@pytest.mark.parametrize('pair', STATISTIC_AND_NORMALIZATIONS, ids=by_name)
def test_a_batch_gives_what_its_images_give_alone(pair):
    function, _ = pair
    raw = input_for(function)
    raw[1] *= 100
    singles = torch.cat([function(one[None]) for one in raw])
    assert_close(function(raw), singles.double().numpy())


def test_a_batch_is_fused_as_its_images_are_alone():
    scale_maps = scale_maps_of([(8, 12), (4, 6), (3, 2)], batch=3)
    together = fuse_scales(scale_maps, (13, 21), (1, 2, 3))
    for b in range(3):
        alone = fuse_scales([one[b : b + 1] for one in scale_maps], (13, 21), (1, 2, 3))
        assert_close(together.saliency[b : b + 1], alone.saliency.double().numpy())
        assert_close(together.scale_maps[b : b + 1], alone.scale_maps.double().numpy())
        assert_close(together.contributions[b : b + 1], alone.contributions.double().numpy())


@pytest.mark.parametrize('pair', STATISTIC_AND_NORMALIZATIONS, ids=by_name)
@pytest.mark.parametrize('dtype', [torch.float16, torch.float32, torch.float64])
def test_the_input_is_left_as_it_was(pair, dtype):
    function, _ = pair
    raw = input_for(function, dtype) - 0.5
    before = raw.clone()
    function(raw)
    assert torch.equal(raw, before)


def test_scale_maps_are_left_as_they_were_by_fusion():
    scale_maps = scale_maps_of([(9, 14), (5, 7)])
    before = [one.clone() for one in scale_maps]
    fused = fuse_scales(scale_maps, (9, 14), (1, 2))
    fused.scale_maps.zero_()
    assert all(torch.equal(*pair) for pair in zip(scale_maps, before, strict=True))


@pytest.mark.parametrize('pair', STATISTIC_AND_NORMALIZATIONS, ids=by_name)
def test_no_gradient_is_recorded(pair):
    function, _ = pair
    assert not function(input_for(function).requires_grad_()).requires_grad


def test_fusion_records_no_gradient():
    fused = fuse_scales([one.requires_grad_() for one in scale_maps_of([(4, 6)])], (8, 12))
    assert not fused.saliency.requires_grad
    assert not fused.scale_maps.requires_grad
    assert not fused.contributions.requires_grad


def test_everything_works_under_inference_mode():
    with torch.inference_mode():
        activation = rectified(2, 13, 9, 14)
        fused = fuse_scales([gaussian_cdf(smoe_scale(activation))], (18, 28))
    raw = oracles.gaussian_cdf(oracles.smoe_scale(activation.numpy()))
    assert_close(fused.saliency, oracles.fuse_scales([raw], (18, 28))[0])
