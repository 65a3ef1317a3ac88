# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The networks that people use are explained, at the scales that docs/backbones.md lists."""

import re
from pathlib import Path

import pytest
import torch
import torchvision
from small_networks import CAT, noise, one_thread  # noqa: F401  # the fixture is autouse

from smoe_ros.backbones import load_backbone
from smoe_ros.backbones.torchvision_zoo import classifier_names
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer

TRANSFORMERS = ('vit', 'swin', 'maxvit')
CLASSIFIERS = [name for name in classifier_names() if not name.startswith(TRANSFORMERS)]
DENSE = [
    'fcn_resnet50',
    'deeplabv3_mobilenet_v3_large',
    'lraspp_mobilenet_v3_large',
    'fasterrcnn_resnet50_fpn',
    'retinanet_resnet50_fpn',
    'fcos_resnet50_fpn',
    'ssd300_vgg16',
    'ssdlite320_mobilenet_v3_large',
]
# Hundreds of megabytes of weights: leave them out with -m 'not slow'.
SLOW = ('regnet_y_128gf', 'convnext_large', 'wide_resnet101_2', 'efficientnet_v2_l')
TABLE = (Path(__file__).parents[1] / 'docs' / 'backbones.md').read_text(encoding='utf-8')


def documented(name):
    """Return the side of the input, and the scales of a network at that input."""
    (text,) = re.findall(rf'^\| `{name}` \|.*\| (.*) \|$', TABLE, re.MULTILINE)
    side, scales = re.fullmatch(r'(?:at (\d+)×\1: )?(.*)', text).groups()
    return int(side or 224), scales


@pytest.mark.parametrize(
    'name',
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in ('efficientnet_lite0', *CLASSIFIERS, *DENSE)
    ],
)
def test_a_cnn_has_the_scales_of_the_documentation_and_a_finite_explanation(name):
    side, scales = documented(name)
    with Explainer(load_backbone(name, 'random').model, input_size=(side, side)) as explainer:
        described = [f'`{s.layer}#{s.call}` {s.height}²×{s.channels}' for s in explainer.scales]
        assert ', '.join(described) == scales
        # An input that is not square, and smaller.
        height, width = (96, 160) if side == 224 else (side, side + 64)
        explanation = explainer(noise(1, 3, height, width))
        for scale in explainer.scales[:-2]:  # of the last ones not much is left
            assert abs(scale.width / scale.height - width / height) < 0.5
    assert (explanation.logits is None) == (name in DENSE)
    assert explanation.saliency.isfinite().all()
    assert explanation.saliency.std() > 0.01
    torch.testing.assert_close(explanation.contributions.sum(), torch.tensor(1.0))


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
