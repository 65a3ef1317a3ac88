# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fusion of the scales' maps, compiled and in torch: saliency, contributions and weights."""

import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensors import assert_close, law, uniform, without_kernels

from smoe_ros.errors import ConfigurationError
from smoe_ros.saliency import fuse_scales, resolve_scale_weights

PRIOR = (0.18, 0.15, 0.37, 0.40, 0.72)
FUSIONS = {'compiled': fuse_scales, 'in torch': without_kernels(fuse_scales)}
every_fusion = pytest.mark.parametrize('fuse', FUSIONS.values(), ids=FUSIONS)


def scale_maps_of(*sizes, batch=2):
    return [uniform(batch, *size, seed=i) for i, size in enumerate(sizes)]


def assert_fused(fused, expected, atol=5e-6):
    for one, exact in zip(fused, expected, strict=True):
        assert_close(one, exact, rtol=0, atol=atol)


FIVE = scale_maps_of((32, 48), (16, 24), (8, 12), (4, 6), (2, 3))
CASES = {
    'five octaves up': (FIVE, (64, 96)),
    'odd and not square': (scale_maps_of((19, 11), (10, 6), (5, 3)), (37, 23)),
    'down': (scale_maps_of((40, 52), (33, 21)), (7, 10)),
    'up and down at once': (scale_maps_of((4, 50), (50, 4)), (13, 12)),
    'already at that size': (scale_maps_of((9, 14), (9, 14)), (9, 14)),
    'from one pixel': (scale_maps_of((6, 5), (1, 1)), (6, 5)),
    'one scale': (scale_maps_of((6, 5)), (12, 9)),
    'views': ([uniform(2, 12, 8).mT, uniform(2, 9, 15)[:, ::2, 1::3]], (16, 24)),
    'float16': ([one.half() for one in FIVE[2:]], (16, 24)),
    'bfloat16': ([one.bfloat16() for one in FIVE[2:]], (16, 24)),
    'float64': ([one.double() for one in FIVE[2:]], (16, 24)),
    'to one pixel': (scale_maps_of((6, 5), (3, 3)), (1, 1)),
}
WEIGHTS = {
    'none': lambda count: None,
    'equal': lambda count: (1.0,) * count,
    'linear': lambda count: tuple(range(1, count + 1)),
    'uneven': lambda count: (0.0, *PRIOR[1:])[:count] if count > 1 else (0.3,),
}


@pytest.mark.parametrize('weights', WEIGHTS)
@pytest.mark.parametrize('case', CASES)
@every_fusion
def test_saliency_resized_maps_and_contributions_are_the_oracles(fuse, case, weights):
    scale_maps, size = CASES[case]
    chosen = WEIGHTS[weights](len(scale_maps))
    expected = oracles.fuse_scales([one.double() for one in scale_maps], size, chosen)
    assert_fused(fuse(scale_maps, size, chosen), expected)


@pytest.mark.parametrize('case', CASES)
def test_compiled_fusion_differs_from_torchs_in_the_last_bits_only(case):
    scale_maps, size = CASES[case]
    compiled, torchs = (fuse(scale_maps, size, 'linear') for fuse in FUSIONS.values())
    assert_fused(compiled, torchs, atol=2e-6)


@pytest.mark.parametrize('factor', [1e-300, 1e-30, 0.1, 7.0, 1000.0, 1e30, 1e300])
def test_only_the_proportions_of_the_weights_matter(factor):
    expected = oracles.fuse_scales(FIVE, (20, 30), PRIOR)
    assert_fused(fuse_scales(FIVE, (20, 30), [factor * weight for weight in PRIOR]), expected)


LIVELY, RAMP = uniform(1, 9, 14), torch.linspace(0, 1, 12).reshape(1, 3, 4)
PATTERNS = {
    'of a black saliency': ([torch.zeros(1, 4, 6), torch.zeros(1, 3, 5)], [0.25, 0.75]),
    'of a flat saliency': ([torch.full((1, 4, 6), 0.1), torch.full((1, 3, 5), 0.1)], [0.25, 0.75]),
    'of scales that cancel': ([LIVELY, (1 - LIVELY) / 3], [0.25, 0.75]),
    'of a scale against the pattern': ([1 - RAMP, RAMP], [-0.5, 1.5]),
    'of a flat scale': ([LIVELY, torch.full((1, 2, 3), 0.5)], [1.0, 0.0]),
}


