# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that are faster than the network: fresh outputs, and every frame accounted for."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from forked_nodes import forked_nodes
from ros_peers import Camera, Diagnostics, Listener, peer, small, stamp_of
from ros_processes import wait_until
from scripted_network import NETWORK, VARIABLE, write

pytestmark = pytest.mark.alone

INFERENCE_SECONDS = 0.2
# Four times as fast as the network.
PERIOD_SECONDS = INFERENCE_SECONDS / 4
FRAMES = 160


class Ages(Listener):
    """Listens to contributions, and notes how old each is when it comes."""

    def __init__(self, node, namespace):
        super().__init__(node, namespace, outputs=['contributions'])
        self.ages = []

    def receive(self, output, message):
        super().receive(output, message)
        now = self.node.get_clock().now().nanoseconds
        self.ages.append((now - stamp_of(message)) * 1e-9)


class Flood:
    """Some cameras, the slow node, and what came of all the frames when they have ended."""

    def __init__(self, ros, start, folder, topics):
        script = folder / 'script.json'
        write(script, delay=INFERENCE_SECONDS)
        start(
            parameters={
                'backbone': NETWORK,
                'short_side': 64,
                'image_topics': topics,
                'max_drop_share': 0.5,
            },
            env={VARIABLE: str(script)},
        )
        self.cameras = [Camera(ros, topic) for topic in topics]
        self.ages = [Ages(ros, topic.replace('image_raw', 'smoe')) for topic in topics]
        self.diagnostics = [Diagnostics(ros, f'/{topic}') for topic in topics]
        for camera, ages in zip(self.cameras, self.ages, strict=True):
            camera.send_until(ages.complete, small(), 40)
        self.before = [diagnostics.settled() for diagnostics in self.diagnostics]
        for camera, ages in zip(self.cameras, self.ages, strict=True):
            camera.sent.clear()
            ages.forget()
            ages.ages.clear()

        def send():
            for camera in self.cameras:
                camera.send(small())

        timer = ros.create_timer(PERIOD_SECONDS, send)
        self.meanwhile = []
        while len(self.cameras[0].sent) < FRAMES:
            self.meanwhile.append(self.diagnostics[0].next())
        ros.destroy_timer(timer)
        self.after = [diagnostics.settled() for diagnostics in self.diagnostics]
        for camera, ages in zip(self.cameras, self.ages, strict=True):
            wait_until(lambda c=camera, a=ages: c.sent[-1] in a.complete(), node=ros)

    def count(self, index, what):
        return self.after[index].count(what) - self.before[index].count(what)


@pytest.fixture(scope='module')
def flood(ros_domain, tmp_path_factory):
    folder = tmp_path_factory.mktemp('flood')
    topics = ['front/image_raw', 'left/image_raw', 'right/image_raw']
    with peer('cameras') as ros, forked_nodes(folder / 'nodes') as start:
        yield Flood(ros, start, folder, topics)


def test_an_output_is_no_older_than_one_inference_and_one_camera_period(flood):
    for ages, figures in zip(flood.ages, flood.after, strict=True):
        inference = float(figures['explain time p50 (ms)']) * 1e-3
        assert INFERENCE_SECONDS < inference < INFERENCE_SECONDS * 1.3
        assert np.percentile(ages.ages, 95) <= inference + PERIOD_SECONDS + 0.02


def test_frames_in_are_explained_dropped_or_rejected_to_the_frame(flood):
    for index, camera in enumerate(flood.cameras):
        explained, dropped = flood.count(index, 'explained'), flood.count(index, 'dropped')
        assert flood.count(index, 'in') == len(camera.sent)
        assert len(camera.sent) == explained + dropped + flood.count(index, 'rejected')
        assert flood.count(index, 'rejected') == 0
        assert explained == len(flood.ages[index].came['contributions'])
        assert dropped > 2 * explained


def test_the_figures_add_up_while_frames_flow(flood):
    assert len(flood.meanwhile) > 4
    assert all(figures.adds_up() for figures in flood.meanwhile)


def test_cameras_are_served_alike(flood):
    explained = [flood.count(index, 'explained') for index in range(len(flood.cameras))]
    assert min(explained) >= 0.8 * max(explained)
    # The network goes once for all of them.
    assert max(explained) * INFERENCE_SECONDS > 0.8 * FRAMES * PERIOD_SECONDS


def test_too_many_drops_are_warned_of_with_the_way_out(flood):
    figures = flood.meanwhile[-1]
    assert figures.level == b'\x01'
    assert 'are dropped' in figures.message
    assert 'try a smaller short_side' in figures.message
    assert float(figures['share dropped (%)']) > 50
