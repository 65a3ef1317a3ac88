# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter does something, says what, and changes at run time only if it can."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

import scripted_network
import torch
from forked_nodes import forked_nodes
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import ReliabilityPolicy
from ros_peers import Camera, Diagnostics, Listener, answer_of, array_of, peer, small
from ros_processes import wait_until
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from smoe_ros.backbones import load_backbone
from smoe_ros.messages.encoding import to_compressed
from smoe_ros.node.smoe_parameters import PARAMETERS

BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
OUTPUTS = ('saliency_float', 'overlay', 'mask', 'contributions')
PICTURE = small()
ANOTHER = PICTURE[::-1, ::-1].copy()


class Bench:
    """Starts nodes with some parameters, and shows them one picture."""

    def __init__(self, ros, start, folder):
        self.ros = ros
        self.start = start
        self.folder = folder

    def explained(self, topic='image_raw', namespace='smoe', **parameters):
        """Return node and outputs for the picture, as messages by name."""
        node = self.start(parameters={'short_side': 64, **parameters})
        camera, listener = Camera(self.ros, topic), Listener(self.ros, namespace, OUTPUTS)
        camera.send_until(listener.complete, PICTURE, 40)
        outputs = listener.of(listener.complete()[-1])
        camera.close()
        listener.close()
        return node, outputs

    def saliency(self, **parameters):
        node, outputs = self.explained(**parameters)
        node.stop()
        return array_of(outputs['saliency_float'])


@pytest.fixture
def bench(ros_node, ros_domain, tmp_path):
    with forked_nodes(tmp_path / 'nodes') as start:
        yield Bench(ros_node('bench'), start, tmp_path)


@pytest.fixture(scope='module')
def default(ros_domain, tmp_path_factory):
    """Return the saliency of the picture with every parameter at its default."""
    folder = tmp_path_factory.mktemp('nodes')
    with peer('bench') as ros, forked_nodes(folder) as start:
        return Bench(ros, start, folder).saliency()


def without_network(folder):
    """Return an environment with a proxy that nobody is: no test needs or touches a network."""
    return {
        'TORCH_HOME': str(folder),
        **dict.fromkeys(('https_proxy', 'HTTPS_PROXY', 'http_proxy'), 'http://127.0.0.1:9'),
        **dict.fromkeys(('no_proxy', 'NO_PROXY')),
    }


# What each parameter changes: one function a parameter, named after it.

EFFECTS = {}


def effect(function):
    EFFECTS[function.__name__] = function
    return function


@effect
def image_topics(bench, default):
    bench.explained('front/image_raw', '/front/smoe', image_topics=['front/image_raw'])


@effect
def output_namespaces(bench, default):
    bench.explained('image_raw', '/elsewhere', output_namespaces=['elsewhere'])


@effect
def input_reliability(bench, default):
    bench.explained(input_reliability='best_effort')
    (subscription,) = bench.ros.get_subscriptions_info_by_topic('/image_raw')
    assert subscription.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


@effect
def backbone(bench, default):
    _, outputs = bench.explained(backbone='squeezenet1_1', weights='random')
    assert outputs['contributions'].backbone == 'squeezenet1_1'
    assert len(outputs['contributions'].scales) == 4


@effect
def weights(bench, default):
    assert np.abs(bench.saliency(weights='random') - default).max() > 0.05


@effect
def allow_download(bench, default):
    env = without_network(bench.folder)
    for allowed, text in ((False, 'are not on this machine'), (True, 'could not be downloaded')):
        node = bench.start(
            parameters={'backbone': 'squeezenet1_1', 'allow_download': allowed}, env=env
        )
        assert node.wait(40) == 1, node.report()
        assert text in node.stderr.splitlines()[-1]
        assert 'Traceback' not in node.stderr


@effect
def short_side(bench, default):
    assert default.shape == (64, 96)
    assert bench.saliency(short_side=96).shape == (96, 128)


@effect
def scales(bench, default):
    _, outputs = bench.explained(scales=['_swish', '_blocks.3._swish#0'])
    names = [(scale.layer, scale.call) for scale in outputs['contributions'].scales]
    assert names == [('_blocks.3._swish', 0), ('_swish', 1)]


@effect
def scale_weights(bench, default):
    _, outputs = bench.explained(scale_weights='1, 0, 0, 0, 0')
    shares = [(scale.weight, scale.contribution) for scale in outputs['contributions'].scales]
    np.testing.assert_allclose(shares, [(1, 1), (0, 0), (0, 0), (0, 0), (0, 0)], atol=1e-5)
    assert np.abs(array_of(outputs['saliency_float']) - default).max() > 0.05


