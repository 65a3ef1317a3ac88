# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The mask of the most salient pixels: how many, ties, batches, and what is refused."""

import math

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensors import law

from smoe_ros.rendering import salient_mask


def distinct(*shape, seed=0):
    """Return maps without ties."""
    pixels = np.random.default_rng(seed).permutation(math.prod(shape)).astype(np.float32)
    return pixels.reshape(shape)


@pytest.mark.parametrize(
    ('shape', 'keep', 'kept'),
    [
        ((10, 20), 0.1, 20),
        ((3, 7), 0.1, 3),
        ((10, 10), 0.07, 7),
        ((5, 5), 1e-6, 1),
        ((5, 5), 1e-12, 1),
        ((4, 6), 1, 24),
        ((1, 1), 0.5, 1),
    ],
)
def test_the_mask_keeps_that_fraction_rounded_up(shape, keep, kept):
    mask = salient_mask(distinct(*shape), keep)
    assert mask.dtype == np.bool_
    assert mask.shape == shape
    assert mask.sum() == kept


def test_a_tenth_is_kept_if_nothing_else_is_said():
    assert salient_mask(distinct(20, 30)).sum() == 60


tied_maps = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.integers(0, 9).map(float),
)


@settings(law, max_examples=60)
@given(tied_maps, st.integers(1, 100))
def test_the_mask_agrees_with_the_oracle(saliency, percent):
    kept = -(-percent * saliency.size // 100)
    expected = oracles.salient_mask(saliency, kept)
    assert np.array_equal(salient_mask(saliency, percent / 100), expected)


@pytest.mark.parametrize('batch', [(3,), (2, 3)], ids=str)
def test_each_map_of_a_batch_is_masked_by_itself(batch):
    saliency = distinct(*batch, 5, 8) ** 2
    masks = salient_mask(saliency, 0.25)
    for index in np.ndindex(*batch):
        assert np.array_equal(masks[index], salient_mask(saliency[index], 0.25))
        assert masks[index].sum() == 10


def test_the_mask_takes_views_and_leaves_them():
    saliency = distinct(10, 12).T[::2]
    before = saliency.copy()
    assert np.array_equal(salient_mask(saliency, 0.2), salient_mask(before, 0.2))
    assert np.array_equal(saliency, before)


@pytest.mark.parametrize('keep', [0, -0.1, 1.0001, math.nan, math.inf])
def test_a_fraction_out_of_range_is_refused_with_its_value(keep):
    with pytest.raises(ValueError, match=str(keep)):
        salient_mask(distinct(4, 6), keep)


@pytest.mark.parametrize('shape', [(5,), (0, 4), (2, 4, 0)], ids=str)
def test_maps_without_pixels_are_refused(shape):
    with pytest.raises(ValueError, match=r'\(\.\.\., H, W\)'):
        salient_mask(np.zeros(shape, dtype=np.float32))
