# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Single figures of maps: where they lie, how alike, sparse and sure they are."""

import math

import numpy as np
import pytest
import quantus
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from smoe_ros.evaluation.boxes import Box
from smoe_ros.evaluation.metrics.agreement import gini, spearman, structural_similarity
from smoe_ros.evaluation.metrics.intervals import interval_of_mean
from smoe_ros.evaluation.metrics.localisation import (
    area_of_boxes,
    energy_in_boxes,
    points_into_boxes,
)

SIZE = (24, 40)
FLAT = np.full(SIZE, 0.3, np.float32)
BOX = Box(5, 2, 30, 20)


def positive(seed):
    return np.random.default_rng(seed).random(SIZE).astype(np.float32)


@pytest.mark.parametrize(
    ('metric', 'measure'),
    [
        (quantus.RelevanceMassAccuracy, lambda one: energy_in_boxes(one, [BOX])),
        (quantus.PointingGame, lambda one: points_into_boxes(one, [BOX], tolerance=0)),
        (quantus.Sparseness, gini),
    ],
)
def test_energy_pointing_and_gini_agree_with_quantus(metric, measure):
    mask = np.zeros((1, 1, *SIZE), bool)
    mask[..., BOX.y0 : BOX.y1, BOX.x0 : BOX.x1] = True
    for seed in range(6):
        saliency = positive(seed)
        (wanted,) = metric(normalise=False, abs=False, disable_warnings=True)(
            model=None,
            x_batch=np.zeros((1, 3, *SIZE), np.float32),
            y_batch=np.array([0]),
            a_batch=saliency[None, None],
            s_batch=mask,
            channel_first=True,
        )
        assert measure(saliency) == pytest.approx(wanted, rel=1e-5)


def test_what_lies_in_two_boxes_counts_once():
    boxes = [Box(5, 2, 20, 10), Box(15, 6, 30, 12)]
    inside = 15 * 8 + 15 * 6 - 5 * 4
    assert energy_in_boxes(FLAT, boxes) == pytest.approx(inside / FLAT.size)
    assert area_of_boxes(boxes, SIZE) == pytest.approx(inside / FLAT.size)


def test_a_map_of_zeros_has_no_energy_and_is_not_sparse():
    assert energy_in_boxes(np.zeros(SIZE), [Box(0, 0, 3, 3)]) == 0
    assert gini(np.zeros(SIZE)) == 0


@pytest.mark.parametrize(
    ('peak', 'hit'),
    [
        ((12, 12), True),
        ((10, 19), True),
        ((10, 22), True),  # 3 pixels right of the last column of the box
        ((10, 23), False),
        ((4, 10), True),
        ((3, 10), False),
        ((16, 22), False),  # 3 and 3 make more than 3
        ((15, 21), True),
    ],
)
def test_a_point_may_miss_a_box_by_the_tolerance_and_no_more(peak, hit):
    saliency = np.zeros(SIZE)
    saliency[peak] = 1
    assert points_into_boxes(saliency, [Box(8, 7, 20, 14)], tolerance=3) is hit


def test_spearman_is_the_correlation_of_ranks_with_ties():
    a, b = np.round(positive(0), 1), np.round(positive(0) + positive(1), 1)
    ranks = [rankdata(one.ravel()) for one in (a, b)]
    assert spearman(a, b) == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert spearman(a, np.exp(3 * a)) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)


@pytest.mark.filterwarnings('error')
def test_of_flat_maps_ranks_say_nothing_and_structure_says_whether_both_are():
    for pair in ((FLAT, positive(0)), (positive(0), FLAT)):
        assert spearman(*pair) == 0
        assert 0 <= structural_similarity(*pair) < 0.05
    assert spearman(FLAT, FLAT) == 0
    assert structural_similarity(FLAT, FLAT) == pytest.approx(1)


def ssim_by_hand(a, b):
    """Return the mean over the inner pixels of the formula of the paper, by Gaussian windows."""

    def mean(x):
        return gaussian_filter(x, 1.5, truncate=3.5)

    mu_a, mu_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mu_a**2, mean(b * b) - mu_b**2
    both = mean(a * b) - mu_a * mu_b
    c1, c2 = 0.01**2, 0.03**2
    values = (2 * mu_a * mu_b + c1) * (2 * both + c2)
    values /= (mu_a**2 + mu_b**2 + c1) * (var_a + var_b + c2)
    return values[5:-5, 5:-5].mean()


def test_structural_similarity_is_that_of_the_paper_on_maps_from_0_to_1():
    a, b = positive(0).astype(np.float64), (positive(0) + positive(1)).astype(np.float64)
    stretched = [(one - one.min()) / (one.max() - one.min()) for one in (a, b)]
    assert structural_similarity(a, b) == pytest.approx(ssim_by_hand(*stretched), abs=1e-6)
    assert structural_similarity(a, 3 * a + 1) == pytest.approx(1)


def test_an_interval_holds_95_percent_of_the_spread_of_means():
    sample = np.random.default_rng(1).normal(1, 2, 400)
    interval = interval_of_mean(sample)
    half = 1.96 * sample.std(ddof=1) / math.sqrt(400)
    assert interval.mean == pytest.approx(sample.mean())
    assert interval.high - interval.mean == pytest.approx(half, rel=0.06)
    assert interval.mean - interval.low == pytest.approx(half, rel=0.06)


def test_equal_values_have_an_interval_without_width():
    interval = interval_of_mean([0.3] * 5)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((0.3, 0.3, 0.3))


@pytest.mark.parametrize('values', [[], [1.0], [1.0, math.nan], [1.0, math.inf]])
def test_values_without_an_interval_are_refused(values):
    with pytest.raises(ValueError, match='an interval needs'):
        interval_of_mean(values)