@effect
def normalization(bench, default):
    _, outputs = bench.explained(normalization='min_max')
    assert outputs['contributions'].normalization == 'min_max'
    assert np.abs(array_of(outputs['saliency_float']) - default).max() > 0.05


@effect
def statistic(bench, default):
    _, outputs = bench.explained(statistic='channel_max')
    assert outputs['contributions'].statistic == 'channel_max'
    assert np.abs(array_of(outputs['saliency_float']) - default).max() > 0.05


@effect
def cam(bench, default):
    _, outputs = bench.explained(cam='grad_cam', overlay_alpha=1.0)
    saliency = array_of(outputs['saliency_float'])
    assert (saliency <= default + 1e-4).all()
    assert saliency.min() == 0
    # What is drawn shows the class, too: dark where the class is not.
    drawn = array_of(outputs['overlay']).max(axis=2)
    seen = cv2.resize(saliency, drawn.shape[::-1])
    assert drawn[seen < 0.02].max() < 0.2 * drawn[seen > 0.5].mean()


@effect
def target_class(bench, default):
    # The two most probable classes of the picture: classes without evidence are seen nowhere.
    first, second = (bench.saliency(cam='grad_cam', target_class=index) for index in (989, 723))
    assert np.abs(first - second).max() > 0.1


@effect
def mean(bench, default):
    assert np.abs(bench.saliency(mean=[0.0, 0.5, 1.0]) - default).max() > 0.05


@effect
def std(bench, default):
    assert np.abs(bench.saliency(std=[1.0, 0.5, 0.1]) - default).max() > 0.05


@effect
def labels(bench, default):
    path = bench.folder / 'labels.txt'
    path.write_text('\n'.join(f'thing {index}' for index in range(1000)))
    _, outputs = bench.explained(labels=str(path))
    message = outputs['contributions']
    assert message.class_label == f'thing {message.class_id}'


@effect
def overlay_alpha(bench, default):
    _, outputs = bench.explained(overlay_alpha=0.0)
    assert np.array_equal(array_of(outputs['overlay']), PICTURE)


def stamps_of_explained(listener, camera, count=5):
    """Return the stamps of some explained frames of a camera of 20 Hz, in seconds."""
    listener.forget()
    camera.send_until(lambda: len(listener.complete()) >= count, PICTURE, period=0.05)
    return np.array(listener.complete()[:count]) * 1e-9


@effect
def max_rate(bench, default):
    bench.start(parameters={'short_side': 64, 'max_rate': 2.0})
    camera, listener = Camera(bench.ros), Listener(bench.ros, outputs=['contributions'])
    camera.send_until(listener.complete, PICTURE, 40)
    stamps = stamps_of_explained(listener, camera)
    # What waits is the newest frame: at most a camera's period old when its turn comes.
    assert np.diff(stamps).min() > 0.25


@effect
def smoothing_time(bench, default):
    bench.start(parameters={'short_side': 64, 'smoothing_time': 60.0})
    camera, listener = Camera(bench.ros), Listener(bench.ros, outputs=['saliency_float'])
    camera.send_until(listener.complete, ANOTHER, 40)
    stamp = camera.send(PICTURE)
    wait_until(lambda: stamp in listener.complete(), node=bench.ros)
    # After a minute of the other picture's map, as good as nothing of the new one's is seen.
    own, shown = default, array_of(listener.of(stamp)['saliency_float'])
    other = array_of(listener.came['saliency_float'][0])
    assert np.abs(shown - own).max() > 0.05
    assert np.abs(shown - other).max() < 0.05


@effect
def salient_fraction(bench, default):
    mask = array_of(bench.explained(salient_fraction=0.5)[1]['mask'])
    assert np.mean(mask == 255) == pytest.approx(0.5, abs=0.01)


@effect
def device(bench, default):
    node, _ = bench.explained(device='cpu')
    assert Diagnostics(bench.ros).next()['device'] == 'cpu'
    node.stop()
    if not torch.cuda.is_available():
        node, _ = bench.explained(device='cuda')
        assert "device 'cuda' is not there" in node.stderr
        assert 'going on on the CPU in fp32' in node.stderr


@effect
def precision(bench, default):
    _, outputs = bench.explained(precision='bf16')
    difference = np.abs(array_of(outputs['saliency_float']) - default)
    assert difference.max() > 0
    assert difference.mean() < 0.02


@effect
def engine(bench, default):
    pytest.importorskip('onnxscript')
    _, outputs = bench.explained(engine='onnxruntime')
    assert Diagnostics(bench.ros).next()['engine'] == 'onnxruntime'
    assert np.mean(np.abs(array_of(outputs['saliency_float']) - default) > 1e-3) < 0.01


