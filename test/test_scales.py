# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which activations are read: small networks, each with one difficulty of real ones.

Real networks are in test_zoo.py.
"""

from itertools import pairwise

import pytest
import torch.nn.functional as F
import torchvision
from small_networks import Plain, down, noise, one_thread, plain  # noqa: F401  # the fixture is autouse
from torch import nn

from smoe_ros.errors import ConfigurationError
from smoe_ros.scales import find_scales, select_scales

NOISE = noise(1, 3, 64, 64)


def scales_of(network):
    return [str(scale) for scale in find_scales(network.eval(), NOISE)]


class FunctionalBlock(nn.Module):
    def __init__(self, channels_in, channels_out, inplace):
        super().__init__()
        self.conv = down(channels_in, channels_out)
        self.inplace = inplace

    def forward(self, x):
        return F.relu(self.conv(x), inplace=self.inplace)


@pytest.mark.parametrize('inplace', [False, True])
def test_a_rectifier_called_as_a_function_is_found_at_the_block_around_it(inplace):
    network = nn.Sequential(FunctionalBlock(3, 8, inplace), FunctionalBlock(8, 12, inplace))
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5))
    assert scales_of(nn.Sequential(network, head)) == ['0.0#0 8×32×32', '0.1#0 12×16×16']


class FunctionalOnTheTrunk(nn.Module):
    """A rectifier in place, outside of every module: no hook sees its result."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = down(3, 8), down(8, 12)

    def forward(self, x):
        return F.relu_(self.conv2(F.relu_(self.conv1(x)))).mean(dim=(2, 3))


def test_a_convolution_before_a_rectifier_is_not_taken_for_an_activation():
    with pytest.raises(ConfigurationError, match='no scales found in FunctionalOnTheTrunk'):
        find_scales(FunctionalOnTheTrunk(), NOISE)


class GatedBlock(nn.Module):
    """Squeeze and excite: the gate is wide, rectified, and pooled from the block's own map."""

    def __init__(self, cells):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
        self.pool, self.squeeze, self.gate_relu = (
            nn.AdaptiveAvgPool2d(cells),
            nn.Conv2d(8, 64, 1),
            nn.ReLU(),
        )
        self.expand, self.gate = nn.Conv2d(64, 8, 1), nn.Sigmoid()

    def forward(self, x):
        x = self.relu(self.conv(x))
        weight = self.gate(self.expand(self.gate_relu(self.squeeze(self.pool(x)))))
        return x * F.interpolate(weight, size=x.shape[-2:])


def test_a_squeeze_and_excite_gate_is_no_scale():
    network = nn.Sequential(
        down(3, 8), nn.ReLU(), GatedBlock(1), down(8, 12), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
    )
    assert scales_of(network) == ['2#0 8×32×32', '4#0 12×16×16']


def test_the_resolution_of_the_trunk_does_not_drop_at_a_gate():
    widening = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
    network = nn.Sequential(down(3, 8), nn.ReLU(), GatedBlock(1), widening)
    assert scales_of(network) == ['3#0 16×32×32']


class PooledTrunk(nn.Module):
    """The trunk is only a pooled copy at the middle size, where a branch has an activation."""

    def __init__(self, branch):
        super().__init__()
        self.stem = nn.Sequential(down(3, 8), nn.ReLU())
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.branch = nn.Sequential(nn.Conv2d(8, 6, 1), nn.ReLU()) if branch else nn.Identity()
        self.conv, self.relu = down(6 if branch else 8, 12), nn.ReLU()

    def forward(self, x):
        return self.relu(self.conv(self.branch(self.pool(self.stem(x))))).mean(dim=(2, 3))


def test_a_pooled_copy_is_no_scale():
    assert scales_of(PooledTrunk(branch=False)) == ['stem#0 8×32×32', 'relu#0 12×8×8']


def test_where_the_trunk_is_a_pooled_copy_the_widest_activation_is_taken():
    scales = scales_of(PooledTrunk(branch=True))
    assert scales == ['stem#0 8×32×32', 'branch#0 6×16×16', 'relu#0 12×8×8']


def test_a_module_that_passes_an_activation_on_does_not_give_it_its_name():
    network = nn.Sequential(down(3, 8), nn.ReLU(), nn.Dropout(), down(8, 12), nn.ReLU())
    assert scales_of(network)[0] == '1#0 8×32×32'


def test_a_network_that_ends_in_an_activation_is_read_at_that_module():
    assert scales_of(nn.Sequential(down(3, 8), nn.ReLU())) == ['1#0 8×32×32']


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


class EndsInPlace(nn.Module):
    """Ends each scale in such a block; the first one is wider inside."""

    def __init__(self):
        super().__init__()
        self.conv1, self.block1 = down(3, 8), AddsInPlace(8, layers=2)
        self.conv2, self.block2 = down(8, 12), AddsInPlace(12, layers=1)
        self.classifier = nn.Linear(12, 4)

    def forward(self, x):
        x = self.block2(self.conv2(self.block1(self.conv1(x))))
        return self.classifier(x.mean(dim=(2, 3)))


def test_a_tensor_that_an_addition_in_place_made_signed_is_not_taken_for_its_activation():
    assert scales_of(EndsInPlace()) == ['block1.layers.0#0 24×32×32', 'block2.layers.0#0 12×16×16']


# --- refusals -----------------------------------------------------------------------------------


class PatchTransformer(nn.Module):
    """A vision transformer in small: patches become tokens, and maps are never rectified."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 16, stride=16)
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, activation='gelu', batch_first=True)

    def forward(self, x):
        return self.layer(self.patches(x).flatten(2).transpose(1, 2)).mean(dim=1)


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
        (PatchTransformer, 'layer.self_attn'),
        (
            lambda: torchvision.models.vit_b_32(image_size=64),
            'encoder.layers.encoder_layer_0.self_',
        ),
        (torchvision.models.swin_t, 'features.1.0.attn'),
        (torchvision.models.swin_v2_t, 'features.1.0.attn'),
        (torchvision.models.maxvit_t, 'window_attention'),
    ],
    ids=['small', 'vit', 'swin', 'swin_v2', 'maxvit'],
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


def test_attention_behind_the_deepest_scale_leaves_a_cnn_explainable():
    class Tail(PatchTransformer):
        def __init__(self):
            super().__init__()
            self.patches = nn.Sequential(down(3, 16), nn.ReLU(), down(16, 32), nn.ReLU())

    assert scales_of(Tail()) == ['patches.1#0 16×32×32', 'patches.3#0 32×16×16']


def test_an_input_too_small_for_the_network_is_refused_with_its_size():
    with pytest.raises(ConfigurationError) as refused:
        find_scales(torchvision.models.squeezenet1_1(weights=None).eval(), noise(1, 3, 8, 8))
    assert 'SqueezeNet does not run on an input of 3×8×8' in str(refused.value)


# --- scales that users name ----------------------------------------------------------------------


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
