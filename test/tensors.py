# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the mathematics share: drawn tensors, and how a result meets an oracle's."""

import functools

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smoe_ros import kernels

law = settings(deadline=None, max_examples=40, database=None)
# The ends of float32 are drawn often: sums and squares overflow and underflow there.
any_finite = st.sampled_from([0.0, 1e-45, 3.4e38, -3.4e38]).map(np.float32) | st.floats(
    width=32, allow_nan=False, allow_infinity=False
)


def drawn(*limits, elements):
    """Draw float32 tensors whose sides are 1 up to each limit."""
    sides = st.tuples(*(st.integers(1, limit) for limit in limits))
    return hnp.arrays(np.float32, sides, elements=elements).map(torch.from_numpy)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def without_kernels(function):
    """Return a function that computes without the compiled kernels."""

    @functools.wraps(function)
    def compute(*args, **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernels, 'load', lambda: None)
            return function(*args, **options)

    return compute


def assert_close(actual, expected, rtol=1e-5, atol=1e-5):
    """Compare with an oracle's float64 result, to 1e-5 absolute plus 1e-5 relative."""
    assert actual.dtype == torch.float32
    assert tuple(actual.shape) == np.shape(expected)
    np.testing.assert_allclose(actual.double().numpy(), np.asarray(expected), rtol=rtol, atol=atol)