@effect
def image_transport(bench, default):
    node = bench.start(parameters={'short_side': 64, 'image_transport': 'compressed'})
    publisher = bench.ros.create_publisher(CompressedImage, 'image_raw/compressed', 5)
    listener = Listener(bench.ros, outputs=['overlay'])
    image = to_compressed(PICTURE, 'rgb8', Header(), 95)

    def send():
        image.header.stamp = bench.ros.get_clock().now().to_msg()
        publisher.publish(image)

    timer = bench.ros.create_timer(0.1, send)
    wait_until(listener.complete, 40, node=bench.ros)
    bench.ros.destroy_timer(timer)
    assert bench.ros.count_subscribers('/image_raw') == 0
    node.stop()


@effect
def jpeg_quality(bench, default):
    sizes = []
    for quality in (95, 10):
        node = bench.start(parameters={'short_side': 64, 'jpeg_quality': quality})
        camera, listener = Camera(bench.ros), Listener(bench.ros, outputs=['overlay/compressed'])
        camera.send_until(listener.complete, PICTURE, 40)
        sizes.append(len(listener.came['overlay/compressed'][0].data))
        node.stop()
        camera.close()
        listener.close()
    assert sizes[1] < sizes[0] / 2


@effect
def stall_timeout(bench, default):
    bench.explained(stall_timeout=0.5)
    Listener(bench.ros, outputs=['saliency'])
    figures = Diagnostics(bench.ros).until(lambda figures: 'no image for' in figures.message)
    assert figures.level == b'\x01'


@effect
def max_drop_share(bench, default):
    bench.start(parameters={'short_side': 224, 'max_drop_share': 0.0})
    camera, listener = Camera(bench.ros), Listener(bench.ros, outputs=['contributions'])
    diagnostics = Diagnostics(bench.ros)
    camera.send_until(listener.complete, PICTURE, 40)
    timer = bench.ros.create_timer(0.005, lambda: camera.send(PICTURE))
    figures = diagnostics.until(lambda figures: 'are dropped' in figures.message)
    bench.ros.destroy_timer(timer)
    assert figures.level == b'\x01'


@effect
def warm_up_size(bench, default):
    # The first network pass is over these: too many pixels are refused before any frame.
    node = bench.start(parameters={'short_side': 64, 'warm_up_size': [1000, 10]})
    assert node.wait(40) == 1, node.report()
    assert 'cannot warm up: an image of 1000x10 pixels' in node.stderr
    bench.explained(warm_up_size=[160, 120])


@effect
def threads(bench, default):
    def count(number):
        node, _ = bench.explained(short_side=224, threads=number)
        tasks = len(list(Path(f'/proc/{node.pid}/task').iterdir()))
        node.stop()
        return tasks

    assert count(4) >= count(1) + 3


@effect
def autostart(bench, default):
    bench.start(parameters={'autostart': False})
    client = bench.ros.create_client(GetState, '/smoe/get_state')
    wait_until(client.service_is_ready, node=bench.ros)
    answer = answer_of(lambda: client.call_async(GetState.Request()), bench.ros)
    assert answer.current_state.id == State.PRIMARY_STATE_UNCONFIGURED


def test_every_parameter_is_shown_to_have_an_effect():
    assert set(EFFECTS) == set(BY_NAME)


@pytest.mark.parametrize('name', EFFECTS)
def test_changing_a_parameter_changes_what_comes_out(bench, default, name):
    EFFECTS[name](bench, default)


# At run time


class Live:
    """A running node with its defaults, and a client of its parameters."""

    def __init__(self, ros, node, folder):
        self.ros, self.node, self.folder = ros, node, folder
        self.diagnostics = Diagnostics(ros, '/live/image_raw')
        self.client = AsyncParameterClient(ros, '/live/smoe')
        self.camera = Camera(ros, '/live/image_raw')
        self.listener = Listener(ros, '/live/smoe', OUTPUTS)
        wait_until(self.client.services_are_ready, 40, node=ros)
        self.camera.send_until(self.listener.complete, PICTURE, 40)

    def call(self, method, argument):
        answer = getattr(self.client, method)(argument)
        wait_until(answer.done, 90, node=self.ros)  # a network may have to be exported first
        return answer.result()

    def set(self, name, value):
        one = value if isinstance(value, Parameter) else Parameter(name, value=value)
        (result,) = self.call('set_parameters', [one]).results
        return result

    def get(self, name):
        (value,) = self.call('get_parameters', [name]).values
        return parameter_value_to_python(value)

    def explained(self, picture=PICTURE):
        """Return the outputs of a frame that is sent now."""
        stamp = self.camera.send(picture)
        wait_until(lambda: stamp in self.listener.complete(), node=self.ros)
        return self.listener.of(stamp)

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

    def overlay(self):
        return array_of(self.explained()['overlay'])

    def saliency(self):
        return array_of(self.explained()['saliency_float'])


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


