# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node survives, what it refuses, and how it ends."""

import signal
import sys
import time
from array import array
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy')

from forked_nodes import forked_nodes, wait_until_signals_are_handled
from ros_peers import (
    Camera,
    Diagnostics,
    Listener,
    Stream,
    image_of,
    peer,
    small,
    street,
)
from ros_processes import wait_until
from scripted_network import NETWORK, VARIABLE, write

SMALL = {'short_side': 64}


# Bad frames: each costs itself


@pytest.fixture(scope='module')
def stream(ros_domain, tmp_path_factory):
    """Give the stream of the first of a node's three cameras."""
    with peer('camera') as ros, forked_nodes(tmp_path_factory.mktemp('nodes')) as start:
        topics = ['image_raw', 'other/image_raw', 'unstamped/image_raw']
        # They outlive the tests that use them, so each keeps to a ROS namespace of its own.
        node = start(parameters={**SMALL, 'image_topics': topics}, remappings={'__ns': '/stream'})
        yield Stream(ros, node, '/stream', ['contributions', 'overlay'])


def changed(**fields):
    image = image_of(small())
    for name, value in fields.items():
        setattr(image, name, value)
    return image


# What a message can lack is tested in test_image_conversion.py and test_compressed_images.py.
BAD_FRAMES = {
    'unknown encoding': (changed(encoding='rgb9'), "encoding 'rgb9' is not known"),
    'truncated': (changed(data=array('B', bytes(100))), 'truncated: 100 bytes of data, 9216'),
    'absurd aspect': (image_of(np.zeros((1, 5000, 3), np.uint8)), '5000x1 pixels'),
}


def assert_costs_itself(stream, image, text):
    """Send a frame that is rejected, and named until a good one comes."""
    before = stream.diagnostics.settled()
    stamp = stream.camera.send(image)
    after = stream.diagnostics.until(
        lambda figures: figures.count('rejected') > before.count('rejected')
    )
    assert after.level == b'\x02'
    assert text in after.message
    assert text in after['last error']
    assert '\n' not in after['last error']
    assert after.count('explained') == before.count('explained')
    assert after.adds_up()
    stream.explained(small())
    figures = stream.diagnostics.until(lambda figures: figures.level == b'\x00')
    assert text in figures['last error']
    assert figures.count('rejected') == before.count('rejected') + 1
    assert figures.adds_up()
    assert stamp not in stream.listener.complete()


@pytest.mark.parametrize('fault', BAD_FRAMES)
def test_a_bad_frame_costs_itself_and_is_named_until_a_good_one_comes(stream, fault):
    stream.explained(small())
    assert_costs_itself(stream, *BAD_FRAMES[fault])


def with_stamp(seconds):
    image = image_of(small())
    image.header.stamp.sec = seconds
    return image


@pytest.mark.parametrize('stamps', [[-5, -4], [1000, 1001]])
def test_a_stamp_that_goes_back_costs_its_frame_and_is_named(stream, stamps):
    stream.explained(small())
    before = stream.diagnostics.settled()
    stream.camera.publisher.publish(with_stamp(stamps[0]))
    after = stream.diagnostics.until(
        lambda figures: figures.count('rejected') > before.count('rejected')
    )
    assert 's before that of the frame before: out of order, or a recording' in after.message
    # The stream goes on from there, wherever that is.
    stream.camera.publisher.publish(with_stamp(stamps[1]))
    came = stream.listener.came['overlay']
    wait_until(lambda: came[-1].header.stamp.sec == stamps[1], node=stream.listener.node)
    stream.explained(small())
    figures = stream.diagnostics.settled()
    assert figures.count('rejected') == before.count('rejected') + 1
    assert figures.adds_up()


def test_frames_without_stamps_are_explained_and_have_no_age(stream):
    ros = stream.listener.node
    camera = Camera(ros, '/stream/unstamped/image_raw')
    listener = Listener(ros, '/stream/unstamped/smoe', ['contributions'])
    timer = ros.create_timer(0.1, lambda: camera.publisher.publish(with_stamp(0)))
    wait_until(lambda: len(listener.came['contributions']) > 3, 40, node=ros)
    figures = Diagnostics(ros, '/stream/unstamped/image_raw').until(
        lambda figures: figures.count('explained') > 3
    )
    ros.destroy_timer(timer)
    assert (figures['age p50 (ms)'], figures.level) == ('', b'\x00')


def test_bad_frames_are_logged_at_most_once_a_second(stream):
    def warnings():
        return [line for line in stream.node.stderr.splitlines() if 'frame rejected' in line]

    before, started = len(warnings()), time.monotonic()
    rejected = stream.diagnostics.next().count('rejected')
    stream.camera.send_until(
        lambda: stream.diagnostics.latest().count('rejected') > rejected + 20,
        changed(encoding='rgb9'),
        period=0.05,
    )
    stream.explained(small())
    logged = warnings()[before:]
    assert 1 <= len(logged) <= time.monotonic() - started + 1
    assert all(
        "/stream/image_raw: frame rejected: image encoding 'rgb9'" in line for line in logged
    )