@pytest.mark.parametrize('pattern', PATTERNS)
@every_fusion
def test_contributions_are_those_of_the_pattern_or_the_weights_shares(fuse, pattern):
    scale_maps, shares = PATTERNS[pattern]
    assert_close(fuse(scale_maps, scale_maps[0].shape[1:], (1.0, 3.0)).contributions, [shares])


@every_fusion
def test_a_flat_image_in_a_batch_leaves_its_neighbours_contributions_alone(fuse):
    lively = scale_maps_of((9, 14), (5, 7), batch=1)
    batch = [torch.cat([one, torch.full_like(one, 0.5)]) for one in lively]
    contributions = fuse(batch, (9, 14), (1.0, 3.0)).contributions
    alone = fuse(lively, (9, 14), (1.0, 3.0)).contributions
    assert_close(contributions, [alone[0].tolist(), [0.25, 0.75]])


@pytest.mark.parametrize('contrast', [1e-2, 1e-4, 1e-5, 1e-6])
@every_fusion
def test_a_pattern_counts_as_flat_only_up_to_a_variance_of_1e_12(fuse, contrast):
    # Variances of about 7e-10 and 7e-12 are patterns, 7e-14 is rounding.
    faint = [0.5 + contrast * (one - 0.5) for one in scale_maps_of((24, 32), (24, 32))]
    _, _, expected = oracles.fuse_scales(faint, (24, 32), (1.0, 3.0))
    assert_close(fuse(faint, (24, 32), (1.0, 3.0)).contributions, expected)


@pytest.mark.parametrize('contrast', [1e-2, 1e-4, 1e-5])
@every_fusion
def test_contributions_sum_to_one_however_faint_the_pattern(fuse, contrast):
    faint = [0.5 + contrast * (one - 0.5) for one in scale_maps_of((24, 32), (6, 8), (3, 4))]
    contributions = fuse(faint, (48, 64), (1.0, 2.0, 3.0)).contributions
    assert_close(contributions.sum(dim=1), [1.0, 1.0])


unit_maps = st.lists(
    hnp.arrays(
        np.float32,
        st.tuples(st.just(2), st.integers(1, 6), st.integers(1, 6)),
        elements=st.floats(0, 1, width=32),
    ).map(torch.from_numpy),
    min_size=1,
    max_size=5,
)


@every_fusion
@law
@given(scale_maps=unit_maps, height=st.integers(1, 9), width=st.integers(1, 9))
def test_contributions_sum_to_one_and_saliency_lies_between_zero_and_one(
    fuse, scale_maps, height, width
):
    fused = fuse(scale_maps, (height, width), 'linear')
    assert_close(fused.contributions.sum(dim=1), [1.0, 1.0])
    assert fused.saliency.min() >= 0
    # A weighted mean of ones may miss one by the last bits.
    assert fused.saliency.max() <= 1 + 1e-6


@every_fusion
def test_fusion_shares_no_memory_with_its_maps_and_records_no_gradient(fuse):
    scale_maps = [one.requires_grad_() for one in scale_maps_of((9, 14), (5, 7))]
    before = [one.detach().clone() for one in scale_maps]
    fused = fuse(scale_maps, (9, 14), (1, 2))
    assert not any(one.requires_grad for one in fused)
    fused.scale_maps.zero_()
    assert all(torch.equal(*pair) for pair in zip(scale_maps, before, strict=True))


@pytest.mark.parametrize(
    ('maps', 'said'),
    [([], 'at least one scale map'), ([torch.zeros(2, 3, 4, 5)], r'\(B, h, w\).*\(2, 3, 4, 5\)')],
)
def test_what_are_no_scale_maps_is_refused_with_its_shape(maps, said):
    with pytest.raises(ValueError, match=said):
        fuse_scales(maps, (4, 5))


@pytest.mark.parametrize(
    ('weights', 'count', 'expected'),
    [
        ('equal', 1, (1,)),
        ('equal', 4, (1, 1, 1, 1)),
        ('linear', 5, (1, 2, 3, 4, 5)),
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
        ('prior', 4, '4'),
        ([1.0, 2.0], 3, '3'),
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
