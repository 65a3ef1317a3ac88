# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The normalisations of raw maps, compiled and in torch: oracles, flat maps, laws."""

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tensors import any_finite, assert_close, drawn, law, normal, uniform, without_kernels

from smoe_ros import saliency

NORMALIZATIONS = {
    'gaussian_cdf': saliency.gaussian_cdf,
    'gaussian_cdf in torch': without_kernels(saliency.gaussian_cdf),
    'gamma_cdf': saliency.gamma_cdf,
    'min_max': saliency.min_max,
}
CDFS = list(NORMALIZATIONS)[:3]
every_normalization = pytest.mark.parametrize('name', NORMALIZATIONS)
maps = drawn(3, 6, 6, elements=st.floats(0, 1000, width=32))


def rectified(*shape):
    return normal(*shape).relu() * 3


def gamma_sample(*shape, k=1.5):
    return torch.from_numpy(np.random.default_rng(0).gamma(k, 2.0, shape).astype(np.float32))


CASES = {
    'rectified': rectified(3, 13, 17),
    'gamma-distributed': gamma_sample(2, 9, 14),
    'nearly normal': gamma_sample(2, 9, 14, k=40),
    'heavy tail': gamma_sample(2, 9, 14, k=0.1),
    'one row': rectified(2, 1, 9),
    'one column': rectified(2, 6, 1),
    'two pixels': torch.tensor([[[1.0, 2.0]]]),
    'faint 1e-6': rectified(2, 9, 14) * 1e-6,
    'faint 1e-9': gamma_sample(2, 9, 14) * 1e-9,
    'huge 1e12': rectified(2, 9, 14) * 1e12,
    'huge 1e30': rectified(2, 9, 14) * 1e30,
    'one hot pixel': torch.eye(15)[:2].reshape(2, 3, 5) * 42,
    'one hot pixel among many': torch.eye(4800)[77:78].reshape(1, 60, 80),
    'near constant': 1000 * (1 + 1e-3 * uniform(2, 9, 14)),
    'nearer still': 0.7 + 1e-6 * uniform(3, 23, 37),
    'flat beside lively': torch.stack([torch.full((9, 14), 0.1), rectified(9, 14)]),
    'negative': rectified(2, 9, 14) - 5,
    'float16': gamma_sample(2, 9, 14).half(),
    'bfloat16': gamma_sample(2, 9, 14).bfloat16(),
    'float64': gamma_sample(2, 9, 14).double(),
    'transposed': gamma_sample(2, 14, 27).transpose(1, 2)[:, ::3],
    'every second row': gamma_sample(2, 9, 14)[:, ::2, 1::3],
}


@pytest.mark.parametrize('case', CASES)
@every_normalization
def test_normalization_agrees_with_the_oracle(name, case):
    raw = CASES[case]
    expected = getattr(oracles, name.partition(' ')[0])(raw.double())
    assert_close(NORMALIZATIONS[name](raw), expected)


@pytest.mark.parametrize('case', ['rectified', 'nearer still'])
@pytest.mark.parametrize('name', CDFS[:2])
def test_gaussian_cdf_is_exact_to_a_millionth(name, case):
    found = NORMALIZATIONS[name](CASES[case])
    assert_close(found, oracles.gaussian_cdf(CASES[case]), rtol=0, atol=1e-6)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('level', [0.0, 0.1, 1000.1, 1e9, 1e30, -3.0])
@pytest.mark.parametrize('shape', [(2, 9, 14), (1, 31, 37), (3, 1, 1)], ids=str)
@every_normalization
def test_a_flat_map_is_one_half_of_a_distribution_and_the_minimum_of_a_range(
    name, shape, level, dtype
):
    expected = 0.0 if name == 'min_max' else 0.5
    normalized = NORMALIZATIONS[name](torch.full(shape, level, dtype=dtype))
    assert torch.equal(normalized, torch.full(shape, expected))


def test_min_max_does_not_blow_up_noise_below_1e_9():
    raw = torch.tensor([[[0.0, 1e-10]]])
    assert_close(saliency.min_max(raw), [[[0.0, 0.1]]])


@every_normalization
@law
@given(raw=maps)
def test_normalization_keeps_the_order_of_sites(name, raw):
    for one, normalized in zip(raw, NORMALIZATIONS[name](raw), strict=True):
        in_order = normalized.flatten()[one.flatten().argsort()]
        # Vector and scalar versions of erf may differ in the last bit.
        assert (in_order.diff() >= -1e-6).all()


@every_normalization
@law
@given(raw=drawn(3, 6, 6, elements=any_finite) | maps)
def test_any_finite_map_is_normalized_to_between_zero_and_one(name, raw):
    normalized = NORMALIZATIONS[name](raw)
    # NaN fails both.
    assert normalized.min() >= 0
    assert normalized.max() <= 1


@pytest.mark.parametrize('dtype', [torch.float16, torch.float32, torch.float64])
@every_normalization
def test_normalization_leaves_its_input_and_records_no_gradient(name, dtype):
    raw = gamma_sample(2, 9, 14).to(dtype).requires_grad_()
    before = raw.detach().clone()
    assert not NORMALIZATIONS[name](raw).requires_grad
    assert torch.equal(raw, before)
