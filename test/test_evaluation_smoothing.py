# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an average over time brings, against the figures worked out in NumPy and SciPy."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from small_networks import CAT, one_thread, plain  # noqa: F401 - a fixture

from smoe_ros.evaluation.followed_film import FollowedFilm
from smoe_ros.evaluation.smoothing import TIME_CONSTANTS, smoothing_figures
from smoe_ros.explainer import Explainer

RATE = 10.0
FRAMES = 12


class Network:
    """What a film needs of a network: inputs, and answers."""

    def classify(self, batch):
        return torch.ones(len(batch), 2) / 2

    def prepare(self, rgb):
        return (torch.from_numpy(rgb.copy()).permute(2, 0, 1).float() - 127) / 128


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
        yield film, explainer, smoothing_figures(film, explainer)['averages']


def rank_correlation(a, b):
    return spearmanr(a.ravel(), b.ravel()).statistic


def saliency_of(explainer, image):
    return explainer(image[None]).saliency[0].double().numpy()


def averaged(maps, time_constant):
    kept = math.exp(-1 / RATE / time_constant) if time_constant else 0.0
    averages = [maps[0]]
    for one in maps[1:]:
        averages.append(kept * averages[-1] + (1 - kept) * one)
    return averages


@pytest.mark.parametrize('index', range(len(TIME_CONSTANTS)))
def test_errors_and_likeness_are_those_of_averages_worked_out_by_hand(flickering, index):
    film, explainer, found = flickering
    own = [saliency_of(explainer, image) for image in film.inputs]
    averages = averaged(own, TIME_CONSTANTS[index])
    stretched = [(one - one.min()) / np.ptp(one) for one in averages]
    errors = [motion.flow_error(stretched[n], stretched[n + 1]) for n, motion in film.pairs]
    likeness = [rank_correlation(averages[n], own[n]) for n in (4, 9)]
    assert found[index]['time_constant'] == TIME_CONSTANTS[index]
    assert found[index]['flow_error'] == pytest.approx(np.mean(errors), rel=1e-3)
    assert found[index]['likeness'] == pytest.approx(np.mean(likeness), abs=1e-4)


@pytest.mark.parametrize('index', range(len(TIME_CONSTANTS)))
def test_the_lag_is_the_time_from_a_cut_until_the_average_has_followed(flickering, index):
    film, explainer, found = flickering
    own = [saliency_of(explainer, image) for image in film.inputs]
    still = saliency_of(explainer, film.inputs[-1].flip(-1))
    averages = averaged(own + [still] * 100, TIME_CONSTANTS[index])[FRAMES:]
    alike = [rank_correlation(one, still) >= 0.9 for one in averages]
    assert found[index]['lag'] == pytest.approx(alike.index(True) / RATE)


def test_a_longer_average_is_steadier_and_later(flickering):
    found = flickering[2]
    for before, after in itertools.pairwise(found):
        assert after['flow_error'] < before['flow_error']
        assert after['contribution_change'] < before['contribution_change']
        assert after['likeness'] < before['likeness']
        assert after['lag'] >= before['lag']
    assert found[0]['lag'] == 0 < found[-1]['lag']
    assert found[0]['likeness'] == 1
