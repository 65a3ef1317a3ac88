# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_bag explain: every option of network and method changes what is written."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

import small_networks
import torch
from bags_of_frames import messages_of, write_bag
from rclpy.serialization import deserialize_message
from scripted_network import __file__ as SCRIPTED
from scripted_network import build

from smoe_msgs.msg import ScaleContributions
from smoe_ros.offline.smoe_bag import main

one_thread = small_networks.one_thread

NETWORK = ['--backbone', f'{SCRIPTED}:build', '--short-side', '64', '--outputs', 'contributions']


@pytest.fixture(scope='module')
def explained(tmp_path_factory):
    """Give a function that explains a bag of one frame, and returns its contributions."""
    folder = tmp_path_factory.mktemp('options')
    bag = write_bag(folder / 'in', count=1)

    def run(*options):
        out = folder / f'out_{len(list(folder.iterdir()))}'
        assert main(['explain', str(bag), str(out), *NETWORK, *options]) == 0
        (message,) = messages_of(out, '/smoe/contributions')
        return deserialize_message(message.data, ScaleContributions)

    return run


def of_scales(message, name):
    return [getattr(scale, name) for scale in message.scales]


@pytest.fixture(scope='module')
def plain(explained):
    return explained()


@pytest.mark.parametrize(
    ('name', 'value'), [('statistic', 'channel_mean'), ('normalization', 'min_max')]
)
def test_the_method_that_was_asked_for_is_used_and_named(explained, plain, name, value):
    message = explained(f'--{name}', value)
    assert getattr(message, name) == value
    assert of_scales(message, 'contribution') != of_scales(plain, 'contribution')


def test_scale_weights_are_those_asked_for(explained, plain):
    linear = explained('--scale-weights', 'linear')
    np.testing.assert_allclose(of_scales(plain, 'weight'), [1 / 2, 1 / 2])
    np.testing.assert_allclose(of_scales(linear, 'weight'), [1 / 3, 2 / 3])


def test_only_the_scales_asked_for_are_read(explained):
    assert of_scales(explained('--scales', 'act2'), 'layer') == ['act2']


@pytest.mark.parametrize('option', ['--mean', '--std'])
def test_the_pictures_are_normalised_as_asked_for(explained, plain, option):
    other = explained(option, '0.9,0.1,0.3')
    assert of_scales(other, 'information') != of_scales(plain, 'information')


def test_the_checkpoint_that_was_named_is_used(explained, plain, tmp_path):
    network = build()
    with torch.no_grad():
        network.classifier.bias.copy_(torch.tensor([0.0, 50.0]))
    torch.save(network.state_dict(), tmp_path / 'weights.pt')
    message = explained('--weights', str(tmp_path / 'weights.pt'))
    assert (message.class_id, message.class_probability) == (1, 1.0)
    assert plain.class_probability < 1


def test_classes_have_the_names_of_the_file(explained, tmp_path):
    (tmp_path / 'labels.txt').write_text('left\nright\n')
    message = explained('--labels', str(tmp_path / 'labels.txt'))
    assert message.class_label == ('left', 'right')[message.class_id]


def test_so_many_threads_are_used(explained):
    explained('--threads', '2')
    assert torch.get_num_threads() == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has a CUDA device')
def test_a_device_that_is_not_there_is_refused_in_one_line(tmp_path, capfd):
    bag = write_bag(tmp_path / 'in', count=1)
    assert main(['explain', str(bag), str(tmp_path / 'out'), *NETWORK, '--device', 'cuda']) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "device 'cuda' is not there" in line
    assert [path.name for path in tmp_path.iterdir()] == ['in']
