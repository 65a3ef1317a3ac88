# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Single figures of maps: where they lie, how alike, sparse and sure they are."""

import math

import numpy as np
import pytest
import quantus
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from smoe_ros.evaluation.agreement import gini, spearman, structural_similarity
from smoe_ros.evaluation.boxes import Box
from smoe_ros.evaluation.intervals import interval_of_mean, paired_interval
from smoe_ros.evaluation.localisation import energy_in_boxes, points_into_boxes

SIZE = (24, 40)


def positive(seed):
    return np.random.default_rng(seed).random(SIZE).astype(np.float32)


# Localisation


def test_energy_is_the_share_of_the_sum_in_any_box_and_counts_no_pixel_twice():
    saliency = positive(0)
    inside = np.zeros(SIZE, bool)
    inside[2:10, 5:20] = True
    inside[6:12, 15:30] = True
    wanted = saliency[inside].sum(dtype=np.float64) / saliency.sum(dtype=np.float64)
    boxes = [Box(5, 2, 20, 10), Box(15, 6, 30, 12)]
    assert energy_in_boxes(saliency, boxes) == pytest.approx(wanted)


def test_energy_and_pointing_agree_with_quantus():
    metrics = (
        (quantus.RelevanceMassAccuracy, energy_in_boxes),
        (quantus.PointingGame, lambda one, boxes: points_into_boxes(one, boxes, tolerance=0)),
    )
    box = Box(5, 2, 30, 20)
    mask = np.zeros((1, 1, *SIZE), bool)
    mask[..., box.y0 : box.y1, box.x0 : box.x1] = True
    for metric, ours in metrics:
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
            assert ours(saliency, [box]) == pytest.approx(wanted, rel=1e-5)


def test_a_map_of_zeros_has_no_energy():
    assert energy_in_boxes(np.zeros(SIZE), [Box(0, 0, 3, 3)]) == 0


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


def test_a_box_outside_of_the_map_is_refused():
    for measure in (energy_in_boxes, points_into_boxes):
        with pytest.raises(ValueError, match='has no pixel in a map of 40x24'):
            measure(positive(0), [Box(40, 0, 50, 10)])


def test_energy_of_a_negative_map_is_refused():
    with pytest.raises(ValueError, match='nowhere negative'):
        energy_in_boxes(positive(0) - 0.5, [Box(0, 0, 3, 3)])


# Agreement


def test_spearman_is_the_correlation_of_ranks_with_ties():
    a, b = np.round(positive(0), 1), np.round(positive(0) + positive(1), 1)
    ranks = [rankdata(one.ravel()) for one in (a, b)]
    assert spearman(a, b) == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert spearman(a, np.exp(3 * a)) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)


def test_spearman_with_a_flat_map_is_0():
    assert spearman(positive(0), np.ones(SIZE)) == 0


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


def test_maps_of_two_sizes_are_not_compared():
    for compare in (spearman, structural_similarity):
        with pytest.raises(ValueError, match='one shape'):
            compare(positive(0), positive(0)[:, 1:])


def test_gini_is_half_the_mean_difference_over_the_mean():
    values = positive(3).ravel()[:200].astype(np.float64)
    differences = np.abs(values[:, None] - values[None, :]).mean()
    assert gini(values.reshape(10, 20)) == pytest.approx(differences / (2 * values.mean()))


def test_gini_agrees_with_quantus():
    saliency = positive(4)
    (wanted,) = quantus.Sparseness(normalise=False, abs=False, disable_warnings=True)(
        model=None,
        x_batch=np.zeros((1, 3, *SIZE), np.float32),
        y_batch=np.array([0]),
        a_batch=saliency[None, None],
        channel_first=True,
    )
    assert gini(saliency) == pytest.approx(wanted, abs=1e-5)


def test_gini_goes_from_flat_to_a_single_pixel():
    single = np.zeros(SIZE)
    single[3, 3] = 2
    assert gini(np.ones(SIZE)) == pytest.approx(0)
    assert gini(single) == pytest.approx(1 - 1 / single.size)
    assert gini(np.zeros(SIZE)) == 0
    with pytest.raises(ValueError, match='not negative'):
        gini(-single)


# Intervals


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    draw = np.random.default_rng(0)
    held = 0
    for seed in range(60):
        interval = interval_of_mean(draw.normal(1.0, 2.0, 30), seed)
        held += interval.low <= 1.0 <= interval.high
        assert interval.low < interval.mean < interval.high
    assert 51 <= held <= 60  # 57 expected


def test_an_interval_is_as_wide_as_the_spread_of_means():
    sample = np.random.default_rng(1).normal(0, 1, 400)
    interval = interval_of_mean(sample)
    wanted = 2 * 1.96 * sample.std(ddof=1) / math.sqrt(400)
    assert interval.high - interval.low == pytest.approx(wanted, rel=0.06)


def test_pairs_cancel_what_pictures_have_in_common():
    pictures = np.random.default_rng(2).normal(0, 10, 20)
    noise = np.random.default_rng(3).normal(0, 0.1, 20)
    interval = paired_interval(pictures + 0.5 + noise, pictures)
    assert interval.mean == pytest.approx(0.5 + noise.mean())
    assert interval.low > 0
    assert interval.high - interval.low < 0.2


def test_equal_values_have_an_interval_without_width():
    interval = interval_of_mean([0.3] * 5)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((0.3, 0.3, 0.3))


@pytest.mark.parametrize('values', [[], [1.0], [1.0, math.nan], [1.0, math.inf]])
def test_values_without_an_interval_are_refused(values):
    with pytest.raises(ValueError, match='an interval needs'):
        interval_of_mean(values)


def test_pairs_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match='as many values on both sides, got 2'):
        paired_interval([1, 2], [1, 2, 3])
