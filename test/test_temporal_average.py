# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The average over time, against the formula in NumPy's float64, and when it begins anew."""

import itertools
import math
from dataclasses import replace

import numpy as np
import oracles
import pytest

from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.explainer.temporal_average import TemporalAverage
from smoe_ros.saliency.methods import MethodOptions
from smoe_ros.scales import Scale

METHOD = MethodOptions(scale_weights=(1.0, 2.0, 4.0))
SHARES = np.array([1.0, 2.0, 4.0]) / 7
SCALES = tuple(Scale(f'layer{number}', 0, 8, 12 // 2**number, 16) for number in range(3))
SECOND = 10**9
BEGIN = 1_700_000_000 * SECOND


def explanation(seed, *, cam=False, size=(12, 16), scales=SCALES):
    """Return an explanation with random maps; what is averaged anyhow is left wrong."""
    random = np.random.default_rng(seed)
    maps = random.random((len(scales), *size)).astype(np.float32)
    activation = random.random(size).astype(np.float32)
    saliency = np.einsum('s,shw->hw', SHARES[: len(scales)], maps).astype(np.float32)
    return FrameExplanation(
        saliency=saliency * activation if cam else saliency,
        scale_maps=maps,
        scales=scales,
        contributions=np.full(len(scales), np.nan, np.float32),
        information=random.random(len(scales)).astype(np.float32),
        peak=np.array([-1, -1]),
        scale_peaks=np.full((len(scales), 2), -1),
        class_id=seed,
        class_probability=seed / 100,
        class_activation=activation if cam else None,
        rest=saliency * (1 - activation) if cam else None,
    )


def average_of(frames, times, time_constant):
    """Return the last of the averaged explanations of frames at some times in seconds."""
    average = TemporalAverage()
    for frame, seconds in zip(frames, times, strict=True):
        shown = average.add(frame, METHOD, BEGIN + round(seconds * SECOND), time_constant)
    return shown


def expected(arrays, times, time_constant):
    """Return the sum of all arrays by their weights, from the formula written out."""
    weights = [1.0]
    for earlier, later in itertools.pairwise(times):
        kept = math.exp(-(later - earlier) / time_constant)
        weights = [weight * kept for weight in weights] + [1 - kept]
    return sum(w * array.astype(np.float64) for w, array in zip(weights, arrays, strict=True))


TIMES = (0.0, 0.1, 0.13, 0.5, 0.51)


@pytest.mark.parametrize('cam', [False, True])
def test_maps_are_the_exponential_average_and_saliency_is_made_of_them(cam):
    frames = [explanation(seed, cam=cam) for seed in range(len(TIMES))]
    shown = average_of(frames, TIMES, 0.3)
    maps = expected([frame.scale_maps for frame in frames], TIMES, 0.3)
    saliency, _, contributions = oracles.fuse_scales(
        [one[None] for one in maps], maps.shape[1:], (1, 2, 4)
    )
    np.testing.assert_allclose(shown.scale_maps, maps, atol=1e-6)
    np.testing.assert_allclose(shown.contributions, contributions[0], atol=1e-5)
    if cam:
        activation = expected([frame.class_activation for frame in frames], TIMES, 0.3)
        np.testing.assert_allclose(shown.class_activation, activation, atol=1e-6)
        np.testing.assert_allclose(shown.rest, saliency[0] * (1 - activation), atol=1e-6)
        saliency = saliency * activation
    np.testing.assert_allclose(shown.saliency, saliency[0], atol=1e-6)
    for peak, one in ((shown.peak, saliency[0]), *zip(shown.scale_peaks, maps, strict=True)):
        assert tuple(peak[::-1]) == np.unravel_index(one.argmax(), one.shape)


def test_what_the_network_said_of_the_frame_stays_the_frames_own():
    frames = [explanation(seed) for seed in (1, 2)]
    shown = average_of(frames, (0.0, 0.1), 1.0)
    assert (shown.class_id, shown.class_probability) == (2, 0.02)
    assert shown.information is frames[1].information
    assert shown.scales is frames[1].scales


def test_frames_are_not_changed_by_being_averaged():
    frames = [explanation(seed) for seed in range(3)]
    before = [frame.scale_maps.copy() for frame in frames]
    average_of(frames, (0.0, 0.1, 0.2), 1.0)
    for frame, maps in zip(frames, before, strict=True):
        assert np.array_equal(frame.scale_maps, maps)


def test_without_a_time_constant_frames_come_back_as_they_are():
    frames = [explanation(seed) for seed in (1, 2)]
    assert average_of(frames, (0.0, 0.1), 0.0) is frames[1]


ANEW = {
    'the first frame': [],
    'a frame of another size': [(explanation(1, size=(10, 16)), METHOD, BEGIN)],
    'frames of other scales': [
        (explanation(1, scales=(*SCALES[:2], replace(SCALES[2], call=1))), METHOD, BEGIN)
    ],
    'another method': [(explanation(1), replace(METHOD, statistic='channel_max'), BEGIN)],
    'a step back in time': [(explanation(1), METHOD, BEGIN + 2 * SECOND)],
    'the same stamp': [(explanation(1), METHOD, BEGIN + SECOND)],
    'a frame without a stamp': [(explanation(1), METHOD, None)],
}


@pytest.mark.parametrize('before', ANEW)
def test_the_average_begins_anew_after(before):
    average, frame = TemporalAverage(), explanation(7)
    for earlier in ANEW[before]:
        average.add(*earlier, 5.0)
    assert average.add(frame, METHOD, BEGIN + SECOND, 5.0) is frame


def test_a_frame_without_a_stamp_is_shown_as_it_is():
    average, frame = TemporalAverage(), explanation(7)
    average.add(explanation(1), METHOD, BEGIN, 5.0)
    assert average.add(frame, METHOD, None, 5.0) is frame


def test_hours_later_nothing_of_the_past_is_left():
    frames = [explanation(seed) for seed in (1, 2)]
    assert average_of(frames, (0.0, 10_000.0), 1.0) is frames[1]
