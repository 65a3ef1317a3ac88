# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera as its users meet it: the installed executable, in its own process, over real DDS."""

import math
import os
import re
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from rclpy.qos import ReliabilityPolicy
from ros_peers import KEEP_ALL_HERE, stamp_of
from ros_processes import wait_until
from sensor_msgs.msg import CameraInfo, Image

from smoe_ros.errors import ConfigurationError
from smoe_ros.images.framing import fit
from smoe_ros.images.opening import Synthetic, open_source


class Listener:
    """Everything that came from the camera."""

    def __init__(self, node):
        self.node, self.images, self.infos, self.ages = node, [], [], []
        node.create_subscription(CameraInfo, 'camera_info', self.infos.append, KEEP_ALL_HERE)
        node.create_subscription(Image, 'image_raw', self._take, KEEP_ALL_HERE)

    def _take(self, image):
        self.ages.append((self.node.get_clock().now().nanoseconds - stamp_of(image)) * 1e-9)
        self.images.append(image)

    def stamps(self):
        """Return the images' stamps in seconds since the first."""
        stamps = np.array([stamp_of(image) for image in self.images])
        return (stamps - stamps[0]) * 1e-9


@pytest.fixture
def listener(ros_node):
    return Listener(ros_node('listener'))


@pytest.fixture
def play(ros_process, listener):
    """Run a camera that is to end by itself, and return when all it sent was received."""

    def run(count, **parameters):
        parameters = {'start_subscribers': 1, 'rate': 100.0, **parameters}
        camera = ros_process('camera_publisher', parameters=parameters)
        wait_until(lambda: camera.returncode is not None, 40, node=listener.node)
        assert camera.returncode == 0, camera.report()
        wait_until(lambda: len(listener.images) >= count, 5, node=listener.node)
        return camera

    return run


@pytest.fixture
def folder(tmp_path):
    """Make a folder of three small images whose grey levels are 10, 20 and 30."""
    path = tmp_path / 'images'
    path.mkdir()
    for level in (10, 20, 30):
        cv2.imwrite(str(path / f'{level}.png'), np.full((8, 12, 3), level, np.uint8))
    return path


def pixels(message):
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, -1)


# What is published


def test_without_loop_every_image_arrives_exactly_once_and_the_process_ends_with_0(play, listener):
    camera = play(250, source='bikes', loop=False, frame_id='front')
    assert len(listener.images) == 250
    assert np.all(np.diff(listener.stamps()) > 0)
    for image in listener.images:
        assert image.header.frame_id == 'front'
        assert (image.width, image.height, image.encoding) == (640, 272, 'bgr8')
        assert (image.step, len(image.data), image.is_bigendian) == (1920, 1920 * 272, 0)
    assert 'published 250 images' in camera.stderr


def test_camera_info_has_the_images_headers_and_is_a_pinhole_of_60_degrees(play, listener):
    play(20, source='synthetic', frame_count=20, width=320)
    assert set(map(stamp_of, listener.infos)) <= set(map(stamp_of, listener.images))
    info = listener.infos[-1]
    assert info.header == listener.images[-1].header
    assert (info.width, info.height) == (320, 240)
    assert info.distortion_model == 'plumb_bob'
    assert list(info.d) == [0.0] * 5
    fx, _, cx, _, fy, cy = info.k[:6]
    assert math.degrees(2 * math.atan(160 / fx)) == pytest.approx(60)
    assert (fy, cx, cy) == (fx, 159.5, 119.5)
    assert np.array_equal(info.p.reshape(3, 4)[:, :3], info.k.reshape(3, 3))
    assert np.array_equal(info.r.reshape(3, 3), np.eye(3))


def test_the_pixels_are_the_sources_in_encoding_and_size_asked_for(play, listener):
    """Every encoding and size is tested in test_image_sources.py."""
    play(1, source='synthetic', frame_count=1, encoding='rgba8', width=300, height=100)
    (image,) = listener.images
    drawn = fit(next(Synthetic().frames()), 300, 100)
    assert (image.encoding, image.width, image.height, image.step) == ('rgba8', 300, 100, 1200)
    alpha = np.full((100, 300), 255, np.uint8)
    assert np.array_equal(pixels(image), np.dstack([drawn[..., ::-1], alpha]))


def test_looping_begins_again_and_frame_count_ends_it(play, listener, folder):
    play(7, source=str(folder), frame_count=7)
    assert [image.data[0] for image in listener.images] == [10, 20, 30, 10, 20, 30, 10]


