# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node puts out over real DDS, against the explainer called directly on the frame."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

import torch
from rclpy.lifecycle import LifecycleNode
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
    stamp_of,
)
from ros_processes import started_processes, wait_until
from sensor_msgs.msg import CompressedImage, Image
from test_architecture import EXTRAS

from smoe_ros.backbones import load_backbone
from smoe_ros.explainer import Explainer
from smoe_ros.explainer.pipeline import Pipeline, backbone_of
from smoe_ros.explainer.settings import Settings
from smoe_ros.messages import outputs as outputs_module
from smoe_ros.messages.encoding import Method
from smoe_ros.node.publishers import CameraOutputs
from smoe_ros.options.parameters import DrawingOptions
from smoe_ros.rendering import heat_map, lovi, overlay, salient_mask
from smoe_ros.rendering.overview import HEIGHT, WIDTH, draw_overview

SMALL = {'short_side': 64}
BLOCKED = tuple(name for name in EXTRAS if name != 'PIL')  # which torchvision itself imports
ENCODINGS = {
    'saliency': ('mono8', 1),
    'saliency_float': ('32FC1', 4),
    'lovi': ('rgb8', 3),
    'heat_map': ('rgb8', 3),
    'overlay': ('rgb8', 3),
    'scales': ('mono8', 1),
    'mask': ('mono8', 1),
    'overview': ('rgb8', 3),
}
# Of the overview: the contributions, whose past only the node knows.
PAST = np.s_[HEIGHT // 2 :, WIDTH // 2 :]


class Direct:
    """The explainer without ROS: what the outputs must hold for a frame."""

    def __init__(self, short_side=224):
        # Folded and laid out like the node's: otherwise sums differ in the fourth decimal.
        self.backbone = backbone_of(Settings(short_side=short_side))
        self.explainer = Explainer(self.backbone.model)

    def __call__(self, rgb):
        explanation = self.explainer(self.backbone.preprocess(rgb)[None])
        maps = explanation.scale_maps[0].numpy()
        saliency = explanation.saliency[0].numpy()
        expected = {
            'saliency': np.rint(saliency * 255).astype(np.uint8),
            'saliency_float': saliency,
            'lovi': lovi(maps),
            'heat_map': heat_map(maps),
            'overlay': overlay(rgb, heat_map(maps), 0.5),
            'scales': np.rint(np.concatenate(list(maps), axis=1) * 255).astype(np.uint8),
            'mask': salient_mask(saliency).astype(np.uint8) * 255,
        }
        overview = draw_overview(rgb, expected['overlay'], expected['lovi'], [], '')
        expected['overview'] = overview
        return expected, explanation


@pytest.fixture(scope='module')
def bare(tmp_path_factory):
    """Return the environment of an interpreter without what evaluation, reports and bags need."""
    site = tmp_path_factory.mktemp('site')
    # So Python finds none of them, as where they are not installed.
    code = f'import sys; sys.modules.update(dict.fromkeys({BLOCKED}))'
    (site / 'sitecustomize.py').write_text(code)
    return {'PYTHONPATH': os.pathsep.join([str(site), os.environ.get('PYTHONPATH', '')])}


@pytest.fixture(scope='module')
def running(ros_domain, bare, tmp_path_factory):
    """Run the installed node and camera, each in its process, on the street video.

    They outlive the tests that use them, so they keep to a ROS namespace of their own.
    """
    with started_processes(tmp_path_factory.mktemp('processes')) as start:
        street = {'__ns': '/street'}
        node = start('smoe_node', parameters={'engine': 'torch'}, remappings=street, env=bare)
        start(
            'camera_publisher',
            parameters={'source': 'bikes', 'rate': 5.0, 'frame_id': 'road'},
            remappings=street,
        )
        node.wait_for_text('is explained under', 60)
        yield node


@pytest.fixture(scope='module')
def recording(running):
    """Record some seconds of the camera, every output, and diagnostics."""
    with peer('recorder') as node:
        listener = Listener(node, '/street/smoe')
        images, diagnostics = [], Diagnostics(node, '/street/image_raw')
        node.create_subscription(Image, '/street/image_raw', images.append, 100)
        wait_until(
            lambda: len(listener.complete()) >= 8 and len(diagnostics.arrays) >= 5, 60, node=node
        )
        listener.images = {stamp_of(image): image for image in images}
        listener.arrays = list(diagnostics.arrays)
        listener.figures = diagnostics.latest()
        listener.close()
        # A frame is counted after it is published: only an idle node has counted every one.
        listener.at_rest = diagnostics.until(lambda figures: 'not subscribed' in figures.message)
        return listener


@pytest.fixture(scope='module')
def compared(recording):
    """Explain three recorded frames directly: outputs that came, expected, and explanation."""
    direct = Direct()
    stamps = [stamp for stamp in recording.complete() if stamp in recording.images]
    return [
        (recording.of(stamp), *direct(array_of(recording.images[stamp])[..., ::-1].copy()))
        for stamp in (stamps[0], stamps[len(stamps) // 2], stamps[-1])
    ]


# Every output, on the street video


def test_the_node_explains_where_nothing_is_that_only_evaluation_and_bags_need(
    bare, running, recording
):
    for name in BLOCKED:
        command = [sys.executable, '-c', f'import {name}']
        found = subprocess.run(command, env={**os.environ, **bare}, stderr=-1, check=False)
        assert f'import of {name} halted' in found.stderr.decode()
    assert f'PYTHONPATH={bare["PYTHONPATH"]}' in Path(f'/proc/{running.pid}/environ').read_text()
    assert len(recording.complete()) >= 8


@pytest.mark.parametrize('output', OUTPUTS)
def test_every_output_has_the_header_of_its_frame_and_comes_once_in_order(recording, output):
    for message in recording.came[output]:
        assert message.header.frame_id == 'road'
    stamps = [stamp_of(message) for message in recording.came[output]]
    first = min(recording.images)  # outputs of earlier frames have no image here to compare to
    assert len(stamps) >= 8
    assert {stamp for stamp in stamps if stamp >= first} <= set(recording.images)
    assert np.all(np.diff(stamps) > 0)


@pytest.mark.parametrize('output', ENCODINGS)
def test_every_image_is_tightly_packed_in_its_encoding_and_size(recording, output):
    encoding, pixel = ENCODINGS[output]
    # The short side is 224, the long one the multiple of 32 nearest to the camera's aspect.
    sizes = {'overlay': (272, 640), 'scales': (224, 5 * 512), 'overview': (720, 1280)}
    height, width = sizes.get(output, (224, 512))
    for image in recording.came[output]:
        assert (image.encoding, image.height, image.width) == (encoding, height, width)
        assert (image.step, image.is_bigendian) == (width * pixel, 0)
        assert len(image.data) == height * width * pixel


@pytest.mark.parametrize('output', ENCODINGS)
def test_every_image_is_what_the_explainer_says_of_the_same_frame(compared, output):
    for outputs, expected, _ in compared:
        got = array_of(outputs[output])
        if output == 'saliency_float':
            np.testing.assert_allclose(got, expected[output], atol=1e-4)
        else:
            # Sums differ in their last bits with the number of threads: that may turn a rounding.
            off = np.abs(got.astype(int) - expected[output].astype(int))
            if output == 'overview':
                off[PAST] = 0
            assert off.max() <= 2 or output == 'mask'
            assert np.mean(off > 0) < 0.02


def test_contributions_are_what_the_explainer_says_of_the_same_frame(compared):
    labels = load_backbone().labels
    for outputs, _, explanation in compared:
        message, probabilities = outputs['contributions'], explanation.logits[0].softmax(0)
        assert message.class_id == int(probabilities.argmax())
        assert message.class_label == labels[message.class_id] != ''
        assert message.class_probability == pytest.approx(float(probabilities.max()), abs=1e-3)
        contributions = [scale.contribution for scale in message.scales]
        np.testing.assert_allclose(contributions, explanation.contributions[0], atol=1e-4)
        information = [scale.information for scale in message.scales]
        np.testing.assert_allclose(information, explanation.information[0], rtol=1e-3)


def test_contributions_name_the_method_and_five_scales_finest_first(recording):
    for message in recording.came['contributions']:
        assert message.backbone == 'efficientnet_lite0'
        assert message.statistic == 'smoe_scale'
        assert message.normalization == 'gaussian_cdf'
        assert [(scale.layer, scale.call, scale.channels) for scale in message.scales] == [
            ('_blocks.1._swish', 0, 96),
            ('_blocks.3._swish', 0, 144),
            ('_blocks.5._swish', 0, 240),
            ('_blocks.11._swish', 0, 672),
            ('_swish', 1, 1280),
        ]
        assert [(scale.height, scale.width) for scale in message.scales] == [
            (224 // 2**octave, 512 // 2**octave) for octave in range(1, 6)
        ]
        assert [scale.weight for scale in message.scales] == pytest.approx([0.2] * 5)
        assert sum(scale.contribution for scale in message.scales) == pytest.approx(1, abs=1e-4)
        assert all(scale.information > 0 for scale in message.scales)


def test_the_peak_is_the_most_salient_pixel_in_pixels_of_the_camera(recording):
    for stamp in recording.complete():
        messages = recording.of(stamp)
        message, saliency = messages['contributions'], array_of(messages['saliency_float'])
        column = (message.peak_x + 0.5) * 512 / 640 - 0.5
        row = (message.peak_y + 0.5) * 224 / 272 - 0.5
        assert column == pytest.approx(round(column), abs=1e-3)
        assert row == pytest.approx(round(row), abs=1e-3)
        assert saliency[round(row), round(column)] == saliency.max()


def test_the_peak_of_a_scale_is_the_centre_of_its_most_salient_cell(compared):
    for outputs, _, explanation in compared:
        scale_maps = explanation.scale_maps[0].numpy()
        for scale, scale_map in zip(outputs['contributions'].scales, scale_maps, strict=True):
            column = (scale.peak_x + 0.5) * scale.width / 640 - 0.5
            row = (scale.peak_y + 0.5) * scale.height / 272 - 0.5
            assert column == pytest.approx(round(column), abs=1e-3)
            assert row == pytest.approx(round(row), abs=1e-3)
            top, left, side = round(row), round(column), 224 // scale.height
            cell = scale_map[top * side : (top + 1) * side, left * side : (left + 1) * side]
            assert cell.max() >= scale_map.max() - 1e-4


# Diagnostics


def test_diagnostics_come_once_a_second(recording):
    stamps = [stamp_of(message) for message in recording.arrays]
    assert np.median(np.diff(stamps)) == pytest.approx(1e9, rel=0.1)


def test_diagnostics_account_for_every_frame_and_name_backbone_and_device(recording):
    for message in recording.arrays:
        (status,) = message.status
        assert status.name == '/street/smoe: /street/image_raw'
        assert status.hardware_id == '/street/image_raw'
    figures = recording.figures
    assert figures.level == b'\x00'
    assert recording.at_rest.count('explained') >= len(recording.complete())
    assert figures['backbone'] == 'efficientnet_lite0'
    assert figures['device'] == 'cuda:0' if torch.cuda.is_available() else 'cpu'
    assert figures['input reliability'] == 'reliable'
    assert figures['last error'] == ''
    assert float(figures['rate in (Hz)']) == pytest.approx(5, abs=2)
    assert 0 < float(figures['age p50 (ms)']) <= float(figures['age p95 (ms)'])
    assert float(figures['age p95 (ms)']) <= float(figures['age max (ms)'])


# Work for nobody


@pytest.mark.parametrize('output', (*OUTPUTS, COMPRESSED_OUTPUTS[0]))
def test_an_output_comes_when_it_is_the_only_one_subscribed(running, ros_node, output):
    listener = Listener(ros_node('listener'), '/street/smoe', outputs=[output])
    wait_until(lambda: len(listener.came[output]) >= 2, node=listener.node)


@pytest.fixture(scope='module')
def explained():
    """Return the explanation of a small picture."""
    return Pipeline(Settings(short_side=64)).explain([small()])[0]


@pytest.mark.parametrize(
    ('subscribed', 'drawn'),
    [
        (['lovi'], ['lovi']),
        (['overlay'], ['heat_map', 'overlay']),
        (['saliency', 'saliency_float', 'contributions'], []),
        (['lovi', 'heat_map', 'overlay'], ['heat_map', 'lovi', 'overlay']),
        (['mask', 'scales'], ['salient_mask']),
        (['lovi', 'lovi/compressed'], ['lovi']),
        (['overview', 'overview/compressed'], ['draw_overview', 'heat_map', 'lovi', 'overlay']),
        (['overview', 'lovi', 'overlay'], ['draw_overview', 'heat_map', 'lovi', 'overlay']),
    ],
)
def test_only_what_is_subscribed_is_drawn_and_nothing_twice(
    ros_node, monkeypatch, explained, subscribed, drawn
):
    calls = []
    for draw in (lovi, heat_map, overlay, salient_mask, draw_overview):

        def counted(*arguments, _draw=draw):
            calls.append(_draw.__name__)
            return _draw(*arguments)

        monkeypatch.setattr(outputs_module, draw.__name__, counted)
    listener = Listener(ros_node('listener'), outputs=subscribed)
    publisher = LifecycleNode('publisher', context=listener.node.context)
    try:
        outputs = CameraOutputs(publisher, 'smoe')
        topics = [f'/smoe/{name}' for name in subscribed]
        wait_until(lambda: all(publisher.count_subscribers(topic) for topic in topics))
        wait_until(outputs.watched)
        assert not outputs.mismatches()
        method = Method('', '', '', (0.2,) * 5, ())
        header = image_of(small()).header
        outputs.publish(header, small(), explained, method, DrawingOptions())
        wait_until(lambda: all(listener.came.values()), node=listener.node)
    finally:
        publisher.destroy_node()
    assert sorted(calls) == drawn


# Several cameras, and where the outputs lie


def test_two_cameras_of_different_sizes_are_served_each_its_own_outputs(start_node, ros_node):
    node, direct = ros_node('cameras'), Direct(short_side=64)
    start_node(parameters={**SMALL, 'image_topics': ['front/image_raw', 'rear/image_raw']})
    # The first two sizes lead to one input size of the network: they share a batch.
    front, rear = small(1, 48, 64), small(2, 64, 96)
    cameras = [Camera(node, 'front/image_raw'), Camera(node, 'rear/image_raw')]
    listeners = [Listener(node, 'front/smoe'), Listener(node, 'rear/smoe')]
    for camera, listener, picture in zip(cameras, listeners, (front, rear), strict=True):
        camera.send_until(listener.complete, picture)
        listener.forget()
    for pictures in ((front, rear), (rear, front), (small(3, 96, 64), front)) * 3:
        stamps = [camera.send(picture) for camera, picture in zip(cameras, pictures, strict=True)]
        for listener, picture, stamp in zip(listeners, pictures, stamps, strict=True):
            wait_until(lambda one=listener, stamp=stamp: stamp in one.complete(), node=node)
            got, (expected, _) = listener.of(stamp), direct(picture)
            np.testing.assert_allclose(
                array_of(got['saliency_float']), expected['saliency_float'], atol=1e-3
            )
            assert (got['overlay'].height, got['overlay'].width) == picture.shape[:2]


# How names are resolved is tested in test_topics.py.
@pytest.mark.parametrize(
    ('parameters', 'remappings', 'camera_topic', 'namespace'),
    [
        # Two cameras that were plugged in the wrong way round.
        (
            {'image_topics': ['left/raw', 'right/raw']},
            {'left/raw': 'right/raw', 'right/raw': 'left/raw'},
            *('/left/raw', '/left/smoe'),
        ),
        (
            {'image_topics': ['left_raw', 'right_raw'], 'output_namespaces': ['left', 'right']},
            {},
            *('/right_raw', '/right'),
        ),
    ],
)
def test_outputs_lie_beside_their_camera_or_where_told(
    start_node, ros_node, parameters, remappings, camera_topic, namespace
):
    start_node(parameters={**SMALL, **parameters}, remappings=remappings)
    node = ros_node('camera_and_listener')
    camera = Camera(node, camera_topic)
    listener = Listener(node, namespace, outputs=['saliency', 'contributions'])
    camera.send_until(listener.complete, small())
    assert listener.complete()[-1] in camera.sent
    figures = Diagnostics(node, camera_topic).next()
    assert (figures['input topic'], figures['publishers']) == (camera_topic, '1')
    assert figures.level == b'\x00'


# Compressed images, in and out


def decoded(message):
    """Return a compressed output's pixels, by OpenCV alone: colour as RGB."""
    pixels = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def test_a_compressed_output_shows_what_the_raw_one_shows(running, ros_node):
    outputs = (*ENCODINGS, *COMPRESSED_OUTPUTS)
    listener = Listener(ros_node('listener'), '/street/smoe', outputs)
    wait_until(listener.complete, 40, node=listener.node)
    outputs = listener.of(listener.complete()[0])
    for output, (encoding, _) in ENCODINGS.items():
        raw, packed = outputs[output], outputs[f'{output}/compressed']
        assert packed.header == raw.header
        pixels, expected = decoded(packed), array_of(raw)
        if encoding == 'rgb8':
            assert packed.format == 'rgb8; jpeg compressed bgr8'
            assert np.abs(pixels.astype(int) - expected).mean() < 4
        else:
            codec = {'mono8': 'png', '32FC1': 'tiff'}[encoding]
            assert packed.format.strip() == f'{encoding}; {codec} compressed'
            np.testing.assert_array_equal(pixels, expected)


def compressed(rgb, extension='.png'):
    """Return a picture as image_transport would send it."""
    _, data = cv2.imencode(extension, rgb[..., ::-1])
    image = CompressedImage(data=data.tobytes())
    image.header.frame_id = 'front'
    image.format = f'rgb8; {extension[1:].replace("jpg", "jpeg")} compressed bgr8'
    return image


def test_a_remapped_compressed_camera_is_explained_and_its_bad_frames_cost_themselves(
    start_node, ros_node
):
    """What a bad frame may be is tested in test_compressed_images.py."""
    ros = ros_node('camera')
    start_node(
        parameters={**SMALL, 'image_transport': 'compressed'},
        remappings={'image_raw': '/front/colour'},
    )
    camera = Camera(ros, '/front/colour/compressed', message_type=CompressedImage)
    diagnostics = Diagnostics(ros, '/front/colour')
    listener = Listener(ros, '/front/smoe', outputs=['saliency_float', 'overlay'])
    camera.send_until(listener.complete, compressed(small()), 40)
    outputs = listener.of(listener.complete()[-1])
    expected, _ = Direct(short_side=64)(small())
    saliency = array_of(outputs['saliency_float'])
    np.testing.assert_allclose(saliency, expected['saliency_float'], atol=1e-4)
    assert outputs['overlay'].header.frame_id == 'front'
    camera.send(CompressedImage(format='jpeg', data=b'no image'))
    figures = diagnostics.until(lambda figures: figures.count('rejected') == 1)
    assert figures['input topic'] == '/front/colour/compressed'
    assert 'are no image that is read' in figures.message
    stamp = camera.send(compressed(small(), '.jpg'))
    wait_until(lambda: stamp in listener.complete(), node=ros)
    assert diagnostics.next().count('rejected') == 1
