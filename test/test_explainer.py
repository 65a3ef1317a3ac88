# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an explanation is: its maps, figures and logits, and the frames that have none.

What an explainer leaves behind in the network (nothing) is in test_explainer_traces.py.
"""

import gc
import os
import weakref
from pathlib import Path

import numpy as np
import oracles
import pytest
import torch
import torch.nn.functional as F
import torchvision
from scipy.stats import spearmanr
from small_networks import Plain, down, hooks_of, noise, one_thread, photo_batch, plain, seeded  # noqa: F401
from torch import nn

from smoe_ros.backbones import load_backbone
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.explainer import Explainer

# --- the figures --------------------------------------------------------------------------------


class RewritesInPlace(nn.Module):
    """Changes its activations in place after the module that made them has returned."""

    def __init__(self):
        super().__init__()
        self.conv1, self.relu1 = down(3, 8), nn.ReLU()
        self.conv2, self.relu2 = down(8, 12), nn.ReLU()

    def forward(self, x):
        x = self.relu1(self.conv1(x))
        x.neg_().add_(1)
        x = self.relu2(self.conv2(x))
        features = x.mean(dim=(2, 3))
        x.zero_()
        return features


def test_activations_are_read_before_a_later_operation_in_place_changes_them():
    network, batch = seeded(RewritesInPlace), noise(2, 3, 32, 32)
    with torch.no_grad():
        first = F.relu(network.conv1(batch))
        second = F.relu(network.conv2(1 - first))
    raw = [oracles.smoe_scale(one.numpy()) for one in (first, second)]
    saliency, _, _ = oracles.fuse_scales([oracles.gaussian_cdf(one) for one in raw], (32, 32))
    information = np.stack([one.mean(axis=(1, 2)) for one in raw], axis=1)
    explanation = Explainer(network, scales=['relu1', 'relu2'])(batch)
    np.testing.assert_allclose(explanation.saliency.numpy(), saliency, rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(explanation.information.numpy(), information, rtol=1e-4)


def test_the_logits_are_those_of_the_network_alone():
    network, batch = load_backbone().model, photo_batch(96, 128)
    with torch.no_grad():
        expected = network(batch)
    assert torch.equal(Explainer(network)(batch).logits, expected)


# --- frames and settings that are refused -------------------------------------------------------


def test_an_input_that_is_not_finite_names_its_place_in_the_batch():
    explainer, batch = Explainer(plain()), noise(3, 3, 32, 32)
    batch[1, 0, 20, 20] = float('nan')
    with pytest.raises(FrameError, match="frame 1 of the batch: activation of 'act1'"):
        explainer(batch)


def test_a_batch_that_is_no_batch_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r'shape \(B, 3, H, W\), got \(3, 32, 32\)'):
        Explainer(plain())(noise(3, 32, 32))


def test_a_closed_explainer_refuses_and_lets_go_of_the_network():
    network = plain()
    gone = weakref.ref(network)
    with Explainer(network) as explainer:
        del network
        explainer(noise(1, 3, 32, 32))
    gc.collect()
    assert gone() is None
    with pytest.raises(RuntimeError, match='closed'):
        explainer(noise(1, 3, 32, 32))


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (
            {'statistic': 'smoe_skale'},
            "unknown statistic 'smoe_skale'; did you mean smoe_scale or",
        ),
        ({'normalization': 'gausian'}, "unknown normalization 'gausian'; did you mean gaussian"),
        ({'scales': 'act1'}, "scales is 'act1'; give 'auto' or a sequence of module paths"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else '',
)
def test_a_wrong_setting_is_refused_with_its_value_and_what_is_right(options, text):
    with pytest.raises(ConfigurationError) as refused:
        Explainer(Plain(), **options)
    assert text in str(refused.value)


# --- networks as people write them ---------------------------------------------------------------


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
def test_a_network_of_half_precision_is_explained_in_float32(dtype):
    network, batch = plain().to(dtype), noise(2, 3, 32, 48)
    explanation = Explainer(network, cam='grad_cam')(batch)
    raw, x = [], batch.to(dtype)
    with torch.no_grad():
        for conv in (network.conv1, network.conv2, network.conv3):
            x = conv(x).relu()
            raw.append(oracles.smoe_scale(x.double().numpy()))
    expected = np.stack([one.mean(axis=(1, 2)) for one in raw], axis=1)
    np.testing.assert_allclose(explanation.information, expected, rtol=1e-5)
    maps = [oracles.gaussian_cdf(one) for one in raw]
    saliency, _, _ = oracles.fuse_scales(maps, (32, 48))
    fused = explanation.saliency + explanation.rest
    np.testing.assert_allclose(fused, saliency, rtol=1e-5, atol=1e-5)
    tensors = [value for value in vars(explanation).values() if isinstance(value, torch.Tensor)]
    assert {one.dtype for one in tensors if one is not explanation.classes} == {torch.float32}
    assert explanation.class_activation.amax() == 1


def test_maps_that_lie_channels_last_are_read_by_their_channels():
    network = seeded(torchvision.models.convnext_tiny)
    kept = {}
    layer = network.features[5][8].block[4]
    with Explainer(network, vectors=True) as explainer:
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
    assert [vector.shape[1] for vector in explanation.vectors] == [384, 768, 1536, 3072]


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
