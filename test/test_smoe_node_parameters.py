# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter does something, says what, and changes at run time only if it can."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from forked_nodes import forked_nodes
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import ReliabilityPolicy
from ros_peers import Camera, Diagnostics, Listener, answer_of, array_of, peer, small
from ros_processes import wait_until
from std_srvs.srv import SetBool

from smoe_ros.node.smoe_parameters import PARAMETERS

BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
OUTPUTS = ('saliency_float', 'overlay', 'mask', 'contributions')
PICTURE = small()


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
    # A proxy that nobody is: the test neither needs nor touches a network.
    env = {
        'TORCH_HOME': str(bench.folder),
        **dict.fromkeys(('https_proxy', 'HTTPS_PROXY', 'http_proxy'), 'http://127.0.0.1:9'),
        **dict.fromkeys(('no_proxy', 'NO_PROXY')),
    }
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
def salient_fraction(bench, default):
    mask = array_of(bench.explained(salient_fraction=0.5)[1]['mask'])
    assert np.mean(mask == 255) == pytest.approx(0.5, abs=0.01)


@effect
def device(bench, default):
    bench.explained(device='cpu')
    assert Diagnostics(bench.ros).next()['device'] == 'cpu'
    node = bench.start(parameters={'device': 'cuda:99'})
    assert node.wait(40) == 1, node.report()
    assert "device 'cuda:99' is not there" in node.stderr


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

    def __init__(self, ros):
        self.ros = ros
        self.client = AsyncParameterClient(ros, '/live/smoe')
        self.camera = Camera(ros, '/live/image_raw')
        self.listener = Listener(ros, '/live/smoe', OUTPUTS)
        wait_until(self.client.services_are_ready, 40, node=ros)
        self.camera.send_until(self.listener.complete, PICTURE, 40)

    def call(self, method, argument):
        answer = getattr(self.client, method)(argument)
        wait_until(answer.done, node=self.ros)
        return answer.result()

    def set(self, name, value):
        (result,) = self.call('set_parameters', [Parameter(name, value=value)]).results
        return result

    def get(self, name):
        (value,) = self.call('get_parameters', [name]).values
        return parameter_value_to_python(value)

    def explained(self):
        """Return the outputs of a frame that is sent now."""
        stamp = self.camera.send(PICTURE)
        wait_until(lambda: stamp in self.listener.complete(), node=self.ros)
        return self.listener.of(stamp)

    def overlay(self):
        return array_of(self.explained()['overlay'])

    def saliency(self):
        return array_of(self.explained()['saliency_float'])


@pytest.fixture(scope='module')
def live(ros_domain, tmp_path_factory):
    with peer('bench') as ros, forked_nodes(tmp_path_factory.mktemp('nodes')) as start:
        # It outlives the tests that use it, so it keeps to a ROS namespace of its own.
        start(parameters={'short_side': 64}, remappings={'__ns': '/live'})
        yield Live(ros)


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


# Another value of each parameter that may change, and what must come with the next frame.
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


def test_the_rate_may_be_limited_and_freed_at_run_time(live):
    assert live.set('max_rate', 2.0).successful
    live.explained()
    assert np.diff(stamps_of_explained(live.listener, live.camera)).min() > 0.25
    assert live.set('max_rate', 0.0).successful
    live.explained()
    assert np.diff(stamps_of_explained(live.listener, live.camera)).min() < 0.25


def test_disabled_the_node_drops_frames_until_it_is_enabled(live):
    client = live.ros.create_client(SetBool, '/live/smoe/enable')
    wait_until(client.service_is_ready, 40, node=live.ros)

    def enable(value):
        answer = answer_of(lambda: client.call_async(SetBool.Request(data=value)), live.ros)
        assert answer.success

    diagnostics = Diagnostics(live.ros, '/live/image_raw')
    enable(False)
    before = diagnostics.next()
    stamps = [live.camera.send(PICTURE) for _ in range(3)]
    figures = diagnostics.until(
        lambda now: now.count('dropped') >= before.count('dropped') + len(stamps)
    )
    assert figures.count('explained') == before.count('explained')
    enable(True)
    live.explained()
    assert not set(stamps) & set(live.listener.complete())
    live.ros.destroy_client(client)


@pytest.mark.parametrize('name', [name for name in BY_NAME if not BY_NAME[name].runtime])
def test_what_cannot_change_at_run_time_is_refused_with_the_reason(live, name):
    before = live.get(name)
    other = {bool: not before, int: 96, str: 'other', list: ['other']}[type(BY_NAME[name].default)]
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