def test_overlay_alpha_changes_the_next_frame(live):
    half = live.overlay()
    assert live.set('overlay_alpha', 0.0).successful
    assert np.array_equal(live.overlay(), PICTURE)
    assert live.set('overlay_alpha', 1).successful  # as `ros2 param set` sends it
    heat_map = live.overlay()
    assert live.set('overlay_alpha', 0.5).successful
    assert np.array_equal(live.overlay(), half)
    middle = (PICTURE.astype(float) + heat_map) / 2
    assert np.abs(half - middle).max() <= 1


@pytest.mark.parametrize(
    ('value', 'reason'), [(2.0, 'range'), (float('nan'), 'range'), ('half', 'type')]
)
def test_a_wrong_overlay_alpha_is_refused_with_the_reason(live, value, reason):
    before = live.overlay()
    result = live.set('overlay_alpha', value)
    assert not result.successful
    assert reason in result.reason
    assert np.array_equal(live.overlay(), before)


# Every parameter that may be changed while the node runs, with another value, and what shows it.


def _labels(live):
    path = live.folder / 'labels.txt'
    path.write_text('\n'.join(f'thing {index}' for index in range(1000)))
    return str(path)


def _weights(live):
    path = live.folder / 'weights.pth'
    torch.save(load_backbone('efficientnet_lite0', 'random').model.state_dict(), path)
    return str(path)


def _refuses_other_weights_because(text):
    return lambda live: text in live.set('backbone', 'squeezenet1_1').reason


def _differs(live):
    return np.abs(live.saliency() - live.usual).max() > 0.05


def _contributions(shows):
    return lambda live: shows(live.explained()['contributions'])


def _reliability_of_subscription(live):
    (info,) = live.ros.get_subscriptions_info_by_topic('/live/image_raw')
    return info.qos_profile.reliability


def _thread_count(live):
    live.explained()
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
    'backbone': ('{network}:build', _contributions(lambda message: len(message.scales) == 2)),
    'weights': (_weights, _differs),
    'allow_download': (True, _refuses_other_weights_because('could not be downloaded')),
    'mean': ([0.0, 0.5, 1.0], _differs),
    'std': ([1.0, 0.5, 0.1], _differs),
    'labels': (_labels, _contributions(lambda message: message.class_label.startswith('thing'))),
    'short_side': (96, lambda live: live.saliency().shape == (96, 128)),
    'scales': (['_swish'], _contributions(lambda message: len(message.scales) == 1)),
    'scale_weights': ('0, 0, 1, 0, 0', _differs),
    'statistic': ('channel_max', _differs),
    'normalization': ('min_max', _differs),
    'cam': ('grad_cam', _differs),
    'target_class': (
        1000,
        lambda live: 'the network has classes 0 to 999' in live.set('cam', 'grad_cam').reason,
    ),
    'overlay_alpha': (0.0, lambda live: np.array_equal(live.overlay(), PICTURE)),
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
            np.mean(array_of(live.explained()['mask']) == 255) == pytest.approx(0.5, abs=0.01)
        ),
    ),
    'jpeg_quality': (10, lambda live: len(live.jpeg()) < len(live.usual_jpeg) / 2),
    'stall_timeout': (
        0.1,
        lambda live: 'no image for' in live.diagnostics.next().message,
    ),
    'max_drop_share': (0.0, lambda live: 'are dropped' in live.overloaded().message),
    'device': ('cpu', lambda live: live.diagnostics.next()['device'] == 'cpu'),
    'precision': ('bf16', lambda live: live.diagnostics.next()['precision'] == 'bfloat16'),
    'engine': ('onnxruntime', lambda live: live.diagnostics.next()['engine'] == 'onnxruntime'),
    'threads': (4, lambda live: _thread_count(live) >= live.usual_threads + 2),
}


def test_every_parameter_that_may_change_at_run_time_is_shown_to():
    assert set(LIVE) == {name for name in BY_NAME if BY_NAME[name].runtime}