@pytest.mark.parametrize(
    'parameters',
    [
        {'reliability': 'best_effort'},
        {
            f'qos_overrides./{topic}.publisher.reliability': 'best_effort'
            for topic in ('image_raw', 'camera_info')
        },
    ],
    ids=['parameter', 'qos_overrides'],
)
def test_reliability_is_offered_as_asked(ros_process, ros_node, parameters):
    node = ros_node('observer')
    ros_process('camera_publisher', parameters={'source': 'synthetic', **parameters})
    for topic in ('image_raw', 'camera_info'):
        (publisher,) = wait_until(lambda t=topic: node.get_publishers_info_by_topic(f'/{t}'))
        assert publisher.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


# When it is published


@pytest.mark.alone
@pytest.mark.parametrize(
    ('parameters', 'rate'),
    [
        ({'source': 'synthetic', 'rate': 50.0}, 50.0),
        ({'source': 'synthetic', 'rate': 0.0}, 30.0),
        ({'source': 'bikes', 'rate': 0.0}, 25.0),
    ],
)
def test_images_keep_to_the_rates_schedule(play, listener, parameters, rate):
    play(40, frame_count=40, **parameters)
    # In periods since the first image: whole numbers, also after one that came late or never.
    periods = listener.stamps() * rate
    offset = np.abs(periods - periods.round() - np.median(periods - periods.round()))
    assert np.median(offset) < 0.1
    assert np.median(np.diff(periods)) == pytest.approx(1, abs=0.1)
    assert periods[-1] == pytest.approx(39, abs=8)
    # Stamped when it was the image's turn, not when it was read ahead, eight periods before.
    assert np.median(listener.ages) * rate < 5


def test_start_subscribers_holds_the_first_image_until_they_are_there(ros_process, ros_node):
    camera = ros_process(
        'camera_publisher',
        parameters={'source': 'synthetic', 'start_subscribers': 2, 'frame_count': 3},
    )
    node = ros_node('two_listeners')
    first, second = [], []
    node.create_subscription(Image, 'image_raw', first.append, 10)
    wait_until(lambda: node.count_publishers('image_raw') == 1, node=node)
    quiet_until = time.monotonic() + 0.5
    wait_until(lambda: time.monotonic() > quiet_until, node=node)
    assert first == []
    node.create_subscription(Image, 'image_raw', second.append, 10)
    wait_until(lambda: len(first) == len(second) == 3, node=node)
    assert np.array_equal(pixels(first[0]), next(Synthetic().frames()))
    assert camera.wait() == 0


# How it ends


def test_a_signal_ends_it_with_0_while_a_device_does_not_answer(ros_process, ros_node, tmp_path):
    pipe, node = tmp_path / 'pipe.mp4', ros_node('observer')
    os.mkfifo(pipe)  # into which nobody writes
    camera = ros_process('camera_publisher', parameters={'source': str(pipe)})
    wait_until(lambda: 'camera' in node.get_node_names(), node=node)
    camera.send_signal(signal.SIGTERM)
    assert camera.wait(5) == 0, camera.report()
    assert 'Traceback' not in camera.stderr


SIGNAL_AT_THE_THIRD_IMAGE = """
import os, signal, sys
from rclpy.publisher import Publisher
from smoe_ros.node import camera_publisher
publish, sent = Publisher.publish, []
def watched(publisher, message):
    publish(publisher, message)
    if publisher.topic_name == '/image_raw':
        sent.append(message)
        if len(sent) == 3:
            os.kill(os.getpid(), signal.SIGINT)
Publisher.publish = watched
sys.exit(camera_publisher.main(['--ros-args', '-p', 'start_subscribers:=1']))
"""


def test_an_image_after_which_the_camera_is_stopped_at_once_is_counted(ros_process, listener):
    camera = ros_process(sys.executable, '-c', SIGNAL_AT_THE_THIRD_IMAGE)
    wait_until(lambda: camera.returncode is not None, node=listener.node)
    assert 'published 3 images' in camera.stderr, camera.report()
    assert 'Traceback' not in camera.stderr
    assert camera.returncode == 0


LISTENING_PROCESS = """
import rclpy
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node('frozen_listener')
node.create_subscription(Image, 'image_raw', lambda image: print('received'), 5)
rclpy.spin(node)
"""


def test_the_end_waits_for_a_subscriber_that_does_not_answer_but_not_for_ever(ros_process):
    parameters = {'source': 'synthetic', 'width': 320, 'start_subscribers': 1, 'frame_count': 60}
    camera = ros_process('camera_publisher', parameters=parameters)
    frozen = ros_process(sys.executable, '-c', LISTENING_PROCESS)
    frozen.wait_for_text('received')
    frozen.send_signal(signal.SIGSTOP)
    try:
        assert camera.wait(20) == 0, camera.report()
    finally:
        frozen.send_signal(signal.SIGCONT)
    assert 'did not acknowledge the last messages' in camera.stderr
    assert 'published 60 images' in camera.stderr


