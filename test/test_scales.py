# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which activations are read: small networks, each with one difficulty of real ones.

Real networks are in test_zoo.py.
"""

from itertools import pairwise

import pytest
import torchvision
from small_networks import down, noise, one_thread, plain  # noqa: F401  # the fixture is autouse
from torch import nn

from smoe_ros.errors import ConfigurationError
from smoe_ros.scales import find_scales, select_scales

NOISE = noise(1, 3, 64, 64)


def scales_of(network):
    return [str(scale) for scale in find_scales(network.eval(), NOISE)]


def test_a_pooled_copy_is_no_scale():
    pooled = nn.Sequential(down(3, 8), nn.ReLU(), nn.MaxPool2d(2))
    network = nn.Sequential(pooled, down(8, 12), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    assert scales_of(network) == ['0.1#0 8×32×32', '2#0 12×8×8']


def test_a_module_that_passes_an_activation_on_does_not_give_it_its_name():
    network = nn.Sequential(down(3, 8), nn.ReLU(), nn.Dropout(), down(8, 12), nn.ReLU())
    assert scales_of(network)[0] == '1#0 8×32×32'


class AddsInPlace(nn.Module):
    """Rectifies, then adds its input in place: what it puts out is signed."""

    def __init__(self, channels, layers):
        super().__init__()
        widths = [channels, *([3 * channels] * (layers - 1)), channels]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(one, other, 1), nn.ReLU()) for one, other in pairwise(widths)
        )

    def forward(self, x):
        y = x
        for layer in self.layers:
            y = layer(y)
        y += x - x.mean()
        return y


def test_a_tensor_that_an_addition_in_place_made_signed_is_not_taken_for_its_activation():
    wide, narrow = AddsInPlace(8, layers=2), AddsInPlace(12, layers=1)
    network = nn.Sequential(down(3, 8), wide, down(8, 12), narrow, nn.AdaptiveAvgPool2d(1))
    assert scales_of(network) == ['1.layers.0#0 24×32×32', '3.layers.0#0 12×16×16']


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'build',
    [
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 16), nn.ReLU()),
        lambda: nn.Sequential(down(3, 8), nn.Sigmoid()),
    ],
    ids=['multilayer_perceptron', 'gates'],
)
def test_a_network_without_rectified_maps_is_refused_and_told_the_way_out(build):
    network = build().eval()
    with pytest.raises(ConfigurationError) as refused:
        find_scales(network, NOISE)
    assert f'no scales found in {type(network).__name__}' in str(refused.value)
    assert 'name the modules to read in scales' in str(refused.value)


@pytest.mark.parametrize(
    ('build', 'attention'),
    [
        (
            lambda: torchvision.models.vit_b_32(image_size=64),
            'encoder.layers.encoder_layer_0.self_',
        ),
        (torchvision.models.swin_t, 'features.1.0.attn'),
        (torchvision.models.maxvit_t, 'window_attention'),
    ],
    ids=['vit', 'swin', 'maxvit'],
)
def test_a_transformer_is_refused_with_the_reason_and_what_to_use(build, attention):
    network = build().eval()
    size = 224 if 'MaxVit' in type(network).__name__ else 64
    with pytest.raises(ConfigurationError) as refused:
        find_scales(network, noise(1, 3, size, size))
    text = str(refused.value)
    assert text.startswith(f"{type(network).__name__} is a transformer: attention ('")
    assert attention in text
    assert 'no activation belongs to one place of the image' in text
    assert 'choose a CNN, such as resnet50' in text


class ChannelAttention(nn.Module):
    """Weighs the channels of a map, as CBAM does; no place learns of another."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        return x * self.gate(x.mean(dim=(2, 3), keepdim=True)).sigmoid()


def test_attention_that_weighs_channels_of_a_map_is_no_transformer():
    network = nn.Sequential(down(3, 8), nn.ReLU(), ChannelAttention(), down(8, 12), nn.ReLU())
    assert scales_of(network) == ['2#0 8×32×32', '4#0 12×16×16']


class AttentionAtTheEnd(nn.Module):
    """A CNN whose deepest map becomes the tokens of a transformer's layer."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(down(3, 16), nn.ReLU(), down(16, 32), nn.ReLU())
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, activation='gelu', batch_first=True)

    def forward(self, x):
        return self.layer(self.cnn(x).flatten(2).transpose(1, 2)).mean(dim=1)


def test_attention_behind_the_deepest_scale_leaves_a_cnn_explainable():
    assert scales_of(AttentionAtTheEnd()) == ['cnn.1#0 16×32×32', 'cnn.3#0 32×16×16']


# --- scales that users name ----------------------------------------------------------------------


@pytest.fixture(scope='module')
def resnet():
    return torchvision.models.resnet18(weights=None).eval()


@pytest.mark.parametrize(
    ('layers', 'scales'),
    [
        (
            ['layer4', 'relu', 'layer2.0.conv1'],
            ['relu#0 64×32×32', 'layer2.0.conv1#0 128×8×8', 'layer4#0 512×2×2'],
        ),
        (['layer3.1.relu'], ['layer3.1.relu#1 256×4×4']),
        (
            ['layer3.1.relu#1', 'layer3.1.relu#0'],
            ['layer3.1.relu#1 256×4×4', 'layer3.1.relu#0 256×4×4'],
        ),
    ],
)
def test_named_scales_come_finest_first_by_the_call_named_or_the_last(resnet, layers, scales):
    assert [str(scale) for scale in select_scales(resnet, NOISE, layers)] == scales


@pytest.mark.parametrize(
    ('layers', 'texts'),
    [
        ([], ["scales is empty; give 'auto' or module paths"]),
        (['layer3.1.rleu'], ["unknown scale (module path) 'layer3.1.rleu'", 'layer3.1.relu']),
        ([''], ["unknown scale (module path) ''"]),
        (['layer3.1.relu#2'], ["call '2' of 'layer3.1.relu' does not exist", 'called 2 times']),
        (['relu#²'], ["call '²' of 'relu' does not exist"]),
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
