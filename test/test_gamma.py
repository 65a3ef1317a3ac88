# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The fit of a gamma distribution, on which gamma_scale and gamma_cdf stand."""

import numpy as np
import oracles
import pytest
import torch

from smoe_ros.saliency.gamma import fit_shape, log_mean_ratio


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