RUN = """
import os, signal, sys, time, rclpy
from smoe_ros.node.running import run_node
def create():
    {}
sys.exit(run_node(create, []))
"""
FAILURES = {
    # What a signal does, at a moment when no Python code sees it.
    'context_shut_down': 'rclpy.shutdown(); return rclpy.create_node("late")',
    # As where pybind11 calls Python, before the context is shut down.
    'call_interrupted': """rclpy.ok = lambda: True
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    except KeyboardInterrupt:
        raise RuntimeError('Unable to convert call argument')""",
}


@pytest.mark.parametrize('failure', FAILURES)
def test_what_fails_because_of_a_signal_is_no_error(ros_process, failure):
    process = ros_process(sys.executable, '-c', RUN.format(FAILURES[failure]))
    assert process.wait() == 0, process.report()
    assert process.stderr == ''


# What it refuses and what it survives


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Make sources that cannot be played, by name."""
    folder = tmp_path_factory.mktemp('files')
    (folder / 'empty.mp4').touch()
    (folder / 'text.mp4').write_text('this is no video\n' * 100)
    (folder / 'all_damaged').mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    _, png = cv2.imencode('.png', noise)
    for name in ('a.png', 'b.png'):
        (folder / 'all_damaged' / name).write_bytes(png.tobytes()[:40000])
    return folder


@pytest.mark.parametrize(
    ('source', 'text'),
    [
        ('{files}/missing.mp4', "/missing.mp4' does not exist"),
        ('', 'the source is empty'),
        ('{files}/empty.mp4', "empty.mp4': it is empty, damaged, or not a video"),
        ('{files}/text.mp4', "text.mp4': it is empty, damaged, or not a video"),
        ('{files}/all_damaged', 'none of the 2 images'),
        ('97', 'cannot open webcam 97'),
    ],
)
def test_a_source_that_cannot_be_played_is_refused_with_the_reason(files, source, text):
    with pytest.raises(ConfigurationError) as refused:
        open_source(source.format(files=files), print)
    assert text in str(refused.value)


# What a parameter refuses is tested in test_parameters.py.
@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['--ros-args', '-p', 'source:=bike'], "'bike' does not exist; did you mean bikes?"),
        (['--ros-args', '-p', 'use_sim_time:=3'], 'use_sim_time'),
        (
            ['--ros-args', '-p', 'qos_overrides./image_raw.publisher.reliability:=maybe'],
            '`reliability`: `maybe`',
        ),
        (['--ros-args', '-p', 'rate'], "cannot parse parameter override rule: '-p rate'"),
        (['--rate', '3'], 'unexpected arguments: --rate 3'),
        (['--ros-args', '--rate', '3'], 'unknown ROS arguments: --rate 3'),
        (['--ros-args', '-p'], 'write -p name:=value'),
        (['--ros-args', '-r', 'image_raw'], 'write -r from:=to'),
        (['--ros-args', '--log-level', 'loud'], 'choose debug, info, warn'),
        (['--ros-args', '--params-file', '/missing.yaml'], '/missing.yaml'),
    ],
)
def test_what_it_cannot_use_costs_one_clear_line_and_a_non_zero_exit(ros_process, arguments, text):
    camera = ros_process('camera_publisher', *arguments)
    assert camera.wait() == 1, camera.report()
    assert camera.stderr.startswith('camera_publisher: '), camera.report()
    assert camera.stderr.count('\n') == 1, camera.report()
    assert text in camera.stderr
    assert camera.stdout == ''


def test_an_unreadable_image_among_good_ones_costs_one_warning(play, listener, folder):
    (folder / '15.png').write_bytes(b'no image')
    camera = play(3, source=str(folder), loop=False)
    assert [image.data[0] for image in listener.images] == [10, 20, 30]
    (warning,) = [line for line in camera.stderr.splitlines() if '15.png' in line]
    assert 'WARN' in warning
    assert 'published 3 images, 1 could not be decoded' in camera.stderr


def test_a_source_that_vanishes_while_it_plays_ends_the_process_with_a_reason(
    ros_process, listener, folder
):
    camera = ros_process('camera_publisher', parameters={'source': str(folder), 'rate': 50.0})
    wait_until(lambda: listener.images, node=listener.node)
    for file in Path(folder).iterdir():
        file.unlink()
    assert camera.wait() == 1, camera.report()
    assert re.search(r'^camera_publisher: .* gives no images any more$', camera.stderr, re.M)
    assert 'Traceback' not in camera.stderr