def test_size_and_encoding_may_change_from_frame_to_frame(stream):
    for height, width in ((48, 64), (64, 48), (33, 47), (300, 200), (32, 500), (1, 1), (48, 64)):
        rgb = small(height=height, width=width)
        grey = image_of(rgb)
        grey.encoding, grey.step = 'mono8', width
        grey.data = array('B', rgb[..., 0].tobytes())
        padded = image_of(rgb)
        padded.encoding, padded.step, padded.is_bigendian = 'bgr8', 3 * width + 5, 1
        padded.data = array('B', np.pad(rgb.reshape(height, -1), ((0, 0), (0, 5))).tobytes())
        for image in (image_of(rgb), grey, padded):
            overlay = stream.explained(image)['overlay']
            assert (overlay.height, overlay.width) == (height, width)


def test_one_cameras_bad_frames_cost_the_other_camera_none(stream):
    ros = stream.listener.node
    other = Camera(ros, '/stream/other/image_raw')
    listener = Listener(ros, '/stream/other/smoe', ['contributions'])
    other.send_until(listener.complete, small())
    for image, _ in BAD_FRAMES.values():
        other.send(image)
        stream.explained(small())


def test_a_fault_of_the_network_costs_one_frame_and_is_named(start_node, ros_node, tmp_path):
    """What a fault may be is tested in test_pipeline.py."""
    script = tmp_path / 'script.json'
    write(script)
    node = start_node(parameters={**SMALL, 'backbone': NETWORK}, env={VARIABLE: str(script)})
    stream = Stream(ros_node('camera'), node, outputs=['contributions'])
    stream.diagnostics.settled()
    write(script, fault='exception')
    text = 'the network failed: RuntimeError: the network has a bad day'
    assert_costs_itself(stream, small(), text)
    assert 'Traceback' not in node.stderr


# Bad configuration: one line, and a non-zero exit

# One of each step that may refuse; what else it may refuse is tested beside that step.
BAD_OPTIONS = {
    'short_side:=big': "parameter 'short_side' is 'big', but must be an integer",
    "image_topics:=['']": 'image_topics is empty; name at least one image topic',
    'image_topics:=[cam/left, cam/right]': "'/cam/left' and '/cam/right' would both be explained",
    'scale_weights:="1, x"': "scale_weights is '1, x'; give equal, prior, linear or numbers",
    'device:=gpu': "device 'gpu' is unknown; choose auto, cpu, cuda or cuda:N",
    'backbone:=resnet50': "'default' of backbone 'resnet50' are not on this machine: {files}/",
    'weights:={files}/broken.pth': "weights '{files}/broken.pth' is no readable checkpoint",
    'std:=[0.0, 0.2, 0.2]': 'std is [0.0, 0.2, 0.2]',
    'scales:=[_blocks.99]': "'_blocks.99'; did you mean _blocks.9",
    'scale_weights:="1, 2"': '2 scale weights given for 5 scales: [1.0, 2.0]; give one number',
    'warm_up_size:=[5000, 1]': 'cannot warm up: an image of 5000x1 pixels cannot be explained',
}


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('files')
    (folder / 'broken.pth').write_bytes(np.random.default_rng(0).bytes(1000))
    return folder


def assert_refused(node, text):
    assert node.wait(40) == 1, node.report()
    assert node.stderr.startswith('smoe_node: '), node.report()
    assert node.stderr.count('\n') == 1, node.report()
    assert text in node.stderr, node.report()


@pytest.mark.parametrize('option', BAD_OPTIONS)
def test_bad_configuration_costs_one_clear_line_and_a_non_zero_exit(start_node, files, option):
    node = start_node('-p', option.format(files=files), env={'TORCH_HOME': str(files)})
    assert_refused(node, BAD_OPTIONS[option].format(files=files))


def test_a_parameter_file_is_refused_the_same_way(start_node, tmp_path):
    file = tmp_path / 'robot.yaml'
    file.write_text('/**:\n  ros__parameters:\n    image_topics: []\n')
    assert_refused(start_node('--params-file', str(file)), 'image_topics is empty')


# The end

SIGNALS = pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])


def assert_ends_well(node, seconds=6.0):
    started = time.monotonic()
    assert node.wait(20) == 0, node.report()
    assert time.monotonic() - started < seconds, node.report()
    assert 'Traceback' not in node.stderr, node.report()
    assert 'Exception ignored' not in node.stderr, node.report()


def shared_memory(node=None):
    """Return Fast DDS's segments that hold images, 64 MB each: of a node, or those there are."""
    there = {path.name for path in Path('/dev/shm').iterdir() if path.stat().st_size > 2**20}
    if node is None:
        return there
    return {name for name in there if name in Path(f'/proc/{node.pid}/maps').read_text()}


