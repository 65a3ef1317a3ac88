# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter does something, says what, and changes at run time only if it can."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

import torch
from forked_nodes import forked_nodes
from rclpy.qos import ReliabilityPolicy
from ros_peers import Listener, Stream, array_of, peer, small
from ros_processes import wait_until
from scripted_network import NETWORK

from smoe_ros.backbones import load_backbone
from smoe_ros.options.option import options_of
from smoe_ros.options.parameters import NodeOptions

OPTIONS = options_of(NodeOptions)
OUTPUTS = ('saliency_float', 'overlay', 'mask', 'contributions')
PICTURE = small()
ANOTHER = PICTURE[::-1, ::-1].copy()


def write_labels(folder):
    path = folder / 'labels.txt'
    path.write_text('\n'.join(f'thing {index}' for index in range(1000)))
    return str(path)


# At start


def test_what_is_given_at_start_holds_from_the_first_frame_and_the_misspelt_is_told(
    start_node, ros_node, tmp_path
):
    parameters = {
        'short_side': 96,
        'scales': ['_swish', '_blocks.3._swish#0'],
        'scale_weights': '1, 0',
        'statistic': 'channel_mean',
        'normalization': 'gamma_cdf',
        'labels': write_labels(tmp_path),
        'overlay_alpha': 0.0,
        'salient_fraction': 0.5,
        'overlay_alfa': 0.25,
    }
    node = start_node(parameters=parameters)
    stream = Stream(ros_node('bench'), node, outputs=OUTPUTS)
    outputs = stream.listener.of(stream.listener.complete()[0])
    message = outputs['contributions']
    shown = [(scale.layer, scale.call, scale.weight) for scale in message.scales]
    assert shown == [('_blocks.3._swish', 0, 1.0), ('_swish', 1, 0.0)]
    assert (message.statistic, message.normalization) == ('channel_mean', 'gamma_cdf')
    assert message.class_label == f'thing {message.class_id}'
    assert array_of(outputs['saliency_float']).shape == (96, 128)
    assert np.array_equal(array_of(outputs['overlay']), PICTURE)
    assert np.mean(array_of(outputs['mask']) == 255) == pytest.approx(0.5, abs=0.01)
    assert "'overlay_alfa' is unknown and has no effect; did you mean 'overlay_alpha'?" in (
        node.stderr
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has a CUDA device')
def test_without_the_device_asked_for_the_node_warns_and_goes_on_on_the_cpu(start_node):
    node = start_node(parameters={'short_side': 64, 'device': 'cuda'})
    node.wait_for_text('is explained under', 40)
    assert "device 'cuda' is not there" in node.stderr
    assert 'going on on the CPU in fp32' in node.stderr


# At run time


def stamps_of_explained(listener, camera, count=5):
    """Return the stamps of some explained frames of a camera of 20 Hz, in seconds."""
    listener.forget()
    camera.send_until(lambda: len(listener.complete()) >= count, PICTURE, period=0.05)
    return np.array(listener.complete()[:count]) * 1e-9


def without_network(folder):
    """Return an environment with a proxy that nobody is: no test needs or touches a network."""
    return {
        'TORCH_HOME': str(folder),
        **dict.fromkeys(('https_proxy', 'HTTPS_PROXY', 'http_proxy'), 'http://127.0.0.1:9'),
        **dict.fromkeys(('no_proxy', 'NO_PROXY')),
    }


class Live(Stream):
    """The stream of a running node with its defaults."""

    def __init__(self, ros, node, folder):
        super().__init__(ros, node, '/live', OUTPUTS)
        self.folder = folder

    def jpeg(self):
        """Return an overlay's JPEG file."""
        listener = Listener(self.ros, '/live/smoe', ['overlay/compressed'])
        self.camera.send_until(listener.complete, PICTURE)
        listener.close()
        return listener.came['overlay/compressed'][0].data

    def overloaded(self):
        """Return the figures after a second of more frames than the node can explain."""
        timer = self.ros.create_timer(0.005, lambda: self.camera.send(PICTURE))
        wait_until(self.diagnostics.next, node=self.ros)
        figures = self.diagnostics.next()
        self.ros.destroy_timer(timer)
        return figures

    def remember(self):
        """Look how it is before a parameter changes."""
        self.usual, self.usual_threads = self.saliency(), _thread_count(self)
        self.usual_jpeg = self.jpeg()

    def saliency(self):
        return array_of(self.explained(PICTURE)['saliency_float'])


@pytest.fixture(scope='module')
def live(ros_domain, tmp_path_factory):
    folder = tmp_path_factory.mktemp('nodes')
    with peer('bench') as ros, forked_nodes(folder) as start:
        # It outlives the tests that use it, so it keeps to a ROS namespace of its own.
        node = start(
            parameters={'short_side': 64},
            remappings={'__ns': '/live'},
            env=without_network(folder),
        )
        yield Live(ros, node, folder)


# Every parameter that may be changed while the node runs, with another value, and what shows it.


def _weights(live):
    path = live.folder / 'weights.pth'
    torch.save(load_backbone('efficientnet_lite0', 'random').model.state_dict(), path)
    return str(path)


def _refuses_other_weights_because(text):
    return lambda live: text in live.set('backbone', 'squeezenet1_1').reason


def _differs(live):
    return np.abs(live.saliency() - live.usual).max() > 0.05


def _differs_and(shows):
    """Whether a frame is explained in another way, and its message says so."""

    def differs(live):
        outputs = live.explained(PICTURE)
        changed = np.abs(array_of(outputs['saliency_float']) - live.usual).max() > 0.05
        return changed and shows(outputs['contributions'])

    return differs


def _contributions(shows):
    return lambda live: shows(live.explained(PICTURE)['contributions'])


def _reliability_of_subscription(live):
    (info,) = live.ros.get_subscriptions_info_by_topic('/live/image_raw')
    return info.qos_profile.reliability


def _thread_count(live):
    live.explained(PICTURE)
    return len(list(Path(f'/proc/{live.node.pid}/task').iterdir()))


LIVE = {
    'input_reliability': (
        'best_effort',
        lambda live: _reliability_of_subscription(live) == ReliabilityPolicy.BEST_EFFORT,
    ),
    'image_transport': (
        'compressed',
        lambda live: live.ros.count_subscribers('/live/image_raw/compressed') == 1,
    ),
    'backbone': (NETWORK, _contributions(lambda message: message.backbone == NETWORK)),
    'weights': (_weights, _differs),
    'allow_download': (True, _refuses_other_weights_because('could not be downloaded')),
    'mean': ([0.0, 0.5, 1.0], _differs),
    'std': ([1.0, 0.5, 0.1], _differs),
    'labels': (
        lambda live: write_labels(live.folder),
        _contributions(lambda message: message.class_label == f'thing {message.class_id}'),
    ),
    'short_side': (96, lambda live: live.saliency().shape == (96, 128)),
    'scales': (['_swish'], _contributions(lambda message: len(message.scales) == 1)),
    'scale_weights': (
        '0, 0, 1, 0, 0',
        _differs_and(lambda message: message.scales[2].weight == 1),
    ),
    'statistic': (
        'channel_max',
        _differs_and(lambda message: message.statistic == 'channel_max'),
    ),
    'normalization': (
        'min_max',
        _differs_and(lambda message: message.normalization == 'min_max'),
    ),
    'cam': ('grad_cam', _differs),
    'target_class': (
        1000,
        lambda live: 'the network has classes 0 to 999' in live.set('cam', 'grad_cam').reason,
    ),
    'overlay_alpha': (
        0.0,
        lambda live: np.array_equal(array_of(live.explained(PICTURE)['overlay']), PICTURE),
    ),
    'max_rate': (
        2.0,
        lambda live: np.diff(stamps_of_explained(live.listener, live.camera)).min() > 0.25,
    ),
    'smoothing_time': (
        60.0,
        lambda live: (live.explained(ANOTHER), _differs(live))[1],
    ),
    'salient_fraction': (
        0.5,
        lambda live: (
            np.mean(array_of(live.explained(PICTURE)['mask']) == 255)
            == pytest.approx(0.5, abs=0.01)
        ),
    ),
    'jpeg_quality': (10, lambda live: len(live.jpeg()) < len(live.usual_jpeg) / 2),
    'stall_timeout': (
        0.1,
        lambda live: 'no image for' in live.diagnostics.next().message,
    ),
    'max_drop_share': (0.0, lambda live: 'are dropped' in live.overloaded().message),
    'device': ('cpu', lambda live: live.diagnostics.next()['device'] == 'cpu'),
    'precision': (
        'bf16',
        lambda live: (
            live.diagnostics.next()['precision'] == 'bfloat16'
            and 0 < np.abs(live.saliency() - live.usual).mean() < 0.02
        ),
    ),
    'engine': (
        'onnxruntime',
        lambda live: (
            live.diagnostics.next()['engine'] == 'onnxruntime'
            and np.mean(np.abs(live.saliency() - live.usual) > 1e-3) < 0.01
        ),
    ),
    'threads': (4, lambda live: _thread_count(live) >= live.usual_threads + 2),
}


# What says how a frame is explained or drawn counts from the very next one.
NEXT_FRAME = ('scale_weights', 'statistic', 'normalization', 'cam', 'overlay_alpha')
# With the default, too, the camera or the machine may lead to what shows these.
SHOWN_ANYWAY = ('target_class', 'device', 'input_reliability')
# Threads that were started stay, and shares are those of the last ten seconds.
LASTING = ('threads', 'max_drop_share')


def test_every_parameter_is_shown_to_have_an_effect():
    assert set(LIVE) == {name for name in OPTIONS if OPTIONS[name].runtime}
    # Tested in test_smoe_node.py, test_smoe_node_faults.py and test_smoe_node_lifecycle.py.
    read_only = {'image_topics', 'output_namespaces', 'warm_up_size', 'autostart'}
    assert read_only == set(OPTIONS) - set(LIVE)


@pytest.mark.parametrize('name', LIVE)
def test_a_parameter_changes_what_comes_out_while_the_node_runs_and_back(live, name):
    value, shows = LIVE[name]
    if callable(value):
        value = value(live)
    live.remember()
    former = live.get(name)
    if name not in SHOWN_ANYWAY:
        assert not shows(live)
    result = live.set(name, value)
    assert result.successful, result.reason
    assert live.get(name) == value
    assert shows(live) if name in NEXT_FRAME else wait_until(lambda: shows(live), node=live.ros)
    assert live.set(name, former).successful
    live.listener.forget()  # what comes now, comes by a subscription that is there again
    live.camera.send_until(live.listener.complete, PICTURE)
    wait_until(lambda: np.allclose(live.saliency(), live.usual, atol=1e-5), node=live.ros)
    if name not in (*SHOWN_ANYWAY, *LASTING):
        wait_until(lambda: not shows(live), node=live.ros)


def test_what_is_drawn_shows_the_class(live):
    live.remember()
    assert live.set('cam', 'grad_cam').successful
    assert live.set('overlay_alpha', 1).successful  # as `ros2 param set` sends it
    outputs = live.explained(PICTURE)
    assert live.set('overlay_alpha', 0.5).successful
    assert live.set('cam', 'none').successful
    saliency = array_of(outputs['saliency_float'])
    assert (saliency <= live.usual + 1e-4).all()
    assert saliency.min() == 0
    # Dark where the class is not.
    drawn = array_of(outputs['overlay']).max(axis=2)
    seen = cv2.resize(saliency, drawn.shape[::-1])
    assert drawn[seen < 0.02].max() < 0.2 * drawn[seen > 0.5].mean()


def test_the_target_class_changes_with_the_next_frame(live):
    assert live.set('cam', 'grad_cam').successful
    maps = []
    for index in (989, 723):  # the picture's two most probable classes
        assert live.set('target_class', index).successful
        maps.append(live.saliency())
    assert np.abs(maps[0] - maps[1]).max() > 0.1
    result = live.set('target_class', 1000)
    assert 'the network has classes 0 to 999' in result.reason
    assert live.set('cam', 'none').successful
    assert live.set('target_class', -1).successful


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('scale_weights', '1, 2', '2 scale weights given for 5 scales'),
        ('scale_weights', 'priors', "unknown scale weights 'priors'; did you mean prior"),
    ],
)
def test_a_method_that_cannot_be_is_refused_with_the_reason_and_changes_nothing(
    live, name, value, reason
):
    before, former = live.saliency(), live.get(name)
    result = live.set(name, value)
    assert not result.successful
    assert reason in result.reason
    assert live.get(name) == former
    np.testing.assert_allclose(live.saliency(), before, atol=1e-6)


def test_an_average_over_time_holds_nothing_of_another_network(live):
    assert live.set('smoothing_time', 60.0).successful
    live.explained(ANOTHER)
    assert live.set('std', [1.0, 0.5, 0.1]).successful
    first = live.saliency()
    assert live.set('smoothing_time', 0.0).successful
    np.testing.assert_allclose(first, live.saliency(), atol=1e-5)
    assert live.set('std', []).successful
