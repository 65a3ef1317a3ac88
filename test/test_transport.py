# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames reach the node, and outputs their subscribers, whatever reliability each side offers."""

import signal

import pytest

pytest.importorskip('rclpy')

from forked_nodes import forked_nodes
from rclpy.qos import QoSProfile, ReliabilityPolicy
from ros_peers import Camera, Diagnostics, Listener, small
from ros_processes import wait_until

SMALL = {'short_side': 64}
RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT


@pytest.fixture
def start_node(ros_domain, tmp_path):
    with forked_nodes(tmp_path / 'nodes') as start:
        yield start


@pytest.mark.parametrize(
    ('input_reliability', 'in_force'),
    [
        ('auto', {RELIABLE: 'reliable', BEST_EFFORT: 'best_effort'}),
        ('best_effort', {RELIABLE: 'best_effort', BEST_EFFORT: 'best_effort'}),
        ('reliable', {RELIABLE: 'reliable'}),
    ],
)
def test_frames_of_each_camera_arrive_where_the_reliability_allows(
    start_node, ros_node, input_reliability, in_force
):
    ros = ros_node('cameras')
    listener, diagnostics = Listener(ros, outputs=['contributions']), Diagnostics(ros)
    start_node(parameters={**SMALL, 'input_reliability': input_reliability})
    # Each camera replaces the other one; what the node follows, it follows back, too.
    for offered in (RELIABLE, BEST_EFFORT, RELIABLE):
        if offered in in_force:
            camera = Camera(ros, reliability=offered)
            listener.forget()
            camera.send_until(listener.complete, small(), 40)
            diagnostics.until(
                lambda figures, offered=offered: figures['input reliability'] == in_force[offered]
            )
            camera.close()


def test_a_camera_that_cannot_be_heard_is_warned_of(start_node, ros_node):
    ros = ros_node('camera')
    camera, diagnostics = Camera(ros, reliability=BEST_EFFORT), Diagnostics(ros)
    node = start_node(parameters={**SMALL, 'input_reliability': 'reliable'})
    camera.send_until(
        lambda: 'incompatible QoS' in node.stderr and diagnostics.latest(), small(), 40
    )
    figures = diagnostics.next()
    assert figures.count('in') == 0
    assert figures.level == b'\x01'


def test_auto_takes_best_effort_as_soon_as_one_of_two_cameras_offers_no_more(start_node, ros_node):
    ros = ros_node('cameras')
    first, second = Camera(ros), Camera(ros, reliability=BEST_EFFORT)
    diagnostics, listener = Diagnostics(ros), Listener(ros, outputs=['contributions'])
    start_node(parameters=SMALL)
    for camera in (first, second):
        listener.forget()
        camera.send_until(lambda camera=camera: listener.complete(), small(), 40)
        assert set(listener.complete()) <= set(camera.sent)
    assert diagnostics.next()['input reliability'] == 'best_effort'
    second.close()
    diagnostics.until(lambda figures: figures['input reliability'] == 'reliable')


def test_a_camera_that_was_killed_is_served_again_when_it_returns(
    start_node, ros_process, ros_node
):
    ros = ros_node('listener')
    listener, diagnostics = Listener(ros, outputs=['contributions']), Diagnostics(ros)
    start_node(parameters=SMALL)
    for reliability in ('reliable', 'best_effort'):
        camera = ros_process(
            'camera_publisher', parameters={'source': 'synthetic', 'reliability': reliability}
        )
        listener.forget()
        diagnostics.until(
            lambda figures: figures.level == b'\x00' and listener.complete(), 60, 'it is served'
        )
        camera.send_signal(signal.SIGKILL)
        assert camera.wait(5) == -signal.SIGKILL
        figures = diagnostics.until(lambda figures: 'no image for' in figures.message)
        assert figures.level == b'\x01'
        assert figures.count('waiting') == 0
        assert figures.adds_up()


@pytest.mark.parametrize('reliability', [RELIABLE, BEST_EFFORT])
def test_a_subscriber_gets_every_output_whatever_it_asks_for(start_node, ros_node, reliability):
    ros = ros_node('camera_and_listener')
    # RELIABLE of depth 5 is what RViz asks for unless told otherwise.
    camera = Camera(ros)
    listener = Listener(ros, qos=QoSProfile(depth=5, reliability=reliability))
    start_node(parameters=SMALL)
    camera.send_until(listener.complete, small(), 40)


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_of_300_frames_at_30_hz_at_least_99_percent_reach_the_node(
    start_node, ros_process, ros_node, reliability
):
    ros = ros_node('observer')
    listener, diagnostics = Listener(ros, outputs=['contributions']), Diagnostics(ros)
    start_node(parameters={'input_reliability': reliability})
    camera = ros_process(
        'camera_publisher',
        parameters={
            'source': 'synthetic',
            'rate': 30.0,
            'frame_count': 300,
            'start_subscribers': 1,
            'reliability': reliability,
        },
    )
    wait_until(lambda: camera.returncode is not None, 90, node=ros)
    assert 'published 300 images' in camera.stderr, camera.report()
    figures = diagnostics.next()
    assert listener.complete()
    assert 297 <= figures.count('in') <= 300, figures
