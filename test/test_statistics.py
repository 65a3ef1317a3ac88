# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The statistics over channels, compiled and in torch: oracles, hard inputs, laws."""

import os
import subprocess
import sys

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tensors import any_finite, assert_close, drawn, law, normal, uniform, without_kernels

from smoe_ros import saliency

STATISTICS = {
    'smoe_scale': saliency.smoe_scale,
    'smoe_scale in torch': without_kernels(saliency.smoe_scale),
    'gamma_scale': saliency.gamma_scale,
    'channel_std': saliency.channel_std,
    'channel_mean': saliency.channel_mean,
    'channel_max': saliency.channel_max,
    'truncated_normal_entropy': saliency.truncated_normal_entropy,
}
SMOE_SCALE = list(STATISTICS)[:2]
RECTIFYING = list(STATISTICS)[:3]
SPREADS = list(STATISTICS)[:4]
every_statistic = pytest.mark.parametrize('name', STATISTICS)
activations = drawn(3, 9, 3, 4, elements=st.floats(0, 1000, width=32))


def rectified(*shape):
    """Return what a ReLU lets through of a normal distribution: about half of it is zero."""
    return normal(*shape).relu() * 3


CASES = {
    'rectified': rectified(2, 13, 6, 9),
    'signed': 3 * normal(2, 13, 6, 9),
    'one channel': 3 * normal(2, 1, 5, 4),
    'two channels, one row': 3 * normal(2, 2, 1, 9) + 1,
    'four channels': rectified(3, 4, 3, 2),
    'many channels': rectified(1, 2051, 3, 3),
    'many sites': rectified(1, 7, 17, 31),
    'black': torch.zeros(2, 10, 3, 4),
    'saturated': torch.full((2, 10, 3, 4), 6.0),
    'half the channels dead': normal(2, 12, 3, 4).abs()
    * torch.tensor([0.0, 1.0] * 6)[:, None, None],
    'one hot pixel': 42 * torch.eye(10)[3].reshape(1, 10, 1, 1) * torch.eye(6)[None, None],
    'near constant at 1': 1 + 3e-6 * normal(2, 10, 3, 4),
    'near constant at 1000': 1000 * (1 + 3e-3 * normal(2, 10, 3, 4)),
    'near constant at 1000, odd channels': 1000 * (1 + 1e-3 * normal(2, 67, 3, 4)),
    'near constant at 1e6': 1e6 * (1 + 1e-3 * normal(2, 64, 3, 4)),
    'huge 1e6': rectified(2, 13, 3, 4) * 1e6,
    'huge 1e12': rectified(2, 10, 3, 4) * 1e12,
    'huge 1e30': rectified(2, 10, 3, 4) * 1e30,
    'huge 1e36': rectified(1, 37, 5, 6) * 3e35,
    'huge beside dead': torch.tensor([1e30, 0.0, 1e-7, 1.0, 1e12]).reshape(1, 5, 1, 1),
    'faint, at the size of epsilon': uniform(2, 10, 3, 4) * 1e-7,
    'float16': 3 * normal(2, 13, 3, 4).half(),
    'float16 at its limit': (1.2e5 * normal(2, 13, 3, 4)).clamp(0, 65504).half(),
    'bfloat16': 3 * normal(2, 13, 3, 4).bfloat16(),
    'float64': 3 * normal(2, 13, 3, 4).double(),
    'a view': 3 * normal(2, 13, 8, 9).transpose(-1, -2)[:, 1::2, ::2],
    'an expanded batch': rectified(1, 13, 3, 4).expand(3, -1, -1, -1),
}


def oracle(name):
    return getattr(oracles, name.partition(' ')[0])


@pytest.mark.parametrize('case', CASES)
@every_statistic
def test_statistic_agrees_with_the_oracle_in_both_memory_formats(name, case):
    activation = CASES[case]
    expected = oracle(name)(activation.double())
    atol = 1e-7 if name == 'smoe_scale' else 1e-5
    assert_close(STATISTICS[name](activation), expected, atol=atol)
    channels_last = activation.to(memory_format=torch.channels_last)
    assert_close(STATISTICS[name](channels_last), expected, atol=atol)


@every_statistic
@law
@given(activation=activations)
def test_statistic_agrees_with_the_oracle_on_any_activation(name, activation):
    assert_close(STATISTICS[name](activation), oracle(name)(activation))


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('name', SMOE_SCALE)
def test_smoe_scale_of_nearly_equal_channels_keeps_its_digits(name, memory_format):
    activation = (1 + 1e-3 * uniform(1, 64, 5, 5)).to(memory_format=memory_format)
    found = STATISTICS[name](activation)
    assert_close(found, oracles.smoe_scale(activation), rtol=1e-4, atol=0)


