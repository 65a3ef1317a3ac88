# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The scales found in the networks that people use are those of the method's table."""

import pytest
import torch
import torchvision
from small_networks import one_thread  # noqa: F401  # the fixture is autouse

from smoe_ros.backbones import load_backbone
from smoe_ros.scales import find_scales

LITE0 = [
    '_blocks.1._swish#0 96×112×112',
    '_blocks.3._swish#0 144×56×56',
    '_blocks.5._swish#0 240×28×28',
    '_blocks.11._swish#0 672×14×14',
    '_swish#1 1280×7×7',
]
NETWORKS = {
    'resnet50': [
        'relu#0 64×112×112',
        'layer1#0 256×56×56',
        'layer2#0 512×28×28',
        'layer3#0 1024×14×14',
        'layer4#0 2048×7×7',
    ],
    'resnet18': [
        'relu#0 64×112×112',
        'layer1#0 64×56×56',
        'layer2#0 128×28×28',
        'layer3#0 256×14×14',
        'layer4#0 512×7×7',
    ],
    'googlenet': [
        'conv1#0 64×112×112',
        'conv3#0 192×56×56',
        'inception3b#0 480×28×28',
        'inception4e#0 832×14×14',
        'inception5b#0 1024×7×7',
    ],
    'inception_v3': [
        'Conv2d_2b_3x3#0 64×109×109',
        'Conv2d_4a_3x3#0 192×52×52',
        'Mixed_5d#0 288×25×25',
        'Mixed_6e#0 768×12×12',
        'Mixed_7c#0 2048×5×5',
    ],
    'regnet_y_400mf': [
        'stem#0 32×112×112',
        'trunk_output.block1#0 48×56×56',
        'trunk_output.block2#0 104×28×28',
        'trunk_output.block3#0 208×14×14',
        'trunk_output.block4#0 440×7×7',
    ],
    'vgg16': [
        'features.3#0 64×224×224',
        'features.8#0 128×112×112',
        'features.15#0 256×56×56',
        'features.22#0 512×28×28',
        'features.29#0 512×14×14',
    ],
    'alexnet': ['features.1#0 64×55×55', 'features.4#0 192×27×27', 'features.11#0 256×13×13'],
    'squeezenet1_1': [
        'features.1#0 64×111×111',
        'features.4#0 128×55×55',
        'features.7#0 256×27×27',
        'features.12#0 512×13×13',
    ],
    'densenet121': [
        'features.relu0#0 64×112×112',
        'features.transition1.relu#0 256×56×56',
        'features.transition2.relu#0 512×28×28',
        'features.transition3.relu#0 1024×14×14',
        'features.denseblock4.denselayer16.relu1#0 992×7×7',
    ],
    'shufflenet_v2_x1_0': [
        'conv1#0 24×112×112',
        'stage2.0.branch2.2#0 58×56×56',
        'stage2#0 116×28×28',
        'stage3#0 232×14×14',
        'conv5#0 1024×7×7',
    ],
    'mobilenet_v2': [
        'features.2.conv.0#0 96×112×112',
        'features.4.conv.0#0 144×56×56',
        'features.7.conv.0#0 192×28×28',
        'features.14.conv.0#0 576×14×14',
        'features.18#0 1280×7×7',
    ],
    'mobilenet_v3_large': [
        'features.2.block.0#0 64×112×112',
        'features.4.block.0#0 72×56×56',
        'features.7.block.0#0 240×28×28',
        'features.13.block.0#0 672×14×14',
        'features.16#0 960×7×7',
    ],
    'efficientnet_b0': [
        'features.2.0.block.0#0 96×112×112',
        'features.3.0.block.0#0 144×56×56',
        'features.4.0.block.0#0 240×28×28',
        'features.6.0.block.0#0 672×14×14',
        'features.8#0 1280×7×7',
    ],
    'mnasnet1_0': [
        'layers.8.0.layers.2#0 48×112×112',
        'layers.9.0.layers.2#0 72×56×56',
        'layers.10.0.layers.2#0 240×28×28',
        'layers.12.0.layers.2#0 576×14×14',
        'layers.16#0 1280×7×7',
    ],
}
# Their own initialisation takes seconds and changes nothing here.
SLOW_INITIALISATION = ('googlenet', 'inception_v3', 'vgg16')


def torchvision_network(name):
    options = {'init_weights': False} if name in SLOW_INITIALISATION else {}
    return torchvision.models.get_model(name, weights=None, **options).eval()


def noise(height=224, width=224):
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def names(network, example):
    return [str(scale) for scale in find_scales(network.eval(), example)]


@pytest.mark.parametrize('name', NETWORKS)
def test_the_scales_of_torchvision_networks_are_those_of_the_method(name):
    assert names(torchvision_network(name), noise()) == NETWORKS[name]


def test_the_scales_of_efficientnet_lite0_are_those_of_the_method():
    assert names(load_backbone().model, noise()) == LITE0


def test_scales_are_the_same_layers_for_other_input_sizes_and_shapes():
    network = torchvision_network('resnet18')
    scales = find_scales(network, noise(160, 288))
    assert [scale.layer for scale in scales] == ['relu', 'layer1', 'layer2', 'layer3', 'layer4']
    assert [(scale.height, scale.width) for scale in scales] == [
        (80, 144),
        (40, 72),
        (20, 36),
        (10, 18),
        (5, 9),
    ]
