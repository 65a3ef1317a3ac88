# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The statistics beside SMOE Scale: agreement with the oracles, hard inputs, laws."""

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smoe_ros import saliency

NAMES = [
    'gamma_scale',
    'channel_std',
    'channel_mean',
    'channel_max',
    'truncated_normal_entropy',
]
HOMOGENEOUS = NAMES[:-1]

law = settings(deadline=None, max_examples=30, database=None)
every_statistic = pytest.mark.parametrize('name', NAMES)
finite = st.sampled_from([0.0, 1e-45, 3.4e38, -3.4e38]).map(np.float32) | st.floats(
    width=32, allow_nan=False, allow_infinity=False
)


def arrays(elements):
    sides = st.tuples(*(st.integers(1, limit) for limit in (3, 9, 3, 4)))
    return hnp.arrays(np.float32, sides, elements=elements).map(torch.from_numpy)


activations = arrays(st.floats(0, 1000, width=32))


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 3


def statistic(name, activation):
    return getattr(saliency, name)(activation)


def assert_close(actual, expected):
    """Compare with an oracle's float64 result, to 1e-5 absolute plus 1e-5 relative."""
    assert actual.dtype == torch.float32
    assert tuple(actual.shape) == np.shape(expected)
    np.testing.assert_allclose(actual.double().numpy(), expected, rtol=1e-5, atol=1e-5)


CASES = {
    'rectified': normal(2, 13, 6, 9).relu(),
    'signed': normal(2, 13, 6, 9),
    'one channel': normal(2, 1, 5, 4),
    'two channels, one row': normal(2, 2, 1, 9) + 1,
    'many channels': normal(1, 1280, 3, 2).relu(),
    'black': torch.zeros(2, 10, 3, 4),
    'saturated': torch.full((2, 10, 3, 4), 6.0),
    'half the channels dead': normal(2, 12, 3, 4).abs()
    * torch.tensor([0.0, 1.0] * 6)[:, None, None],
    'near constant at 1': 1 + 1e-6 * normal(2, 10, 3, 4),
    'near constant at 1000': 1000 * (1 + 1e-3 * normal(2, 10, 3, 4)),
    'huge 1e12': normal(2, 10, 3, 4).relu() * 1e12,
    'huge 1e30': normal(2, 10, 3, 4).relu() * 1e30,
    'faint, at the size of epsilon': normal(2, 10, 3, 4).relu() * 1e-7,
    'float16': normal(2, 13, 3, 4).half(),
    'float16 at its limit': (normal(2, 13, 3, 4) * 40000).clamp(0, 65504).half(),
    'bfloat16': normal(2, 13, 3, 4).bfloat16(),
    'float64': normal(2, 13, 3, 4).double(),
    'channels last': normal(2, 13, 3, 4).to(memory_format=torch.channels_last),
    'a view': normal(2, 13, 8, 9).transpose(-1, -2)[:, 1::2, ::2],
}


@pytest.mark.parametrize('case', CASES)
@every_statistic
def test_statistic_agrees_with_the_oracle(name, case):
    activation = CASES[case]
    assert_close(statistic(name, activation), getattr(oracles, name)(activation.double()))


@pytest.mark.parametrize('channels', [1, 3, 64, 67])
@pytest.mark.parametrize('level', [0.0, 1e-7, 0.1, 1000.1, 1e9, 1e30])
@pytest.mark.parametrize('name', ['gamma_scale', 'channel_std'])
def test_statistic_is_zero_where_all_channels_are_equal(name, level, channels):
    equal = statistic(name, torch.full((1, channels, 2, 3), level))
    assert torch.equal(equal, torch.zeros(1, 2, 3))


def test_gamma_scale_of_gamma_distributed_channels_is_their_scale():
    channels = np.random.default_rng(0).gamma(2.0, 3.0, (1, 100_000, 1, 1))
    assert saliency.gamma_scale(torch.from_numpy(channels)).item() == pytest.approx(3, rel=0.02)


def test_gamma_scale_clamps_negative_values_at_zero():
    signed = normal(2, 13, 3, 4)
    assert torch.equal(saliency.gamma_scale(signed), saliency.gamma_scale(signed.relu()))


def test_channel_statistics_take_negative_values_as_they_are():
    activation = torch.tensor([-3.0, -1.0]).reshape(1, 2, 1, 1)
    assert saliency.channel_mean(activation).item() == -2
    assert saliency.channel_max(activation).item() == -1
    assert saliency.channel_std(activation).item() == pytest.approx(2**0.5)


@pytest.mark.parametrize('level', [0.0, -1e-9, -1.0, -1e30])
def test_entropy_of_a_dead_site_is_finite_and_below_a_live_ones(level):
    dead = saliency.truncated_normal_entropy(torch.full((1, 8, 1, 1), level))
    assert dead.isfinite().all()
    assert dead.item() < saliency.truncated_normal_entropy(normal(1, 8, 1, 1)).item()


@every_statistic
@law
@given(activation=arrays(finite))
def test_statistic_of_any_finite_activation_is_finite(name, activation):
    assert statistic(name, activation).isfinite().all()


@pytest.mark.parametrize('name', ['gamma_scale', 'channel_std'])
@law
@given(activation=activations)
def test_statistic_is_never_negative(name, activation):
    assert statistic(name, activation).min() >= 0


@every_statistic
@law
@given(activation=activations, random=st.randoms(use_true_random=False))
def test_statistic_does_not_depend_on_the_order_of_channels(name, activation, random):
    order = list(range(activation.shape[1]))
    random.shuffle(order)
    shuffled = statistic(name, activation[:, order])
    assert_close(shuffled, statistic(name, activation).double().numpy())


@pytest.mark.parametrize('name', HOMOGENEOUS)
@law
@given(activation=arrays(st.floats(1, 64, width=32)), factor=st.sampled_from([2.0, 16.0, 1024.0]))
def test_statistic_of_k_times_the_activation_is_k_times_as_large(name, activation, factor):
    scaled = statistic(name, activation * factor) / factor
    assert_close(scaled, statistic(name, activation).double().numpy())


@every_statistic
@law
@given(activation=activations)
def test_statistic_of_a_batch_is_that_of_its_images_alone(name, activation):
    alone = torch.cat([statistic(name, one[None]) for one in activation])
    assert_close(statistic(name, activation), alone.double().numpy())


@every_statistic
@pytest.mark.parametrize('shape', [(3, 4, 5), (2, 0, 4, 5), (4,)], ids=str)
def test_statistic_refuses_a_wrong_shape(name, shape):
    with pytest.raises(ValueError, match=r'\(B, C, H, W\)'):
        statistic(name, torch.zeros(shape))


@every_statistic
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_statistic_leaves_its_input_and_records_no_gradient(name, dtype):
    activation = normal(2, 5, 3, 4).to(dtype).requires_grad_()
    before = activation.detach().clone()
    assert not statistic(name, activation).requires_grad
    assert torch.equal(activation, before)
