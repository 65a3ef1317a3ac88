# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames reach the node, and outputs their subscribers, whatever reliability each side offers."""

import re
import signal
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_peers import (
    COMPRESSED_OUTPUTS,
    OUTPUTS,
    Camera,
    Diagnostics,
    Listener,
    answer_of,
    small,
)
from ros_processes import wait_until

pytestmark = pytest.mark.alone

SMALL = {'short_side': 64}
RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT


@pytest.mark.parametrize(
    ('input_reliability', 'in_force'),
    [
        ('auto', {RELIABLE: 'reliable', BEST_EFFORT: 'best_effort'}),
        ('best_effort', {RELIABLE: 'best_effort', BEST_EFFORT: 'best_effort'}),
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
        camera = Camera(ros, reliability=offered)
        listener.forget()
        camera.send_until(listener.complete, small(), 40)
        diagnostics.until(
            lambda figures, offered=offered: figures['input reliability'] == in_force[offered]
        )
        camera.close()


def test_a_mismatch_is_named_within_2_s_and_mended_as_told_while_the_node_runs(
    start_node, ros_node
):
    ros = ros_node('camera')
    diagnostics, override = Diagnostics(ros), 'qos_overrides./image_raw.subscription.depth'
    node = start_node(parameters={**SMALL, 'input_reliability': 'reliable', override: 1})
    diagnostics.until(lambda figures: 'nobody publishes /image_raw' in figures.message, 40)
    camera = Camera(ros, reliability=BEST_EFFORT)
    # Before anybody wants the images, too.
    figures = diagnostics.until(lambda figures: 'cannot be heard' in figures.message, 2)
    assert figures.level == b'\x01'
    assert 'best effort publisher and reliable subscription' in figures.message
    assert 'set input_reliability to auto or best_effort' in figures.message
    assert 'cannot be heard' in node.stderr
    listener = Listener(ros, outputs=['contributions'])
    client = AsyncParameterClient(ros, '/smoe')
    answer = answer_of(
        lambda: client.set_parameters([Parameter('input_reliability', value='auto')]), ros
    )
    assert answer.results[0].successful
    camera.send_until(listener.complete, small())
    diagnostics.until(lambda figures: figures.level == b'\x00')


def test_a_subscriber_that_cannot_be_served_is_named_until_it_is_gone(start_node, ros_node):
    ros = ros_node('camera_and_listener')
    camera, diagnostics = Camera(ros), Diagnostics(ros)
    start_node(parameters=SMALL)
    listener = Listener(ros, outputs=['contributions'])
    camera.send_until(listener.complete, small(), 40)
    late = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    stubborn = Listener(ros, outputs=['lovi'], qos=late)
    figures = diagnostics.until(lambda figures: 'cannot be served' in figures.message, 5)
    assert figures.level == b'\x01'
    assert '1 of 1 subscriptions of /smoe/lovi cannot be served' in figures.message
    assert 'durability volatile' in figures.message
    stubborn.close()
    diagnostics.until(lambda figures: 'cannot be served' not in figures.message)


def test_overriding_the_qos_of_one_output_leaves_the_others_alone(start_node, ros_node):
    ros = ros_node('listener')
    override = 'qos_overrides./smoe/saliency.publisher.reliability'
    start_node(parameters={**SMALL, override: 'best_effort'})
    offered = {}
    for output in (*OUTPUTS, *COMPRESSED_OUTPUTS):
        (info,) = wait_until(
            lambda topic=f'/smoe/{output}': ros.get_publishers_info_by_topic(topic), 40
        )
        offered[output] = info.qos_profile.reliability
    assert offered.pop('saliency') == BEST_EFFORT
    assert set(offered.values()) == {RELIABLE}


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


def play(ros_process, reliability, frames, env=None):
    """Start a camera of 640x480 at 30 Hz."""
    return ros_process(
        'camera_publisher',
        parameters={
            'source': 'synthetic',
            'width': 640,
            'height': 480,
            'rate': 30.0,
            'frame_count': frames,
            'start_subscribers': 1,
            'reliability': reliability,
        },
        env=env,
    )


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_with_the_profile_no_frame_is_lost(start_node, ros_process, ros_node, reliability):
    ros = ros_node('observer')
    listener, diagnostics = Listener(ros, outputs=['contributions']), Diagnostics(ros)
    start_node(parameters={'input_reliability': reliability})
    camera = play(ros_process, reliability, 200)
    wait_until(lambda: camera.returncode is not None, 90, node=ros)
    assert 'published 200 images' in camera.stderr, camera.report()
    figures = diagnostics.until(lambda figures: figures.count('in') == 200)
    assert listener.complete()
    assert figures['frames lost in transport'] == '0'


def test_without_the_profile_frames_are_lost_and_diagnostics_name_it(
    start_node, ros_process, ros_node
):
    ros = ros_node('observer')
    Listener(ros, outputs=['contributions'])
    diagnostics = Diagnostics(ros)
    without = dict.fromkeys(('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'))
    start_node(env=without)
    camera = play(ros_process, 'best_effort', 600, env=without)
    figures = diagnostics.until(lambda figures: 'are lost on their way' in figures.message, 40)
    camera.stop()
    assert figures.level == b'\x01'
    assert int(figures['frames lost in transport']) > 0
    (profile,) = re.findall(r'set FASTRTPS_DEFAULT_PROFILES_FILE=(\S+)', figures.message)
    assert Path(profile).is_file()
    assert profile.endswith('config/fastdds.xml')
