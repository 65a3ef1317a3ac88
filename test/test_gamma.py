# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The gamma distribution: its fit, gamma_cdf, and how near SMOE Scale comes to the fit."""

from decimal import Decimal, localcontext

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import spearmanr

from smoe_ros.saliency import gamma_cdf, gamma_scale, smoe_scale
from smoe_ros.saliency.gamma import fit_shape, log_mean_ratio

law = settings(deadline=None, max_examples=40, database=None)
any_floats = st.sampled_from([0.0, 1e-45, 3.4e38, -3.4e38]).map(np.float32) | st.floats(
    width=32, allow_nan=False, allow_infinity=False
)


def maps_of(elements):
    sides = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
    return hnp.arrays(np.float32, sides, elements=elements).map(torch.from_numpy)


maps = maps_of(st.floats(0, 1000, width=32))


def gamma_sample(*shape, k=1.5, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).gamma(k, 2.0, shape).astype(np.float32))


def assert_close(actual, expected):
    """Compare with an oracle's float64 result, to 1e-5 absolute plus 1e-5 relative."""
    assert actual.dtype == torch.float32
    np.testing.assert_allclose(actual.double().numpy(), expected, rtol=1e-5, atol=1e-5)


# --- the fit ------------------------------------------------------------------------------------


def test_the_fit_finds_the_root_of_the_likelihood_for_every_spread():
    s = np.logspace(-12, 3, 301)
    expected = [oracles.gamma_shape(one) for one in s]
    np.testing.assert_allclose(fit_shape(torch.from_numpy(s)).numpy(), expected, rtol=1e-6)


def test_the_fit_of_one_sample_does_not_depend_on_the_others():
    s = torch.logspace(-12, 3, 40, dtype=torch.float64)
    alone = torch.cat([fit_shape(one[None]) for one in s])
    torch.testing.assert_close(fit_shape(s), alone, rtol=1e-9, atol=0)


@pytest.mark.parametrize('spread', [1e-7, 1e-5, 1e-3, 0.3])
def test_the_log_ratio_of_nearly_equal_samples_keeps_its_digits(spread):
    # x = 1 ± d in equal parts: s = −½ · ln(1 − d²).
    x = torch.tensor([1 + spread, 1 - spread] * 5, dtype=torch.float64)
    _, s = log_mean_ratio(x, dim=0)
    assert s.item() == pytest.approx(-0.5 * np.log1p(-(spread**2)), rel=1e-5, abs=0)


def test_the_log_ratio_of_samples_that_differ_in_float32s_last_bits_is_that_of_fifty_digits():
    x = torch.tensor([1.0, 1 + 2**-23, 1 + 3 * 2**-23, 1 + 2**-20]).double()
    with localcontext(prec=50):
        exact = [Decimal(value) for value in x.tolist()]
        mean = sum(exact) / len(exact)
        expected = mean.ln() - sum(value.ln() for value in exact) / len(exact)
    _, s = log_mean_ratio(x, dim=0)
    assert float(s) == pytest.approx(float(expected), rel=1e-5, abs=0)


def test_smoe_scale_orders_sites_nearly_as_the_fit_does():
    generator = np.random.default_rng(3)
    k = generator.uniform(0.3, 5, (1, 1, 24, 32))
    activation = generator.gamma(k, generator.uniform(0.5, 2, k.shape), (1, 64, 24, 32))
    activation = torch.from_numpy(activation.astype(np.float32))
    orders = smoe_scale(activation).flatten(), gamma_scale(activation).flatten()
    assert spearmanr(*orders).statistic > 0.95


# --- gamma_cdf ----------------------------------------------------------------------------------

HARD_MAPS = {
    'not square': gamma_sample(2, 9, 14),
    'one row': gamma_sample(2, 1, 9),
    'two pixels': torch.tensor([[[1.0, 2.0]]]),
    'nearly normal': gamma_sample(2, 9, 14, k=40),
    'heavy tail': gamma_sample(2, 9, 14, k=0.1),
    'faint 1e-9': gamma_sample(2, 9, 14) * 1e-9,
    'huge 1e30': gamma_sample(2, 9, 14) * 1e30,
    'one hot pixel': torch.eye(4800)[77:78].reshape(1, 60, 80),
    'near constant': 1000 * (1 + 1e-3 * gamma_sample(2, 9, 14)),
    'flat beside lively': torch.stack([torch.full((9, 14), 0.1), gamma_sample(9, 14)]),
    'negative': gamma_sample(2, 9, 14) - 5,
    'half precision': gamma_sample(2, 9, 14).half(),
    'bfloat16': gamma_sample(2, 9, 14).bfloat16(),
    'a view': gamma_sample(2, 14, 27).transpose(1, 2)[:, ::3],
}


@pytest.mark.parametrize('name', HARD_MAPS)
def test_gamma_cdf_agrees_with_the_oracle(name):
    raw = HARD_MAPS[name]
    assert_close(gamma_cdf(raw), oracles.gamma_cdf(raw.double()))


@pytest.mark.parametrize('level', [0.0, 0.1, 1000.1, 1e30, -3.0])
@pytest.mark.parametrize('shape', [(2, 9, 14), (1, 31, 37), (3, 1, 1)], ids=str)
def test_gamma_cdf_of_a_flat_map_is_one_half(level, shape):
    assert torch.equal(gamma_cdf(torch.full(shape, level)), torch.full(shape, 0.5))


def test_gamma_cdf_is_brightest_at_the_peak():
    raw = gamma_sample(1, 40, 50, k=2)
    raw[0, 7, 9] = 40
    assert gamma_cdf(raw)[0, 7, 9] > 0.9995


@law
@given(maps)
def test_gamma_cdf_never_decreases_with_the_raw_value(raw):
    for one, normalized in zip(raw, gamma_cdf(raw), strict=True):
        in_order = normalized.flatten()[one.flatten().argsort()]
        assert (in_order.diff() >= -1e-6).all()


@law
@given(maps_of(any_floats))
def test_gamma_cdf_of_any_finite_map_lies_between_zero_and_one(raw):
    normalized = gamma_cdf(raw)
    # NaN fails both.
    assert normalized.min() >= 0
    assert normalized.max() <= 1


@law
@given(maps)
def test_gamma_cdf_of_a_batch_is_that_of_its_maps_alone(raw):
    alone = torch.cat([gamma_cdf(one[None]) for one in raw])
    assert_close(gamma_cdf(raw), alone.double().numpy())


def test_gamma_cdf_leaves_its_input_and_records_no_gradient():
    raw = gamma_sample(2, 9, 14).requires_grad_()
    before = raw.detach().clone()
    assert not gamma_cdf(raw).requires_grad
    assert torch.equal(raw, before)
