# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Activations that the user names: which are read, and which names are refused in which words."""

import pytest
import torch
import torchvision
from small_networks import one_thread, plain  # noqa: F401  # the fixture is autouse
from torch import nn

from smoe_ros.errors import ConfigurationError
from smoe_ros.scales import select_scales

NOISE = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='module')
def resnet():
    return torchvision.models.resnet18(weights=None).eval()


def selected(network, *layers):
    return [str(scale) for scale in select_scales(network, NOISE, layers)]


def test_scales_given_by_module_path_come_back_finest_first(resnet):
    assert selected(resnet, 'layer4', 'relu', 'layer2.0.conv1') == [
        'relu#0 64×32×32',
        'layer2.0.conv1#0 128×8×8',
        'layer4#0 512×2×2',
    ]


def test_without_a_number_the_last_call_of_a_module_is_taken(resnet):
    assert selected(resnet, 'layer3.1.relu') == ['layer3.1.relu#1 256×4×4']


def test_a_number_picks_the_call(resnet):
    assert selected(resnet, 'layer3.1.relu#0') == ['layer3.1.relu#0 256×4×4']
    assert selected(resnet, 'layer3.1.relu#1', 'layer3.1.relu#0') == [
        'layer3.1.relu#1 256×4×4',
        'layer3.1.relu#0 256×4×4',
    ]


@pytest.mark.parametrize(
    ('layers', 'texts'),
    [
        ([], ["scales is empty; give 'auto' or module paths"]),
        (['layer3.1.rleu'], ["unknown scale (module path) 'layer3.1.rleu'", 'layer3.1.relu']),
        (['layer5'], ["'layer5'; did you mean", 'layer4']),
        ([''], ["unknown scale (module path) ''"]),
        (['layer3.1.relu#2'], ["call '2' of 'layer3.1.relu' does not exist", 'called 2 times']),
        (['relu#-1'], ["call '-1' of 'relu' does not exist", 'called 1 times']),
        (['relu#²'], ["call '²' of 'relu' does not exist"]),
        (['relu#last'], ["call 'last' of 'relu' does not exist"]),
        (['layer4', 'relu', 'layer4'], ["scale 'layer4#0' is given 2 times"]),
        (['layer3.1.relu', 'layer3.1.relu#1'], ["scale 'layer3.1.relu#1' is given 2 times"]),
        (['relu', 'fc'], ["scale 'fc': the output of 'fc' is no map of shape (B, C, H, W)"]),
        (['avgpool'], ["the output of 'avgpool' is no map"]),
    ],
    ids=lambda value: '+'.join(value)[:40] if value else 'none',
)
def test_a_wrong_choice_is_refused_with_the_name_and_what_is_right(resnet, layers, texts):
    with pytest.raises(ConfigurationError) as refused:
        select_scales(resnet, NOISE, layers)
    for text in texts:
        assert text in str(refused.value)


def test_a_module_that_the_forward_pass_never_calls_is_refused():
    network = plain()
    network.unused = nn.ReLU()
    with pytest.raises(ConfigurationError, match="the forward pass never calls 'unused'"):
        select_scales(network, NOISE, ['unused'])
