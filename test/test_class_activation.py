# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Class activation maps: the formulas, batches, layouts and their limits."""

import numpy as np
import oracles
import pytest
import tensors
import torch
from tensors import normal

from smoe_ros.errors import ConfigurationError
from smoe_ros.saliency import class_activation

METHODS = ['grad_cam', 'grad_cam_pp', 'x_grad_cam']
every_method = pytest.mark.parametrize('method', METHODS)


def layer(*shape):
    return normal(*shape).relu(), normal(*shape, seed=1)


def assert_close(actual, expected):
    """Compare with an oracle's float64 result, to 1e-5 of its largest value."""
    tensors.assert_close(actual, expected, atol=1e-5 * np.max(np.abs(expected)))


CASES = {
    'not square': layer(3, 7, 4, 6),
    'one site': layer(2, 5, 1, 1),
    'one channel': layer(2, 1, 3, 2),
    'signed activation': (normal(2, 7, 4, 6), normal(2, 7, 4, 6, seed=1)),
    'faint gradient': (layer(2, 7, 4, 6)[0], 1e-3 * layer(2, 7, 4, 6)[1]),
    'large': (1e6 * layer(2, 7, 4, 6)[0], 1e3 * layer(2, 7, 4, 6)[1]),
    'float16': tuple(one.half() for one in layer(2, 7, 4, 6)),
    'bfloat16': tuple(one.bfloat16() for one in layer(2, 7, 4, 6)),
    'views': tuple(one.transpose(2, 3)[:, ::2] for one in layer(2, 7, 4, 6)),
    'channels last': tuple(one.to(memory_format=torch.channels_last) for one in layer(2, 7, 4, 6)),
}


@pytest.mark.parametrize('case', CASES)
@every_method
def test_class_activation_agrees_with_the_oracle(method, case):
    activation, gradient = CASES[case]
    expected = oracles.class_activation(activation.double(), gradient.double(), method)
    assert_close(class_activation(activation, gradient, method), expected)


@every_method
def test_class_activation_without_gradient_or_activation_is_zero(method):
    activation, gradient = layer(2, 7, 4, 6)
    nothing = torch.zeros_like(activation)
    for pair in [(nothing, gradient), (activation, nothing), (nothing, nothing)]:
        assert torch.equal(class_activation(*pair, method), torch.zeros(2, 4, 6))


def test_the_score_scales_a_frames_grad_cam_pp_by_its_exponential():
    activation, gradient = layer(3, 7, 4, 6)
    score = torch.tensor([-3.0, 0.0, 11.0])
    expected = oracles.class_activation(activation, gradient, 'grad_cam_pp', score.tolist())
    actual = class_activation(activation, gradient, 'grad_cam_pp', score)
    for one, exact in zip(actual, expected, strict=True):
        assert_close(one, exact)


@pytest.mark.parametrize('method', ['grad_cam', 'x_grad_cam'])
def test_the_score_has_no_part_in_the_other_methods(method):
    pair = layer(3, 7, 4, 6)
    scored = class_activation(*pair, method, torch.tensor([1.0, 2.0, 1000.0]))
    assert torch.equal(scored, class_activation(*pair, method))


@pytest.mark.parametrize('score', [90.0, 700.0, 1000.0])
def test_a_score_beyond_float32_leaves_the_pattern(score):
    pair = layer(2, 7, 4, 6)
    plain = class_activation(*pair, 'grad_cam_pp')
    scored = class_activation(*pair, 'grad_cam_pp', torch.full((2,), score))
    assert scored.isfinite().all()
    for one, exact in zip(scored, plain, strict=True):
        assert_close(one / one.max(), (exact / exact.max()).double().numpy())


@every_method
def test_huge_activations_and_gradients_give_a_finite_map(method):
    activation, gradient = (1e30 * one for one in layer(2, 7, 4, 6))
    found = class_activation(activation, gradient, method)
    assert found.isfinite().all()
    assert found.max() > 0


def test_a_vanishing_denominator_gives_a_finite_map():
    # Σ A = −1e-6 exactly, in float64.
    activation = torch.tensor([-1e-6, 0.0], dtype=torch.float64).reshape(1, 1, 1, 2)
    gradient = torch.ones_like(activation)
    assert class_activation(activation, gradient, 'x_grad_cam').isfinite().all()


def test_an_unknown_method_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError, match=r"class activation 'gradcam'.*grad_cam"):
        class_activation(*layer(1, 2, 3, 4), 'gradcam')


@pytest.mark.parametrize(
    ('activation', 'gradient', 'score'),
    [
        ((2, 3, 4, 5), (2, 3, 5, 4), None),
        ((2, 3, 4, 5), (1, 3, 4, 5), None),
        ((3, 4, 5), (3, 4, 5), None),
        ((2, 3, 4, 5), (2, 3, 4, 5), (1,)),
        ((2, 3, 4, 5), (2, 3, 4, 5), (2, 1)),
    ],
    ids=str,
)
@every_method
def test_shapes_that_differ_are_refused(method, activation, gradient, score):
    score = None if score is None else torch.zeros(score)
    with pytest.raises(ValueError, match='shape'):
        class_activation(torch.zeros(activation), torch.zeros(gradient), method, score)


@every_method
def test_class_activation_records_no_gradient(method):
    pair = [one.requires_grad_() for one in layer(2, 3, 4, 5)]
    assert not class_activation(*pair, method).requires_grad
