# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images, in and out, over real DDS."""

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from forked_nodes import forked_nodes
from ros_peers import (
    COMPRESSED_OUTPUTS,
    OUTPUTS,
    Camera,
    Diagnostics,
    Listener,
    array_of,
    image_of,
    peer,
    small,
)
from ros_processes import wait_until
from sensor_msgs.msg import CompressedImage

SMALL = {'short_side': 64}
IMAGES = tuple(name for name in OUTPUTS if name != 'contributions')


def decoded(message):
    """Return a compressed output's pixels, by OpenCV alone: colour as RGB."""
    pixels = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def compressed(rgb, extension='.png'):
    """Return a picture as image_transport would send it."""
    _, data = cv2.imencode(extension, rgb[..., ::-1])
    image = CompressedImage(data=data.tobytes())
    image.header.frame_id = 'front'
    image.format = f'rgb8; {extension[1:].replace("jpg", "jpeg")} compressed bgr8'
    return image


class CompressedCamera(Camera):
    """A camera that sends compressed images only."""

    def __init__(self, node, topic='image_raw'):
        super().__init__(node, topic)
        self.close()
        self.publisher = node.create_publisher(CompressedImage, f'{topic}/compressed', 5)


@pytest.fixture(scope='module')
def outputs(ros_domain, tmp_path_factory):
    """Return raw and compressed outputs of one frame."""
    with peer('camera') as ros, forked_nodes(tmp_path_factory.mktemp('nodes')) as start:
        # It outlives the tests that use it, so it keeps to a ROS namespace of its own.
        start(parameters=SMALL, remappings={'__ns': '/both'})
        camera = Camera(ros, '/both/image_raw')
        listener = Listener(ros, '/both/smoe', (*IMAGES, *COMPRESSED_OUTPUTS))
        camera.send_until(listener.complete, small(3))
        yield listener.of(listener.complete()[0])


@pytest.mark.parametrize('output', IMAGES)
def test_a_compressed_output_shows_what_the_raw_one_shows(outputs, output):
    raw, packed = outputs[output], outputs[f'{output}/compressed']
    assert packed.header == raw.header
    pixels, expected = decoded(packed), array_of(raw)
    if raw.encoding == 'rgb8':
        assert packed.format == 'rgb8; jpeg compressed bgr8'
        assert np.abs(pixels.astype(int) - expected).mean() < 4
    else:
        codec = {'mono8': 'png', '32FC1': 'tiff'}[raw.encoding]
        assert packed.format.strip() == f'{raw.encoding}; {codec} compressed'
        np.testing.assert_array_equal(pixels, expected)


def test_a_compressed_camera_is_explained_as_the_raw_one_is(start_node, ros_node):
    ros, maps = ros_node('cameras'), []
    for transport in ('raw', 'compressed'):
        node = start_node(parameters={**SMALL, 'image_transport': transport})
        camera = Camera(ros) if transport == 'raw' else CompressedCamera(ros)
        listener = Listener(ros, outputs=['saliency_float', 'overlay'])
        image = image_of(small()) if transport == 'raw' else compressed(small())
        camera.send_until(listener.complete, image, 40)
        outputs = listener.of(listener.complete()[-1])
        maps.append(array_of(outputs['saliency_float']))
        assert outputs['overlay'].header.frame_id == 'front'
        node.stop()
        listener.close()
        camera.close()
    np.testing.assert_allclose(*maps, atol=1e-5)


def test_a_remapped_camera_is_found_and_a_bad_compressed_frame_costs_itself(start_node, ros_node):
    """What a bad frame may be is tested in test_compressed_images.py."""
    ros = ros_node('camera')
    start_node(
        parameters={**SMALL, 'image_transport': 'compressed'},
        remappings={'image_raw': '/front/colour'},
    )
    camera, diagnostics = CompressedCamera(ros, '/front/colour'), Diagnostics(ros, '/front/colour')
    listener = Listener(ros, '/front/smoe', outputs=['contributions'])
    camera.send_until(listener.complete, compressed(small(), '.jpg'), 40)
    camera.send(CompressedImage(format='jpeg', data=b'no image'))
    figures = diagnostics.until(lambda figures: figures.count('rejected') == 1)
    assert figures['input topic'] == '/front/colour/compressed'
    assert 'are no image that is read' in figures.message
    stamp = camera.send(compressed(small()))
    wait_until(lambda: stamp in listener.complete(), node=ros)
    assert diagnostics.next().count('rejected') == 1