@pytest.mark.parametrize('name', LIVE)
def test_a_parameter_changes_what_comes_out_while_the_node_runs(live, name):
    value, shows = LIVE[name]
    if callable(value):
        value = value(live)
    elif isinstance(value, str):
        value = value.format(network=Path(scripted_network.__file__).resolve())
    live.usual, live.usual_threads = live.saliency(), _thread_count(live)
    if name == 'jpeg_quality':
        live.usual_jpeg = live.jpeg()
    if name == 'max_drop_share':
        assert 'are dropped' not in live.overloaded().message
    former = live.get(name)
    if name not in ('allow_download', 'target_class', 'device', 'input_reliability'):
        with pytest.raises(AssertionError):
            wait_until(lambda: shows(live), 0.3, node=live.ros)
    result = live.set(name, value)
    assert result.successful, result.reason
    assert live.get(name) == value
    wait_until(lambda: shows(live), node=live.ros)
    if former == []:
        former = Parameter(name, Parameter.Type.DOUBLE_ARRAY, [])
    assert live.set(name, former).successful
    # With its old value everything is as it was.
    live.camera.send_until(live.listener.complete, PICTURE)
    wait_until(lambda: np.allclose(live.saliency(), live.usual, atol=1e-5), node=live.ros)


# What must come with the very next frame.
CHANGES = {
    'statistic': ('channel_max', lambda message: message.statistic == 'channel_max'),
    'normalization': ('min_max', lambda message: message.normalization == 'min_max'),
    'scale_weights': ('0, 0, 1, 0, 0', lambda message: message.scales[2].weight == 1),
    'cam': ('grad_cam', lambda message: True),
}


@pytest.mark.parametrize('name', CHANGES)
def test_the_method_changes_with_the_next_frame_and_back(live, name):
    value, shows = CHANGES[name]
    before, former = live.saliency(), live.get(name)
    assert live.set(name, value).successful
    outputs = live.explained()
    assert shows(outputs['contributions'])
    assert np.abs(array_of(outputs['saliency_float']) - before).max() > 0.05
    assert live.set(name, former).successful
    np.testing.assert_allclose(live.saliency(), before, atol=1e-6)


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


def test_the_salient_fraction_changes_with_the_next_frame(live):
    for fraction in (0.5, 0.1):
        assert live.set('salient_fraction', fraction).successful
        mask = array_of(live.explained()['mask'])
        assert np.mean(mask == 255) == pytest.approx(fraction, abs=0.01)


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('scale_weights', '1, 2', '2 scale weights given for 5 scales'),
        ('scale_weights', 'priors', "unknown scale weights 'priors'; did you mean prior"),
        ('statistic', 'smoe', 'smoe_scale'),
        ('target_class', -2, 'range'),
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
    assert live.set('std', Parameter('std', Parameter.Type.DOUBLE_ARRAY, [])).successful


def test_the_rate_may_be_limited_and_freed_at_run_time(live):
    assert live.set('max_rate', 2.0).successful
    live.explained()
    assert np.diff(stamps_of_explained(live.listener, live.camera)).min() > 0.25
    assert live.set('max_rate', 0.0).successful
    live.explained()
    assert np.diff(stamps_of_explained(live.listener, live.camera)).min() < 0.25


@pytest.mark.parametrize('name', [name for name in BY_NAME if not BY_NAME[name].runtime])
def test_what_cannot_change_at_run_time_is_refused_with_the_reason(live, name):
    before = live.get(name)
    other = not before if isinstance(before, bool) else [320, 240]
    if BY_NAME[name].scalar_type is str:
        other = ['other']
    result = live.set(name, other)
    assert not result.successful
    assert 'read-only' in result.reason
    assert live.get(name) == before


def test_every_parameter_is_described_as_it_is_declared(live):
    descriptors = live.call('describe_parameters', list(BY_NAME)).descriptors
    for parameter, descriptor in zip(PARAMETERS, descriptors, strict=True):
        assert descriptor.name == parameter.name
        assert descriptor.description == parameter.description != ''
        assert descriptor.read_only != parameter.runtime
        ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
        assert bool(ranges) == (parameter.minimum is not None)
        for one in ranges:
            assert (one.from_value, one.to_value) == (parameter.minimum, parameter.maximum)
        assert bool(descriptor.additional_constraints) == bool(parameter.choices)


def test_a_misspelt_parameter_is_pointed_out(bench):
    node, _ = bench.explained(overlay_alfa=0.25)
    assert "'overlay_alfa' is unknown and has no effect; did you mean 'overlay_alpha'?" in (
        node.stderr
    )


def test_qos_of_an_output_can_be_overridden_by_the_standard_parameters(bench):
    override = 'qos_overrides./smoe/overlay.publisher.reliability'
    bench.start(parameters={'short_side': 64, override: 'best_effort'})
    (publisher,) = wait_until(lambda: bench.ros.get_publishers_info_by_topic('/smoe/overlay'), 40)
    assert publisher.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
