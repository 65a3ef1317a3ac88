# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Deletion, insertion, ROAD: against loops in NumPy, and networks made for the purpose."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from small_networks import one_thread, photo_batch, plain  # noqa: F401 - a fixture
from torch import nn

from smoe_ros.evaluation.boxes import Box
from smoe_ros.evaluation.evaluated_network import Question
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.metrics.perturbation import (
    blurred,
    perturbation_curve,
    road,
)
from smoe_ros.evaluation.tasks import faithfulness

SIZE = (12, 16)
PIXEL = (5, 9)
STEPS = 8


def looks_at_one_pixel(batch):
    """Give class 0 the red value of one pixel as its probability, class 1 the rest."""
    value = batch[:, 0, PIXEL[0], PIXEL[1]]
    return torch.stack([value, 1 - value], dim=1)


def ramp(seed=0):
    """Return a map without ties."""
    order = np.random.default_rng(seed).permutation(SIZE[0] * SIZE[1])
    return order.reshape(SIZE).astype(np.float32)


def gaussian_blur(image):
    """Blur (3, H, W) by 11 × 11 weights, mirrored at the border without repeating it."""
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets**2) / (2 * 5.0**2))
    weights /= weights.sum()
    for axis in (1, 2):
        image = correlate1d(image.astype(np.float64), weights, axis=axis, mode='mirror')
    return image


def curve_by_loops(network, begin, end, saliency, label, steps):
    """Change one pixel after the other, and ask at every step."""
    places = sorted(np.ndindex(*saliency.shape), key=lambda place: -saliency[place])
    current, curve, changed = begin.copy(), [], 0
    for step in range(steps + 1):
        while changed < round(step * len(places) / steps):
            y, x = places[changed]
            current[:, y, x] = end[:, y, x]
            changed += 1
        with torch.no_grad():
            scores = network(torch.from_numpy(current[None]).float())[0].double().numpy()
        curve.append(math.exp(scores[label]) / np.exp(scores).sum())
    return np.array(curve)


@pytest.fixture(scope='module')
def network():
    return plain(batch_norm=True)


@pytest.fixture(scope='module')
def classify(network):
    return lambda batch: network(batch).detach().softmax(dim=1)


@pytest.fixture(scope='module')
def image():
    return photo_batch(*SIZE)[0]


def test_the_pixel_that_counts_is_deleted_to_the_mean_colour_and_inserted_into_the_blur():
    image = torch.zeros(3, *SIZE)
    image[:, PIXEL[0], PIXEL[1]] = 1.0
    question = Question('one', None, image, 0, '', 1.0, (Box(8, 4, 12, 7),))
    method = MapMethod('perfect', 'ours', lambda batch, labels: batch[:, 0])
    network = SimpleNamespace(classify=looks_at_one_pixel)
    found = faithfulness(network, STEPS, question, method)
    blur = gaussian_blur(image.numpy())[0][PIXEL]
    assert found == {
        'deletion': pytest.approx(0.5 / STEPS),
        'insertion': pytest.approx(1 - (1 - blur) * 0.5 / STEPS),
        'difference': pytest.approx(1 - (2 - blur) * 0.5 / STEPS),
        'gini': pytest.approx(1 - 1 / (SIZE[0] * SIZE[1])),
        'energy': 1,
        'pointing': 1,
        'deletion_curve': [1.0] + [0.0] * STEPS,
        'insertion_curve': [pytest.approx(blur)] + [1.0] * STEPS,
    }


@pytest.mark.parametrize('steps', [1, 7, 28])
def test_a_curve_equals_that_of_plain_loops(network, classify, image, steps):
    begin = blurred(image)
    wanted = curve_by_loops(network, begin.numpy(), image.numpy(), ramp(), 3, steps)
    found = perturbation_curve(classify, begin, image, ramp(), 3, steps)
    assert found == pytest.approx(wanted, abs=1e-5)


def test_blur_is_the_one_of_rise(image):
    assert blurred(image).numpy() == pytest.approx(gaussian_blur(image.numpy()), abs=1e-5)


def test_of_equal_pixels_a_draw_decides_not_their_row(image):
    seen = []

    def classify(batch):
        seen.append((batch != 0).any(dim=1))
        return torch.full((len(batch), 2), 0.5)

    flat, black = np.ones(SIZE, np.float32), torch.zeros_like(image)
    perturbation_curve(classify, image + 1, black, flat, 0, 2)
    kept = torch.cat(seen)[1].float()
    assert 0.3 < kept[: SIZE[0] // 2].mean() < 0.7


def test_curves_are_the_same_every_time(classify, image):
    flat = np.zeros(SIZE, np.float32)
    first, second = (perturbation_curve(classify, image, -image, flat, 0, STEPS) for _ in range(2))
    assert first.tolist() == second.tolist()


class Bright(nn.Module):
    """Class 0 is what differs from the mean colour."""

    def forward(self, x):
        score = 20 * x.abs().mean(dim=(1, 2, 3)) - 4
        return torch.stack([score, -score], dim=1)


def test_road_is_that_of_the_package_which_imputes():
    metrics = pytest.importorskip('pytorch_grad_cam.metrics.road')
    targets = pytest.importorskip('pytorch_grad_cam.utils.model_targets')
    image = photo_batch(32, 48)[0]
    saliency = image.abs().sum(dim=0).numpy() + np.linspace(0, 1e-3, 32 * 48).reshape(32, 48)
    saliency = (saliency / saliency.max()).astype(np.float32)
    network = Bright()
    found = road(lambda batch: network(batch).softmax(dim=1), image, saliency, 0)
    wanted = metrics.ROADCombined([20, 50, 80])(
        image[None], saliency[None], [targets.ClassifierOutputSoftmaxTarget(0)], network
    )
    assert found == pytest.approx(float(wanted[0]), abs=5e-3)
    assert abs(found) > 5e-2  # so that this tells something
