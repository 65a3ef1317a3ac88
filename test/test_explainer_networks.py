# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks as people write them: in place, shared, of half precision, channels last, for hours."""

import gc
import os
from pathlib import Path

import numpy as np
import oracles
import pytest
import torch
import torch.nn.functional as F
import torchvision
from scipy.stats import spearmanr
from small_networks import down, hooks_of, one_thread, photo_batch, plain, seeded  # noqa: F401
from torch import nn

from smoe_ros.backbones import load_backbone
from smoe_ros.explainer import Explainer


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Taps(nn.Module):
    """Rectifies every tap once more, in place or not, after the module that is read."""

    def __init__(self, inplace):
        super().__init__()
        self.inplace = inplace
        self.layers = nn.ModuleList([down(3, 8), down(8, 12), down(12, 17)])
        self.taps = nn.ModuleList(nn.Hardtanh(-1, 1) for _ in range(3))

    def forward(self, x):
        for layer, tap in zip(self.layers, self.taps, strict=True):
            x = F.relu(tap(layer(x)), inplace=self.inplace)
        return x.mean(dim=(2, 3))


@pytest.mark.parametrize('statistic', ['smoe_scale', 'channel_mean', 'channel_std'])
def test_a_relu_in_place_after_every_tap_changes_no_map(statistic):
    batch, taps = noise(2, 3, 32, 48), ['taps.0', 'taps.1', 'taps.2']
    one, twin = (
        Explainer(seeded(lambda i=i: Taps(inplace=i)), scales=taps, statistic=statistic)(batch)
        for i in (True, False)
    )
    assert torch.equal(one.scale_maps, twin.scale_maps)
    assert torch.equal(one.information, twin.information)


class SharedModules(nn.Module):
    """One block under two names, one rectifier for everything."""

    def __init__(self):
        super().__init__()
        self.act = nn.ReLU(inplace=True)
        self.first = down(3, 6)
        self.block = nn.Sequential(down(6, 6), self.act)
        self.again = self.block

    def forward(self, x):
        return self.again(self.block(self.act(self.first(x)))).mean(dim=(2, 3))


def test_a_module_that_runs_at_three_sizes_under_several_names_is_read_at_each():
    network, batch = seeded(SharedModules), noise(1, 3, 32, 48)
    with Explainer(network) as explainer:
        explanation = explainer(batch)
        sizes = [(scale.height, scale.width) for scale in explainer.scales]
        assert len({(scale.layer, scale.call) for scale in explainer.scales}) == 3
    assert sizes == [(16, 24), (8, 12), (4, 6)]
    expected, x = [], batch
    with torch.no_grad():
        for conv in (network.first, network.block[0], network.block[0]):
            x = F.relu(conv(x))
            expected.append(oracles.smoe_scale(x.numpy()).mean())
    np.testing.assert_allclose(explanation.information[0], expected, rtol=1e-5)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16], ids=str)
def test_statistics_of_a_network_of_half_precision_are_taken_in_float32(dtype):
    network, batch = plain().to(dtype), noise(2, 3, 32, 48)
    activations = []
    handles = [
        getattr(network, name).register_forward_hook(
            lambda _module, _args, output: activations.append(output.double().numpy())
        )
        for name in ('act1', 'act2', 'act3')
    ]
    explainer = Explainer(network)
    activations.clear()
    explanation = explainer(batch)
    for handle in handles:
        handle.remove()
    raw = [oracles.smoe_scale(activation) for activation in activations]
    expected = np.stack([one.mean(axis=(1, 2)) for one in raw], axis=1)
    np.testing.assert_allclose(explanation.information, expected, rtol=1e-5)
    maps = [oracles.gaussian_cdf(one) for one in raw]
    saliency, _, _ = oracles.fuse_scales(maps, (32, 48))
    np.testing.assert_allclose(explanation.saliency, saliency, rtol=1e-5, atol=1e-5)
    assert explanation.saliency.dtype == explanation.logits.dtype == torch.float32


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16], ids=str)
def test_a_class_activation_works_in_half_precision(dtype):
    explanation = Explainer(plain().to(dtype), cam='grad_cam')(noise(2, 3, 64, 64))
    assert explanation.class_activation.dtype == torch.float32
    assert explanation.class_activation.isfinite().all()
    assert explanation.class_activation.amax() == 1


def test_maps_that_lie_channels_last_are_read_by_their_channels():
    network = seeded(torchvision.models.convnext_tiny)
    kept = {}
    layer = network.features[5][8].block[4]
    with Explainer(network) as explainer:
        assert [scale.channels_last for scale in explainer.scales] == [True] * 4
        handle = layer.register_forward_hook(
            lambda _module, _args, output: kept.update(activation=output.clone())
        )
        explanation = explainer(noise(1, 3, 64, 96))
        handle.remove()
    activation = kept['activation'].permute(0, 3, 1, 2)
    assert activation.shape == (1, 1536, 4, 6)
    expected = oracles.smoe_scale(activation.numpy()).mean()
    assert float(explanation.information[0, 2]) == pytest.approx(expected, rel=1e-5)


def resident_bytes():
    pages = Path('/proc/self/statm').read_text().split()[1]
    return int(pages) * os.sysconf('SC_PAGESIZE')


def test_ten_thousand_frames_leave_nothing_behind():
    network = seeded(lambda: nn.Sequential(down(3, 4), nn.ReLU(inplace=True), down(4, 4)))
    batch = noise(1, 3, 8, 8)
    explainer = Explainer(network)

    def explain(count):
        for _ in range(count):
            explainer(batch)
        gc.collect()
        return len(gc.get_objects()), resident_bytes()

    objects_before, bytes_before = explain(500)
    objects_after, bytes_after = explain(10_000)
    # One hook, list entry or small tensor that stayed a frame would be 10,000 of them.
    assert objects_after - objects_before < 200
    assert bytes_after - bytes_before < 2_000_000
    assert not hooks_of(network)


def test_a_photograph_orders_its_sites_alike_by_smoe_scale_and_gamma_scale():
    """Saliency map order equivalence (arXiv 1911.11293), on real activations."""
    model, batch = load_backbone().model, photo_batch(224, 288)
    one, other = (
        Explainer(model, statistic=name, normalization='min_max')(batch).scale_maps.numpy()
        for name in ('smoe_scale', 'gamma_scale')
    )
    for scale in range(5):
        correlation = spearmanr(one[:, scale].ravel(), other[:, scale].ravel()).statistic
        print(f'scale {scale}: Spearman {correlation:.4f}')
        assert correlation > 0.95
