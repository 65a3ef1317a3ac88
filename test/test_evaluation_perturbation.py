# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Deletion, insertion: against loops in NumPy, Quantus, and networks made for the purpose."""

import math

import numpy as np
import pytest
import quantus
import torch
from scipy.ndimage import correlate1d
from small_networks import one_thread, photo_batch, plain  # noqa: F401 - a fixture
from torch import nn

from smoe_ros.evaluation.baselines import baseline_methods
from smoe_ros.evaluation.perturbation import (
    area_under_curve,
    blurred,
    deletion_curve,
    insertion_curve,
)
from smoe_ros.explainer import Explainer

SIZE = (12, 16)
PIXEL = (5, 9)
STEPS = 8


def looks_at_one_pixel(batch):
    """Give class 0 the red value of one pixel as its probability, class 1 the rest."""
    value = batch[:, 0, PIXEL[0], PIXEL[1]]
    return torch.stack([value, 1 - value], dim=1)


def one_pixel(value=1.0):
    saliency = np.zeros(SIZE, np.float32)
    saliency[PIXEL] = value
    return saliency


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
    def probabilities(batch):
        with torch.inference_mode():
            return network(batch).softmax(dim=1)

    return probabilities


@pytest.fixture(scope='module')
def image():
    return photo_batch(*SIZE)[0]


def test_deleting_the_only_pixel_that_counts_ends_the_class_at_once():
    image = torch.ones(3, *SIZE)
    curve = deletion_curve(looks_at_one_pixel, image, one_pixel(), 0, STEPS)
    assert curve.tolist() == [1.0] + [0.0] * STEPS
    assert area_under_curve(curve) == pytest.approx(0.5 / STEPS)


def test_deleting_it_last_keeps_the_class_to_the_end():
    image = torch.ones(3, *SIZE)
    curve = deletion_curve(looks_at_one_pixel, image, -one_pixel(), 0, STEPS)
    assert curve.tolist() == [1.0] * STEPS + [0.0]


def test_inserting_the_only_pixel_that_counts_brings_the_class_at_once():
    image = torch.zeros(3, *SIZE)
    image[:, PIXEL[0], PIXEL[1]] = 1.0
    curve = insertion_curve(looks_at_one_pixel, image, one_pixel(), 0, STEPS)
    assert curve[0] == pytest.approx(gaussian_blur(image.numpy())[0][PIXEL], abs=1e-6)
    assert curve[1:].tolist() == [1.0] * STEPS


@pytest.mark.parametrize('steps', [1, 7, 28])
def test_curves_equal_those_of_plain_loops(network, classify, image, steps):
    saliency, label = ramp(), 3
    whole, black = image.numpy(), np.zeros_like(image)
    wanted = curve_by_loops(network, whole, black, saliency, label, steps)
    assert deletion_curve(classify, image, saliency, label, steps) == pytest.approx(
        wanted, abs=1e-5
    )
    wanted = curve_by_loops(network, gaussian_blur(whole), whole, saliency, label, steps)
    assert insertion_curve(classify, image, saliency, label, steps) == pytest.approx(
        wanted, abs=1e-5
    )


def test_blur_is_the_one_of_rise(image):
    assert blurred(image[None])[0].numpy() == pytest.approx(gaussian_blur(image.numpy()), abs=1e-5)


def test_deletion_agrees_with_quantus(network, classify, image):
    saliency, label, steps = ramp(1), 2, 24
    flip = quantus.PixelFlipping(
        features_in_step=3 * saliency.size // steps,  # it counts channels
        perturb_baseline=0.0,
        normalise=False,
        abs=False,
        disable_warnings=True,
    )
    (wanted,) = flip(
        model=network,
        x_batch=image[None].numpy(),
        y_batch=np.array([label]),
        # Quantus wants a map a channel or one for all of them.
        a_batch=saliency[None, None],
        device='cpu',
        softmax=True,
    )
    found = deletion_curve(classify, image, saliency, label, steps)
    assert found[1:] == pytest.approx(np.asarray(wanted), abs=1e-5)


def test_of_equal_pixels_a_draw_decides_not_their_row(image):
    seen = []

    def classify(batch):
        seen.append((batch != 0).any(dim=1))
        return torch.full((len(batch), 2), 0.5)

    deletion_curve(classify, image + 1, np.ones(SIZE, np.float32), 0, 2)
    kept = torch.cat(seen)[1].float()
    assert 0.3 < kept[: SIZE[0] // 2].mean() < 0.7


def test_curves_are_the_same_every_time(classify, image):
    flat = np.zeros(SIZE, np.float32)
    first, second = (deletion_curve(classify, image, flat, 0, STEPS) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize(
    ('saliency', 'text'),
    [(np.zeros((3, 4)), r'size of its picture, \(12, 16\), got \(3, 4\)'), (None, 'finite')],
)
def test_a_map_that_cannot_be_used_is_refused(classify, image, saliency, text):
    if saliency is None:
        saliency = np.full(SIZE, np.nan)
    for curve in (deletion_curve, insertion_curve):
        with pytest.raises(ValueError, match=text):
            curve(classify, image, saliency, 0)


def test_area_is_that_of_trapezoids():
    assert area_under_curve(np.array([0.0, 1.0, 0.0])) == pytest.approx(0.5)
    assert area_under_curve(np.array([1.0, 0.25])) == pytest.approx(0.625)


# A network that looks at one patch only: which map is best is known.

PATCH = (slice(20, 32), slice(8, 24))


class LooksAtThePatch(nn.Module):
    """Class 0 is what is bright in the patch, whatever lies around it."""

    def __init__(self):
        super().__init__()
        self.trunk = plain()

    def forward(self, x):
        bright = 4 * x[:, :, PATCH[0], PATCH[1]].clamp(-1, 1).mean(dim=(1, 2, 3))
        return torch.stack([bright, -bright], dim=1) + 0 * self.trunk(x)[:, :2]


def test_the_map_of_what_the_network_looks_at_wins_every_metric_and_noise_none():
    network = LooksAtThePatch().eval()
    image = photo_batch(48, 64)[0] * 0.2
    image[:, PATCH[0], PATCH[1]] += 1.0
    perfect = np.zeros((48, 64), np.float32)
    perfect[PATCH] = 1.0

    def classify(batch):
        with torch.inference_mode():
            return network(batch).softmax(dim=1)

    label = torch.tensor([0])
    with Explainer(network.trunk, ['act1', 'act2', 'act3']) as explainer:
        maps = {
            method.name: method.explain(image[None], label)[0].numpy()
            for method in baseline_methods(explainer)
        }
    maps['perfect'] = perfect
    scores = {
        name: (
            -area_under_curve(deletion_curve(classify, image, one, 0)),
            area_under_curve(insertion_curve(classify, image, one, 0)),
        )
        for name, one in maps.items()
    }
    for place in (0, 1):
        ordered = sorted(scores, key=lambda name: scores[name][place])
        assert ordered[-1] == 'perfect'
        assert scores['perfect'][place] > scores[ordered[-2]][place]
        assert ordered[-2] != 'random'