def assert_ends_well_and_frees_its_memory(node, before, number=signal.SIGTERM, seconds=6.0):
    own = shared_memory(node) - before
    assert own
    node.send_signal(number)
    assert_ends_well(node, seconds)
    assert not own & shared_memory()


@SIGNALS
def test_a_signal_ends_an_idle_node_with_0(start_node, number):
    before = shared_memory()
    node = start_node(parameters=SMALL)
    node.wait_for_text('is explained under', 40)
    assert_ends_well_and_frees_its_memory(node, before, number)


SIGNAL_AS_THE_WORKER_STARTS = """
import os, signal, sys, threading
from smoe_ros.node import executables
start = threading.Thread.start
def watched(thread):
    start(thread)
    if thread.name == 'frame_worker':
        print(open('/proc/self/maps').read(), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
threading.Thread.start = watched
sys.argv = ['smoe_node', '--ros-args', '-p', 'engine:=torch', '-p', 'short_side:=64']
executables.smoe_node()
"""


def test_a_signal_as_the_worker_starts_leaves_no_shared_memory(ros_process):
    before = shared_memory()
    node = ros_process(sys.executable, '-c', SIGNAL_AS_THE_WORKER_STARTS)
    assert node.wait(60) == 0, node.report()
    assert 'Traceback' not in node.stderr, node.report()
    assert 'is explained under' in node.stderr
    assert 'fastrtps_' in node.stdout
    assert not [name for name in shared_memory() - before if name in node.stdout]


SLOW_NETWORK = """
import sys, time
from torch import nn
def build():
    print('being built', file=sys.stderr, flush=True)
    time.sleep(30)
    return nn.Conv2d(3, 8, 3, stride=2)
"""


def test_a_signal_while_another_network_is_loaded_ends_the_node_without_a_trace(
    start_node, ros_node, tmp_path
):
    (tmp_path / 'slow.py').write_text(SLOW_NETWORK)
    ros, before = ros_node('client'), shared_memory()
    node = start_node(parameters={**SMALL, 'backbone': NETWORK})
    Stream(ros, node).ask(backbone=f'{tmp_path / "slow.py"}:build')
    wait_until(lambda: 'being built' in node.stderr, node=ros)
    assert_ends_well_and_frees_its_memory(node, before)


@SIGNALS
def test_a_signal_ends_a_node_in_the_middle_of_a_frame_with_0(start_node, ros_node, number):
    node, ros = start_node(), ros_node('camera')
    camera, listener = Camera(ros), Listener(ros)
    camera.send_until(lambda: len(listener.complete()) > 2, street(1)[0], 40, 0.02)
    # Frames wait at all times: whenever the signal comes, one is in the network.
    timer = ros.create_timer(0.02, lambda: camera.send(street(1)[0]))
    node.send_signal(number)
    wait_until(lambda: node.returncode is not None, node=ros)
    ros.destroy_timer(timer)
    assert_ends_well(node)


@pytest.mark.parametrize('delay', [0.0, 0.02, 0.1, 0.2, 0.4, 0.7, 1.0])
def test_a_signal_ends_a_node_that_starts_with_0(start_node, delay):
    node = start_node()
    wait_until_signals_are_handled(node)
    time.sleep(delay)  # to come upon another line each time, in loading or warming up
    node.send_signal(signal.SIGTERM)
    assert_ends_well(node)


@pytest.mark.parametrize('delay', [0.0, 0.1])
def test_a_second_ctrl_c_does_not_spoil_the_exit(start_node, ros_node, delay):
    node, ros = start_node(), ros_node('camera')
    camera, listener = Camera(ros), Listener(ros)
    camera.send_until(listener.complete, street(1)[0], 40)
    node.send_signal(signal.SIGINT)
    time.sleep(delay)  # the user's finger
    node.send_signal(signal.SIGINT)
    assert_ends_well(node)


@pytest.mark.alone
def test_a_signal_ends_a_node_within_2_s_while_a_frame_takes_longer(
    start_node, ros_node, tmp_path
):
    script = tmp_path / 'script.json'
    write(script)
    ros = ros_node('camera')
    before = shared_memory()
    node = start_node(parameters={**SMALL, 'backbone': NETWORK}, env={VARIABLE: str(script)})
    camera, listener = Camera(ros), Listener(ros, outputs=['contributions'])
    camera.send_until(listener.complete, small(), 40)
    write(script, delay=20.0, fault='none')
    # The network takes the fault out of the script when it begins with the frame.
    camera.send_until(lambda: 'fault' not in script.read_text(), small())
    assert_ends_well_and_frees_its_memory(node, before, seconds=2.0)


@pytest.mark.parametrize(('number', 'delay'), [(signal.SIGINT, 0.0), (signal.SIGTERM, 1.0)])
def test_a_signal_ends_the_installed_executable_with_0_while_it_imports(
    ros_process, number, delay
):
    node = ros_process('smoe_node')
    wait_until_signals_are_handled(node)
    time.sleep(delay)  # torch takes longer
    node.send_signal(number)
    assert_ends_well(node)
    assert node.stderr == ''
