# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network that looks trained becomes random: what changes at each step, and what does not."""

import pytest
import torch
from small_networks import hooks_of, one_thread, photo_batch, plain, seeded  # noqa: F401 - a fixture
from torch import nn
from torch.nn import functional as F

from smoe_ros.evaluation.metrics.randomisation import NOTHING, cascade

ORDER = ['classifier', 'norm3', 'conv3', 'norm2', 'conv2', 'norm1', 'conv1']
NORMS = ['norm1', 'norm2', 'norm3']


@pytest.fixture(scope='module')
def images():
    return photo_batch(64, 96)


@pytest.fixture
def network():
    """Return a network whose batch normalisations have learnt something from 100 batches."""
    network = plain(batch_norm=True)
    generator = torch.Generator().manual_seed(1)
    for name in NORMS:
        norm = network.get_submodule(name)
        for values in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
            values.copy_(0.5 + torch.rand(values.shape, generator=generator))
        norm.num_batches_tracked.fill_(100)
    return network


def weights(model):
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def changed_layers(before, model):
    """Return the layers of which a weight differs, the others being equal in every bit."""
    now = weights(model)
    return {name.split('.')[0] for name in now if not torch.equal(now[name], before[name])}


def statistics_by_hand(model, images):
    """Return mean and unbiased variance before each normalisation, as batches have them."""
    x, found = images.double(), {}
    for number in (1, 2, 3):
        conv, norm = getattr(model, f'conv{number}'), getattr(model, f'norm{number}')
        x = F.conv2d(x, conv.weight.double(), conv.bias.double(), stride=2, padding=1)
        mean, count = x.mean(dim=(0, 2, 3)), x[:, 0].numel()
        centred = x - mean[:, None, None]
        variance = (centred**2).sum(dim=(0, 2, 3)) / count
        found[f'norm{number}'] = mean, variance * count / (count - 1)
        x = centred / (variance[:, None, None] + norm.eps).sqrt()
        x = (x * norm.weight.double()[:, None, None] + norm.bias.double()[:, None, None]).relu()
    return found


@pytest.mark.parametrize(
    ('steps', 'sizes'),
    [
        (1, [7]),
        (4, [2, 2, 2, 1]),
        (20, [1] * 7),
    ],
)
def test_each_step_changes_one_more_group_of_nearly_equal_size_and_nothing_else(
    network, images, steps, sizes
):
    before = weights(network)
    found = [
        (name, changed_layers(before, model)) for name, model in cascade(network, images, steps)
    ]
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    wanted = [(NOTHING, set())] + [(ORDER[end - 1], set(ORDER[:end])) for end in ends]
    assert found == wanted


def test_a_layer_is_drawn_once_and_then_kept(network, images):
    drawn = {}
    for number, (_, model) in enumerate(cascade(network, images, steps=7)):
        now = weights(model)
        for name in ORDER[:number]:
            drawn.setdefault(name, now[f'{name}.weight'])
            assert torch.equal(now[f'{name}.weight'], drawn[name])


def test_at_every_step_all_statistics_are_those_of_the_pictures(network, images):
    for step, model in cascade(network, images, steps=3):
        for name, (mean, variance) in statistics_by_hand(model, images).items():
            norm = model.get_submodule(name)
            where = f'{name} after {step}'
            assert torch.allclose(norm.running_mean.double(), mean, rtol=1e-4, atol=1e-5), where
            assert torch.allclose(norm.running_var.double(), variance, rtol=1e-4), where


def test_normalisations_keep_their_momentum_and_the_network_all_that_it_has(network, images):
    momenta = {'norm1': 0.3, 'norm2': None, 'norm3': 0.1}
    for name, momentum in momenta.items():
        network.get_submodule(name).momentum = momentum
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    for _, model in cascade(network, images, steps=2):
        assert {name: model.get_submodule(name).momentum for name in NORMS} == momenta
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert hooks_of(network) == {}
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_in_training_is_left_training(network, images):
    network.train()
    for _, model in cascade(network, images, steps=2):
        assert not any(module.training for module in model.modules())
    assert all(module.training for module in network.modules())


def test_the_callers_own_draws_between_steps_change_nothing(network, images):
    def weights_at_the_end(disturb):
        for _, model in cascade(network, images, steps=3):
            now = weights(model)
            if disturb:
                torch.rand(7)
        return now

    calm = weights_at_the_end(disturb=False)
    with torch.random.fork_rng():
        disturbed = weights_at_the_end(disturb=True)
    assert all(torch.equal(calm[name], disturbed[name]) for name in calm)


def test_a_seed_draws_the_same_weights_each_time(network, images):
    def last(seed):
        *_, (_, model) = cascade(network, images, steps=2, seed=seed)
        return model.conv1.weight

    assert torch.equal(last(3), last(3))
    assert not torch.equal(last(3), last(4))


def test_pictures_too_small_for_statistics_are_refused_in_words():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2, 1), torch.nn.BatchNorm2d(4))
    with pytest.raises(ValueError, match='a batch of 1×3×2×2: give more pictures, or larger'):
        next(cascade(network, torch.rand(1, 3, 2, 2)))


def test_a_network_without_weights_is_refused(images):
    with pytest.raises(ValueError, match='no layer of ReLU has weights'):
        next(cascade(torch.nn.ReLU(), images))


class Odd(nn.Module):
    """One layer that runs twice, one that never runs, and a weight that cannot be drawn anew."""

    def __init__(self):
        super().__init__()
        self.first, self.twice = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1)
        self.unused, self.head = nn.Linear(4, 4), nn.Linear(4, 2)
        self.scale = nn.Parameter(torch.tensor([0.5]))

    def forward(self, x):
        x = self.twice(self.twice(self.first(x)).relu()).relu()
        return self.head(self.scale * x.mean(dim=(2, 3)))


def test_layers_that_run_twice_count_once_and_those_that_never_run_or_cannot_are_left(images):
    network = seeded(Odd)
    before = weights(network)
    found = [(name, changed_layers(before, model)) for name, model in cascade(network, images)]
    assert found == [
        (NOTHING, set()),
        ('head', {'head'}),
        ('twice', {'head', 'twice'}),
        ('first', {'head', 'twice', 'first'}),
    ]