@pytest.mark.parametrize('channels', [40, 64, 67])
@pytest.mark.parametrize('level', [1.0, 1e6, 1e9])
@pytest.mark.parametrize('shape', [1.1, 1.3, 1.5])
@pytest.mark.parametrize('name', SMOE_SCALE)
def test_smoe_scale_agrees_with_the_oracle_at_moderate_spread(name, shape, level, channels):
    # φ is a third to two thirds of μ here: the difference of logarithms costs most of float32's
    # digits without being so small that it is noticed.
    sites = np.random.default_rng(1).gamma(shape, level, (1, channels, 64, 64))
    activation = torch.from_numpy(sites.astype(np.float32))
    assert_close(STATISTICS[name](activation), oracles.smoe_scale(activation))


@pytest.mark.parametrize('channels', [1, 3, 4, 10, 64, 67, 1280])
@pytest.mark.parametrize('level', [0.0, 1e-7, 0.1, 1.0, 1000.1, 1e6, 1e9])
@pytest.mark.parametrize('name', SMOE_SCALE)
def test_smoe_scale_is_zero_where_all_channels_are_equal(name, level, channels):
    equal = STATISTICS[name](torch.full((1, channels, 2, 3), level))
    assert_close(equal, np.zeros((1, 2, 3)))


@pytest.mark.parametrize('channels', [1, 3, 64, 67])
@pytest.mark.parametrize('level', [0.0, 1e-7, 0.1, 1000.1, 1e9, 1e30])
@pytest.mark.parametrize('name', ['gamma_scale', 'channel_std'])
def test_statistic_is_exactly_zero_where_all_channels_are_equal(name, level, channels):
    equal = STATISTICS[name](torch.full((1, channels, 2, 3), level))
    assert torch.equal(equal, torch.zeros(1, 2, 3))


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('bad', [np.nan, np.inf])
@pytest.mark.parametrize('name', RECTIFYING)
def test_statistic_shows_where_a_channel_is_not_finite(name, bad, memory_format):
    activation = rectified(1, 66, 4, 4)
    activation[0, 65, 2, 1] = activation[0, 3, 0, 3] = bad
    finite = STATISTICS[name](activation.to(memory_format=memory_format)).isfinite()
    assert (~finite).nonzero().tolist() == [[0, 0, 3], [0, 2, 1]]


@pytest.mark.parametrize('level', [0.0, -1e-9, -1.0, -1e30])
def test_entropy_of_a_dead_site_is_finite_and_below_a_live_ones(level):
    dead = saliency.truncated_normal_entropy(torch.full((1, 8, 1, 1), level))
    assert dead.isfinite().all()
    assert dead.item() < saliency.truncated_normal_entropy(3 * normal(1, 8, 1, 1)).item()


@every_statistic
@settings(law, max_examples=150)
@given(activation=drawn(2, 9, 3, 3, elements=any_finite))
def test_statistic_of_any_finite_activation_is_finite(name, activation):
    assert STATISTICS[name](activation).isfinite().all()


@pytest.mark.parametrize('value', [3.4e38, 1e37, 1e-45], ids=str)
@pytest.mark.parametrize('channels', [1, 4, 5, 8, 64])
@pytest.mark.parametrize('name', SMOE_SCALE)
def test_the_ends_of_float32_in_any_two_channels_are_finite(name, value, channels):
    # Each site holds the value in two channels (or one), each of the 64 pairs of the first eight.
    activation = torch.zeros(1, channels, 8, 8)
    for y, x in np.ndindex(8, 8):
        activation[0, [y % channels, x % channels], y, x] = value
    assert STATISTICS[name](activation).isfinite().all()


@pytest.mark.parametrize('name', SPREADS)
@law
@given(activation=activations)
def test_statistic_is_never_negative(name, activation):
    assert STATISTICS[name](activation).min() >= 0


@every_statistic
@pytest.mark.parametrize('shape', [(3, 4, 5), (2, 0, 4, 5), (4,)], ids=str)
def test_statistic_refuses_a_wrong_shape(name, shape):
    with pytest.raises(ValueError, match=r'\(B, C, H, W\)'):
        STATISTICS[name](torch.zeros(shape))


@every_statistic
@pytest.mark.parametrize('dtype', [torch.float16, torch.float32, torch.float64])
def test_statistic_leaves_its_input_and_records_no_gradient(name, dtype):
    activation = normal(2, 5, 3, 4).to(dtype).requires_grad_()
    before = activation.detach().clone()
    assert not STATISTICS[name](activation).requires_grad
    assert torch.equal(activation, before)


@pytest.mark.parametrize(('variable', 'used'), [('0', 'False'), ('1', 'True')])
def test_the_environment_says_whether_kernels_are_used(variable, used):
    pytest.importorskip('numba')
    code = (
        'import sys, torch\n'
        'from smoe_ros.saliency import smoe_scale\n'
        'smoe_scale(torch.rand(1, 8, 4, 4))\n'
        "print('numba' in sys.modules)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, 'PYTHONPATH': path, 'SMOE_KERNELS': variable}
    said = subprocess.check_output([sys.executable, '-c', code], env=environment, timeout=120)
    assert said.decode().strip() == used
