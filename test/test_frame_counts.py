# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of a camera: counts, rates on the steady clock, ages, and what went wrong."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from smoe_ros.node import frame_counts
from smoe_ros.node.frame_counts import FrameCounts


class Clock:
    """A steady clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(frame_counts, 'time', clock)
    return clock


def test_a_camera_that_never_sent_has_no_figures(clock):
    counts = FrameCounts()
    clock.move(5)
    summary = counts.summary()
    assert (summary.received, summary.explained, summary.dropped, summary.rejected) == (0, 0, 0, 0)
    assert (summary.waiting, summary.rate_in, summary.rate_out) == (0, 0, 0)
    assert all(math.isnan(value) for value in (*summary.ages, summary.explain_time))
    assert summary.silence == math.inf
    assert (summary.last_error, summary.failing) == ('', False)


def test_counts_add_up_when_several_threads_count():
    counts, rounds = FrameCounts(), 500
    finishes = [counts.drop, lambda: counts.reject('bad'), lambda: counts.explain(0.1, 0.1)] * 2

    def count(finish):
        for _ in range(rounds):
            counts.receive()
            assert 0 <= counts.summary().waiting <= len(finishes)
            finish()

    with ThreadPoolExecutor(len(finishes)) as pool:
        list(pool.map(count, finishes))
    summary = counts.summary()
    assert (summary.explained, summary.dropped, summary.rejected) == (2 * rounds,) * 3
    assert (summary.received, summary.waiting) == (6 * rounds, 0)


def test_rates_are_frames_a_second_over_the_last_ten(clock):
    counts = FrameCounts()
    for index in range(600):  # 20 s at 30 Hz, every third of them explained
        clock.move(1 / 30)
        counts.receive()
        if index % 3 == 0:
            counts.explain(0.05, 0.03)
    assert counts.summary().rate_in == pytest.approx(30, abs=0.2)
    assert counts.summary().rate_out == pytest.approx(10, abs=0.2)
    clock.move(5)
    assert counts.summary().rate_in == pytest.approx(15, abs=0.2)
    clock.move(5.1)
    assert (counts.summary().rate_in, counts.summary().rate_out) == (0, 0)


def test_the_time_before_a_camera_came_is_not_part_of_its_rate(clock):
    counts = FrameCounts()
    clock.move(7)
    for _ in range(15):
        counts.receive()
        clock.move(0.2)
    assert counts.summary().rate_in == pytest.approx(5)


def test_the_first_frame_is_no_burst_and_silence_begins_with_it(clock):
    counts = FrameCounts()
    counts.receive()
    clock.move(0.01)
    assert counts.summary().rate_in == 1
    clock.move(2.49)
    assert counts.summary().silence == 2.5


def test_ages_are_the_percentiles_of_the_last_ten_seconds(clock):
    counts = FrameCounts()
    ages = np.random.default_rng(0).gamma(4, 0.02, 300)
    counts.explain(99.0, 99.0)
    clock.move(1)
    for age in ages:
        clock.move(0.033)
        counts.explain(age, age / 2)
    clock.move(0.05)
    summary = counts.summary()
    assert summary.ages == pytest.approx(
        (np.percentile(ages, 50), np.percentile(ages, 95), ages.max())
    )
    assert summary.explain_time == pytest.approx(np.median(ages) / 2)


def test_a_rejection_is_remembered_and_fails_until_a_frame_is_explained(clock):
    counts = FrameCounts()
    counts.reject('the image is empty')
    counts.reject('the image is truncated')
    assert counts.summary().last_error == 'the image is truncated'
    assert counts.summary().failing
    counts.explain(0.1, 0.1)
    assert counts.summary().last_error == 'the image is truncated'
    assert not counts.summary().failing


def test_memory_does_not_grow_with_the_frames(clock):
    counts = FrameCounts()
    for _ in range(20_000):
        clock.move(0.01)
        counts.receive()
        counts.drop(overload=True)
        counts.lose(1)
        counts.explain(0.1, 0.1)
    held = sum(len(value.values()) for value in vars(counts).values() if hasattr(value, 'values'))
    assert held <= 5 * 1002


# While the node is subscribed


def test_silence_begins_when_the_node_subscribes(clock):
    counts = FrameCounts()
    clock.move(60)
    counts.listen()
    clock.move(1.5)
    assert (counts.summary().silence, counts.summary().listening) == (1.5, True)
    counts.stop_listening()
    assert not counts.summary().listening


def test_after_a_pause_the_rates_are_those_of_the_time_since(clock):
    counts = FrameCounts()
    counts.listen()
    for _ in range(100):
        clock.move(0.1)
        counts.receive()
    counts.stop_listening()
    clock.move(3)
    counts.listen()
    assert counts.summary().rate_in == 0
    for _ in range(20):
        counts.receive()
        clock.move(0.1)
    assert counts.summary().rate_in == pytest.approx(10)
    assert counts.summary().received == 120


@pytest.mark.parametrize('change', [FrameCounts.listen, FrameCounts.stop_listening])
def test_unsubscribing_and_subscribing_forgive_the_last_failure(clock, change):
    counts = FrameCounts()
    counts.reject('the image is empty')
    change(counts)
    assert not counts.summary().failing
    assert counts.summary().last_error == 'the image is empty'


def test_only_frames_that_the_network_had_no_time_for_count_as_overload(clock):
    counts = FrameCounts()
    for index in range(100):
        clock.move(0.05)
        counts.receive()
        if index % 4 == 0:
            counts.drop(overload=True)
        elif index % 4 == 1:
            counts.drop()
    summary = counts.summary()
    assert summary.dropped == 50
    assert summary.drop_share == pytest.approx(0.25)
    clock.move(11)
    assert counts.summary().drop_share == 0


def test_lost_frames_are_a_share_of_those_that_were_sent(clock):
    counts = FrameCounts()
    for _ in range(30):
        counts.receive()
    counts.lose(10)
    summary = counts.summary()
    assert (summary.lost, summary.received) == (10, 30)
    assert summary.loss_share == pytest.approx(0.25)
    clock.move(11)
    assert (counts.summary().lost, counts.summary().loss_share) == (10, 0)


def test_ages_are_forgotten_when_the_clock_jumps_and_rates_are_not(clock):
    counts = FrameCounts()
    for _ in range(20):
        clock.move(0.1)
        counts.receive()
        counts.explain(100.0, 0.02)
    counts.forget_ages()
    counts.explain(0.05, 0.02)
    counts.explain(None, 0.02)  # a frame from before the jump
    summary = counts.summary()
    assert summary.ages == pytest.approx((0.05, 0.05, 0.05))
    assert summary.rate_out == pytest.approx(22 / 1.9)
    assert summary.explain_time == pytest.approx(0.02)


# What a camera's stamps tell


def share_missing(steps_in_periods, period=33_366_700):
    counts = FrameCounts()
    stamp = 10**18
    for step in steps_in_periods:
        counts.receive(stamp)
        stamp += round(step * period)
    return counts.summary().missing_share


def test_frames_that_the_stamps_leave_out_are_missing():
    assert share_missing([1] * 40) == 0
    assert share_missing([1, 1, 2] * 15) == pytest.approx(0.25)
    assert share_missing([1, 1, 1, 3] * 15) == pytest.approx(1 / 3, abs=0.02)


def test_jitter_and_pauses_are_no_missing_frames():
    jitter = np.random.default_rng(0).normal(1, 0.05, 60)
    assert share_missing(jitter) == 0
    assert share_missing([*[1] * 20, 100, *[1] * 20]) == 0


def test_a_camera_without_a_regular_pace_misses_nothing():
    irregular = np.random.default_rng(0).uniform(0.3, 3, 60)
    assert share_missing(irregular) == 0
    assert share_missing([0] * 60) == 0
    assert share_missing([1, 1, -2, 1] * 15) == 0
    assert share_missing([1, 2, 1] * 5) == 0  # too few to tell
