# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sensitivity: its noise goes both ways, its norm is Euclidean, and broken maps get no score."""

import math

import numpy as np
import pytest
import torch
from small_networks import one_thread, photo_batch, plain  # noqa: F401 - a fixture

from smoe_ros.evaluation.sensitivity import max_sensitivity
from smoe_ros.explainer import Explainer

SIZE = (8, 8)


def constants(*values):
    """Return what explains one picture after the other by flat maps of these values."""
    left = iter(values)
    return lambda batch: torch.full((1, *SIZE), next(left))


def picture():
    return torch.rand((3, *SIZE), generator=torch.Generator().manual_seed(0))


def test_noise_is_uniform_and_goes_both_ways():
    image = torch.linspace(-1, 1, 3 * 64 * 64).reshape(3, 64, 64)  # a range of 2
    noise = []

    def explain(batch):
        noise.append(((batch[0] - image) / (2 * 0.1)).numpy())
        return batch.sum(dim=1)

    max_sensitivity(explain, image, radius=0.1, samples=4)
    for one in noise[1:]:
        counts, _ = np.histogram(one, bins=4, range=(-1, 1))
        assert counts / one.size == pytest.approx(0.25, abs=0.03)


def test_every_sample_has_its_own_noise():
    seen = []

    def explain(batch):
        seen.append(batch.clone())
        return batch.sum(dim=1)

    max_sensitivity(explain, picture(), samples=3)
    assert torch.equal(seen[0][0], picture())
    assert len({one.numpy().tobytes() for one in seen}) == 4


def test_maps_are_compared_by_the_euclidean_norm():
    clean, moved = torch.zeros(1, *SIZE), torch.zeros(1, *SIZE)
    clean[0, 0, :2] = torch.tensor([6.0, 8.0])
    moved[0, 0, :2] = torch.tensor([9.0, 12.0])  # 3 and 4 more
    maps = iter([clean, moved])
    assert max_sensitivity(lambda batch: next(maps), picture(), samples=1) == pytest.approx(0.5)


def test_sensitivity_of_a_network_is_that_of_a_loop_in_float64():
    image = photo_batch(32, 48)[0]
    maps = []
    with Explainer(plain(), ['act1', 'act3'], input_size=(32, 48)) as explainer:

        def explain(batch):
            saliency = explainer(batch).saliency
            maps.append(saliency[0].double().numpy())
            return saliency

        found = max_sensitivity(explain, image, radius=0.05, samples=5)
    clean, *noisy = maps
    wanted = max(
        math.sqrt(((one - clean) ** 2).sum()) / math.sqrt((clean**2).sum()) for one in noisy
    )
    assert len(noisy) == 5
    assert found == pytest.approx(wanted)
    assert 0 < found < 1


def test_sensitivity_draws_nothing_from_the_global_generator():
    state = torch.get_rng_state()
    max_sensitivity(lambda batch: batch.sum(dim=1), picture())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize('broken', [math.nan, math.inf])
@pytest.mark.parametrize('place', [0, 1, 2], ids=['clean', 'first sample', 'last sample'])
def test_a_map_that_is_not_finite_gets_no_score(broken, place):
    values = [1.0, 1.5, 1.25]
    values[place] = broken
    with pytest.raises(ValueError, match='a map is finite'):
        max_sensitivity(constants(*values), picture(), samples=2)


@pytest.mark.parametrize('samples', [0, -1])
def test_without_a_sample_there_is_no_score(samples):
    with pytest.raises(ValueError, match=f'at least 1 sample, got {samples}'):
        max_sensitivity(constants(1.0), picture(), samples=samples)
