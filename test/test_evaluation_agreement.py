# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How alike two maps are when one of them is flat or small, where ranks and windows give out."""

import warnings

import numpy as np
import pytest

from smoe_ros.evaluation.agreement import spearman, structural_similarity

NOISE = np.random.default_rng(0).random((24, 40)).astype(np.float32)
FLAT = np.full((24, 40), 0.3, np.float32)


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


@pytest.mark.parametrize(
    ('a', 'b'), [(FLAT, NOISE), (NOISE, FLAT), (FLAT, FLAT)], ids=['first', 'second', 'both']
)
def test_whichever_map_is_flat_spearman_is_0_without_a_warning(a, b):
    assert spearman(a, b) == 0


def test_structural_similarity_of_flat_maps_is_1_and_of_one_with_noise_next_to_0():
    assert structural_similarity(FLAT, FLAT) == pytest.approx(1)
    for pair in ((FLAT, NOISE), (NOISE, FLAT)):
        assert 0 <= structural_similarity(*pair) < 0.05


@pytest.mark.parametrize('size', [(10, 40), (40, 10)], ids=str)
def test_maps_smaller_than_the_window_are_refused(size):
    with pytest.raises(ValueError, match='at least 11x11'):
        structural_similarity(np.zeros(size), np.zeros(size))


def test_maps_as_large_as_the_window_are_compared():
    assert structural_similarity(NOISE[:11, :11], NOISE[:11, :11]) == pytest.approx(1)
