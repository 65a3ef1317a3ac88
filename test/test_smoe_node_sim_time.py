# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated time, as when a bag is played: it may begin again, and stand still."""

import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from forked_nodes import forked_nodes
from rclpy.qos import QoSProfile
from ros_peers import Camera, Diagnostics, Listener, image_of, peer, small, stamp_of
from ros_processes import wait_until
from rosgraph_msgs.msg import Clock

pytestmark = pytest.mark.alone

BEGIN = 1_600_000_000.0
TICK = 0.02
FRAME_PERIOD = 0.1
# How old an image is when it comes: a fast node is done within a tick, which adds no age.
EXPOSURE = 0.1
# An image may overtake the latest ticks of the clock, whose topic is another.
YOUNGEST_MS, OLDEST_MS = (EXPOSURE - 2 * TICK) * 1e3, 500


class Bag:
    """Plays a camera with its clock, as ``ros2 bag play --clock --loop`` does."""

    def __init__(self, ros):
        self.ros, self.camera = ros, Camera(ros)
        self.clock = ros.create_publisher(Clock, '/clock', QoSProfile(depth=10))
        self.now, self.next_frame = BEGIN, BEGIN
        self.stamps = []
        self.timer = ros.create_timer(TICK, self._tick)

    def _tick(self):
        self.now += TICK
        self.clock.publish(Clock(clock=_time(self.now)))
        if self.now >= self.next_frame:
            self.next_frame += FRAME_PERIOD
            image = image_of(small())
            image.header.stamp = _time(self.now - EXPOSURE)
            self.camera.publisher.publish(image)
            self.stamps.append(stamp_of(image))

    def begin_again(self):
        self.now = self.next_frame = BEGIN
        self.clock.publish(Clock(clock=_time(self.now)))


def _time(seconds):
    return Time(sec=int(seconds), nanosec=int(seconds % 1 * 1e9))


@pytest.fixture(scope='module')
def bag(ros_domain):
    with peer('bag') as ros:
        yield Bag(ros)


@pytest.fixture(scope='module')
def diagnostics(bag, tmp_path_factory):
    """Give the diagnostics of a node that explains the bag."""
    with forked_nodes(tmp_path_factory.mktemp('nodes')) as start:
        start(parameters={'short_side': 64, 'use_sim_time': True})
        listener, diagnostics = Listener(bag.ros, outputs=['contributions']), Diagnostics(bag.ros)
        wait_until(lambda: len(listener.complete()) > 5, 40, node=bag.ros)
        yield diagnostics


def test_ages_are_in_simulated_time_and_rates_in_real_time(bag, diagnostics):
    figures = diagnostics.until(lambda figures: figures.count('explained') > 20)
    assert figures.level == b'\x00'
    assert YOUNGEST_MS < float(figures['age p50 (ms)']) < OLDEST_MS
    assert float(figures['rate in (Hz)']) == pytest.approx(1 / FRAME_PERIOD, rel=0.3)
    stamp = stamp_of(diagnostics.arrays[-1]) * 1e-9
    assert BEGIN < stamp < BEGIN + 3600


def test_when_a_bag_begins_again_every_frame_is_explained_and_figures_stay_right(bag, diagnostics):
    for _ in range(3):
        diagnostics.next()
        before = len(bag.stamps)
        bag.begin_again()
        wait_until(lambda n=before: len(bag.stamps) > n + 12, node=bag.ros)
        figures = diagnostics.next()
        assert figures['last error'] == ''
        assert figures.level == b'\x00'
        median, oldest = float(figures['age p50 (ms)']), float(figures['age max (ms)'])
        assert YOUNGEST_MS < median <= oldest < OLDEST_MS
    assert figures.count('rejected') == 0
    assert figures.adds_up()


def test_diagnostics_come_while_time_stands_still(bag, diagnostics):
    bag.timer.cancel()
    figures = [diagnostics.next(5) for _ in range(4)]
    bag.timer.reset()
    assert 'no image for' in figures[-1].message
    assert figures[-1].level == b'\x01'
    stamps = {stamp_of(message) for message in diagnostics.arrays[-2:]}
    assert len(stamps) == 1
