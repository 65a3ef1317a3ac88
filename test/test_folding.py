# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation is folded where that changes nothing, and left alone elsewhere."""

import pytest
import torch
from small_networks import one_thread, photo_batch, plain, seeded  # noqa: F401
from torch import nn

from smoe_ros.backbones import load_backbone
from smoe_ros.engines.folding import fold_batch_norms
from smoe_ros.explainer import Explainer


def lived(network):
    """Give batch normalisations statistics and factors as training leaves them."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_var, module.weight.data):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            for tensor in (module.running_mean, module.bias.data):
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return network.eval()


def norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


class TwiceRead(nn.Module):
    """What its convolution puts out is normalised, and read once more beside that."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        x = self.conv(x)
        return self.norm(x) + x


class Between(TwiceRead):
    """Something lies between convolution and normalisation."""

    def forward(self, x):
        return self.norm(self.conv(x).relu())


class Shared(TwiceRead):
    """One normalisation follows two calls of the convolution."""

    def forward(self, x):
        return self.norm(self.conv(x)) + self.norm(self.conv(-x))


def test_folding_changes_the_output_by_rounding_only():
    network, batch = lived(plain(batch_norm=True)), photo_batch(64, 96)
    with torch.no_grad():
        wanted = network(batch)
        assert fold_batch_norms(network, batch[:1]) == 3
        assert norms(network) == 0
        torch.testing.assert_close(network(batch), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('build', [TwiceRead, Between, Shared])
def test_what_cannot_be_folded_stays_as_it_is(build):
    network, batch = lived(seeded(build)), photo_batch(64, 64)
    with torch.no_grad():
        wanted = network(batch)
        assert fold_batch_norms(network, batch[:1]) == 0
        assert norms(network) == 1
        assert torch.equal(network(batch), wanted)


def test_a_network_in_training_keeps_its_mode():
    network = lived(plain(batch_norm=True)).train()
    fold_batch_norms(network, photo_batch(64, 64)[:1])
    assert network.training


@pytest.mark.slow
@pytest.mark.parametrize(
    ('name', 'count'), [('efficientnet_lite0', 49), ('resnet18', 20), ('densenet121', 59)]
)
def test_scales_and_paths_stay_the_same(name, count):
    loaded = load_backbone(name, 'default' if name == 'efficientnet_lite0' else 'random')
    paths, scales = dict(loaded.model.named_modules()).keys(), Explainer(loaded.model).scales
    assert fold_batch_norms(loaded.model, photo_batch(224, 224)[:1]) == count
    assert dict(loaded.model.named_modules()).keys() == paths
    assert Explainer(loaded.model).scales == scales
