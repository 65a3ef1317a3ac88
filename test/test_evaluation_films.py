# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How maps change along a film, and averaged over time, against figures of NumPy and SciPy."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from small_networks import CAT, one_thread, plain  # noqa: F401 - a fixture

from smoe_ros.evaluation.followed_film import TIME_CONSTANTS, FollowedFilm
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.explainer import Explainer

RATE = 10.0
FRAMES = 12


class Network:
    """What a film needs of a network: inputs, and answers."""

    def classify(self, batch):
        return torch.tensor([[0.2, 0.8]])

    def prepare(self, rgb):
        return (torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() - 127) / 128


def rank_correlation(a, b):
    return spearmanr(a.ravel(), b.ravel()).statistic


# From frame to frame


def test_the_film_itself_is_measured_by_its_brightness():
    still = CAT()[60:188, 90:250]
    darker = (still * 0.9).round().astype(np.uint8)
    found = FollowedFilm([still, darker], RATE, Network()).input_stability()
    before, after = (frame @ [0.299, 0.587, 0.114] / 255 for frame in (still, darker))
    assert found['flow_error'] == pytest.approx(np.abs(after - before).mean(), rel=0.02)
    assert found['correlation'] == pytest.approx(rank_correlation(before, after), abs=1e-3)


def test_motion_of_the_picture_is_undone():
    cat = CAT()[60:260, 100:400]
    moving = [cat[30 + 4 * n : 158 + 4 * n, 60 - 6 * n : 220 - 6 * n] for n in range(3)]
    assert FollowedFilm(moving, RATE, Network()).input_stability()['flow_error'] < 0.01
    still = FollowedFilm(moving[:1] * 3, RATE, Network()).input_stability()
    assert still == {'correlation': pytest.approx(1), 'flow_error': 0, 'peak_jitter': 0}


def test_across_a_cut_nothing_is_compared():
    noise = np.random.default_rng(0).integers(0, 255, (128, 160, 3), np.uint8)
    cat = CAT()[60:188, 90:250]
    film = FollowedFilm([cat, cat, noise, noise], RATE, Network())
    assert [number for number, _ in film.pairs] == [0, 2]
    alone = FollowedFilm([cat, noise], RATE, Network()).input_stability()
    assert alone == dict.fromkeys(('correlation', 'flow_error', 'peak_jitter'))


def test_the_stability_of_a_method_is_that_of_its_maps_of_the_first_frames_class():
    film = FollowedFilm([CAT()[60:188, 90:250]] * 3, RATE, Network())  # nothing moves
    values = iter([0.0, 1.0, 0.0])
    gradient = torch.linspace(0, 3, 128 * 160).reshape(128, 160)

    def explain(batch, labels):
        assert labels.tolist() == [1]
        return (gradient if next(values) else gradient.flip(0))[None]

    found = film.stability(MapMethod('flips', 'ours', explain))
    g, h = gradient.flip(0).numpy() / 3, gradient.numpy() / 3
    assert found['flow_error'] == pytest.approx(np.abs(h - g).mean(), rel=0.02)
    assert found['correlation'] == pytest.approx(rank_correlation(g, h), abs=1e-4)


# Averages over time


@pytest.fixture(scope='module')
def flickering():
    """Return a film of a cat that sits still under flickering noise, and our explainer."""
    random, cat = np.random.default_rng(0), CAT()[60:188, 90:250].astype(np.float64)
    frames = [
        np.clip(cat + random.normal(0, 12, cat.shape), 0, 255).astype(np.uint8)
        for _ in range(FRAMES)
    ]
    with Explainer(plain(), ['act1', 'act3']) as explainer:
        film = FollowedFilm(frames, RATE, Network())
        yield film, explainer, film.smoothing(explainer)['averages']


def saliency_of(explainer, image):
    return explainer(image[None]).saliency[0].double().numpy()


def averaged(maps, time_constant):
    kept = math.exp(-1 / RATE / time_constant) if time_constant else 0.0
    averages = [maps[0]]
    for one in maps[1:]:
        averages.append(kept * averages[-1] + (1 - kept) * one)
    return averages


@pytest.mark.parametrize('index', range(len(TIME_CONSTANTS)))
def test_figures_of_averages_are_those_worked_out_by_hand(flickering, index):
    film, explainer, found = flickering
    own = [saliency_of(explainer, image) for image in film.inputs]
    still = saliency_of(explainer, film.inputs[-1].flip(-1))
    averages = averaged(own + [still] * 100, TIME_CONSTANTS[index])
    stretched = [(one - one.min()) / np.ptp(one) for one in averages]
    errors = [motion.flow_error(stretched[n], stretched[n + 1]) for n, motion in film.pairs]
    likeness = [rank_correlation(averages[n], own[n]) for n in (4, 9)]
    alike = [rank_correlation(one, still) >= 0.9 for one in averages[FRAMES:]]
    assert found[index]['time_constant'] == TIME_CONSTANTS[index]
    assert found[index]['flow_error'] == pytest.approx(np.mean(errors), rel=1e-3)
    assert found[index]['likeness'] == pytest.approx(np.mean(likeness), abs=1e-4)
    assert found[index]['lag'] == pytest.approx(alike.index(True) / RATE)
    assert found[index]['ms'] > 0


def test_the_change_of_contributions_is_the_mean_sum_of_absolute_differences(flickering):
    film, explainer, found = flickering
    vectors = [explainer(image[None]).contributions[0].numpy() for image in film.inputs]
    changes = [np.abs(b - a).sum() for a, b in itertools.pairwise(vectors)]
    changed = film.contribution_changes(explainer)['contribution_change']
    assert changed == pytest.approx(np.mean(changes), rel=1e-4)
    assert found[0]['contribution_change'] == pytest.approx(changed)
    for before, after in itertools.pairwise(found):  # a longer average is steadier
        assert after['contribution_change'] < before['contribution_change']
