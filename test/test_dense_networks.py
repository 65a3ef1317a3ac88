# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Of segmentation and detection networks the CNN is explained."""

import pytest
import torch
import torchvision
from small_networks import CAT, one_thread  # noqa: F401
from torchvision.models import detection, segmentation

from smoe_ros.backbones import load_backbone
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer

RESNET = ['relu', 'layer1', 'layer2', 'layer3', 'layer4']
NETWORKS = {
    # Dilated: from the third octave on the resolution stays.
    'fcn_resnet50': ['relu', 'layer1', 'layer4'],
    'deeplabv3_mobilenet_v3_large': ['2.block.0', '4.block.0', '7.block.0', '16'],
    'lraspp_mobilenet_v3_large': ['2.block.0', '4.block.0', '7.block.0', '16'],
    'fasterrcnn_resnet50_fpn': [f'body.{layer}' for layer in RESNET],
    'retinanet_resnet50_fpn': [f'body.{layer}' for layer in RESNET],
    'fcos_resnet50_fpn': [f'body.{layer}' for layer in RESNET],
    'ssdlite320_mobilenet_v3_large': [
        *(f'features.0.{block}' for block in ('2.block.0', '4.block.0', '7.block.0', '13')),
        'features.1.0.1',
        'extra.0',
        'extra.1',
    ],
}


@pytest.mark.parametrize('name', NETWORKS)
def test_the_cnn_is_explained_and_there_are_no_logits(name):
    backbone = load_backbone(name, 'random')
    with Explainer(backbone.model) as explainer:
        explanation = explainer(backbone.preprocess(CAT()).unsqueeze(0))
        assert [scale.layer for scale in explainer.scales] == NETWORKS[name]
    assert explanation.logits is None
    assert explanation.saliency.isfinite().all()
    assert explanation.saliency.std() > 0.01


def test_every_segmentation_and_detection_network_is_of_a_family_that_is_tested():
    families = ('fcn', 'deeplabv3', 'lraspp', 'rcnn', 'retinanet', 'fcos', 'ssd')
    for module in (segmentation, detection):
        for name in torchvision.models.list_models(module=module):
            assert any(family in name for family in families), name


def test_an_ssd_gets_its_own_mean_and_standard_deviation():
    black = load_backbone('ssd300_vgg16', 'random').preprocess(CAT() * 0)
    expected = torch.tensor([-0.48235 * 255, -0.45882 * 255, -0.40784 * 255])
    torch.testing.assert_close(black[:, 0, 0], expected, rtol=1e-5, atol=0)


def test_an_input_too_small_for_an_ssd_is_refused_with_the_way_out():
    backbone = load_backbone('ssd300_vgg16', 'random')
    with pytest.raises(ConfigurationError, match=r'does not run on an input of 3×64×64.*larger'):
        Explainer(backbone.model, input_size=(64, 64))


def test_of_a_checkpoint_only_the_cnn_is_taken(tmp_path):
    """The head may be for other classes than torchvision's."""
    name = 'lraspp_mobilenet_v3_large'
    network = torchvision.models.get_model(
        name, weights=None, weights_backbone=None, num_classes=5
    )
    torch.save(network.state_dict(), tmp_path / 'weights.pth')
    loaded = load_backbone(name, str(tmp_path / 'weights.pth')).model.state_dict()
    expected = network.backbone.state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in loaded.items())


def test_a_class_activation_is_refused_for_want_of_scores():
    backbone = load_backbone('lraspp_mobilenet_v3_large', 'random')
    with pytest.raises(ConfigurationError, match='cam needs a classifier'):
        Explainer(backbone.model, cam='grad_cam')
