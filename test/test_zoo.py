# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every torchvision classifier that is a CNN is explained, at an input that is not square."""

import math

import pytest
import torch
from small_networks import one_thread  # noqa: F401  # the fixture is autouse
from torch import nn

from smoe_ros.backbones import load_backbone
from smoe_ros.backbones.torchvision_zoo import classifier_names
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer

HEIGHT, WIDTH = 96, 160
TRANSFORMERS = ('vit', 'swin', 'maxvit')
NETWORKS = [name for name in classifier_names() if not name.startswith(TRANSFORMERS)]
FAMILIES = (
    'alexnet',
    'convnext',
    'densenet',
    'efficientnet_b',
    'efficientnet_v2',
    'googlenet',
    'inception_v3',
    'mnasnet',
    'mobilenet_v2',
    'mobilenet_v3',
    'regnet_x',
    'regnet_y',
    'resnet',
    'resnext',
    'shufflenet_v2',
    'squeezenet',
    'vgg',
    'wide_resnet',
)
HEADS = ('classifier', 'fc', 'head', 'aux', 'AuxLogits', 'avgpool')
NO_SCALES = (
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.ZeroPad2d,
    nn.Linear,
    nn.Dropout,
)
# Hundreds of megabytes of weights: leave them out with -m 'not slow'.
SLOW = ('regnet_y_128gf', 'convnext_large', 'wide_resnet101_2', 'efficientnet_v2_l')
RESNET = ['relu', 'layer1', 'layer2', 'layer3', 'layer4']


@pytest.fixture(scope='module')
def frame():
    return torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    'name',
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in NETWORKS],
)
def test_a_cnn_has_a_scale_an_octave_and_a_finite_explanation(name, frame):
    model = load_backbone(name, 'random').model
    with Explainer(model, input_size=(HEIGHT, WIDTH)) as explainer:
        explanation, scales = explainer(frame), explainer.scales
    octaves = [
        round(math.log2(HEIGHT * WIDTH / (scale.height * scale.width)) / 2) for scale in scales
    ]
    assert len(scales) >= 3
    assert octaves == list(range(octaves[0], octaves[0] + len(scales)))
    for scale in scales:
        assert not scale.layer.startswith(HEADS)
        assert not isinstance(model.get_submodule(scale.layer), NO_SCALES)
        assert abs(scale.width / scale.height - WIDTH / HEIGHT) < 0.5
    if 'resn' in name:  # ResNet, ResNeXt and Wide ResNet: the paper's own
        assert [scale.layer for scale in scales] == RESNET
    assert explanation.saliency.isfinite().all()
    assert explanation.saliency.std() > 0.01
    torch.testing.assert_close(explanation.contributions.sum(), torch.tensor(1.0))


def test_every_family_is_there():
    for family in FAMILIES:
        assert any(name.startswith(family) for name in NETWORKS), family
    strangers = [name for name in NETWORKS if not name.startswith(FAMILIES)]
    assert not strangers, 'a new family of torchvision: look at its scales and name it here'


@pytest.mark.parametrize('name', ['vit_b_32', 'swin_t', 'maxvit_t'])
def test_a_transformer_is_refused(name):
    model = load_backbone(name, 'random').model
    with pytest.raises(ConfigurationError, match='is a transformer: attention'):
        Explainer(model)
