# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The most salient point of a map, and what an activation holds there."""

import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tensors import law, normal

from smoe_ros.saliency import feature_vectors, most_salient_point

sides = st.tuples(st.integers(1, 9), st.integers(1, 9))


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_most_salient_point_is_the_first_of_the_highest_pixels_of_each_map(dtype):
    maps = torch.zeros(2, 3, 4, 6, dtype=dtype)
    maps[0, 1, 2, 5] = maps[0, 1, 3, 0] = 7
    maps[1, 2, 3, 1] = 1
    found = most_salient_point(maps.requires_grad_())
    assert found.dtype == torch.int64
    assert found.tolist() == [[[0, 0], [5, 2], [0, 0]], [[0, 0], [0, 0], [1, 3]]]


def test_the_most_salient_points_of_maps_on_another_device_are_as_many():
    assert most_salient_point(torch.zeros(2, 3, 4, 6, device='meta')).shape == (2, 3, 2)


@settings(law, max_examples=80)
@given(sides, sides, st.data())
def test_a_feature_vector_is_that_of_the_cell_with_the_pixels_centre(cells, size, data):
    activation = normal(3, 4, *cells)
    pixel = st.tuples(st.integers(0, size[1] - 1), st.integers(0, size[0] - 1))
    points = data.draw(st.lists(pixel, min_size=3, max_size=3))
    found = feature_vectors(activation, torch.tensor(points), size)
    assert torch.equal(found, torch.from_numpy(oracles.feature_vectors(activation, points, size)))


def test_feature_vectors_take_views_and_half_precision():
    activation = normal(2, 6, 8, 5).half().transpose(2, 3)[:, ::2]
    found = feature_vectors(activation, torch.tensor([[79, 0], [0, 49]]), (50, 80))
    assert found.dtype == torch.float32
    expected = torch.stack([activation[0, :, 0, 7], activation[1, :, 4, 0]]).float()
    assert torch.equal(found, expected)


@pytest.mark.parametrize('point', [(-1, 0), (0, -1), (80, 0), (0, 50)], ids=str)
def test_a_point_outside_the_map_is_refused(point):
    with pytest.raises(ValueError, match='height 50 and width 80'):
        feature_vectors(normal(1, 3, 5, 8), torch.tensor([point]), (50, 80))


@pytest.mark.parametrize('points', [(1, 2), (2, 3), (2,)], ids=str)
def test_points_that_do_not_fit_the_batch_are_refused(points):
    with pytest.raises(ValueError, match=r'\(B, 2\)'):
        feature_vectors(normal(2, 3, 5, 8), torch.zeros(points, dtype=torch.int64), (50, 80))
