# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every statistic, normalisation and class activation inside the explainer, against float64."""

import cv2
import numpy as np
import oracles
import pytest
import torch
import torch.nn.functional as F
from small_networks import CAT, COFFEE, down, noise, one_thread, plain, seeded  # noqa: F401
from torch import nn

from smoe_ros.backbones import load_backbone
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer
from smoe_ros.options.choices import CAMS, PRE_ACTIVATION_STATISTICS
from smoe_ros.saliency.methods import NORMALIZATIONS, STATISTICS, MethodOptions

WITH_CAM = [name for name in CAMS if name != 'none']


def layers_of(network, batch):
    """Return the values before and after each rectifier of a Plain network, in float64."""
    before, after = [], []
    with torch.no_grad():
        x = batch.double()
        for conv in (network.conv1, network.conv2, network.conv3):
            before.append(F.conv2d(x, conv.weight.double(), conv.bias.double(), 2, 1))
            x = before[-1].clamp(min=0)
            after.append(x)
    return [value.numpy() for value in before], [value.numpy() for value in after]


@pytest.mark.parametrize('normalization', NORMALIZATIONS)
@pytest.mark.parametrize('statistic', STATISTICS)
def test_every_statistic_and_normalisation_agrees_with_float64(statistic, normalization):
    network, batch = plain(), noise(2, 3, 32, 48)
    before, after = layers_of(network, batch)
    values = before if statistic in PRE_ACTIVATION_STATISTICS else after
    raw = [getattr(oracles, statistic)(value) for value in values]
    maps = [getattr(oracles, normalization)(one) for one in raw]
    weights = (1.0, 0.5, 4.0)
    saliency, scale_maps, contributions = oracles.fuse_scales(maps, (32, 48), weights)
    explanation = Explainer(network, 'auto', weights, statistic, normalization)(batch)
    information = np.stack([one.mean(axis=(1, 2)) for one in raw], axis=1)
    # The network itself runs in float32, which the logarithm of an activation near 0 magnifies.
    np.testing.assert_allclose(explanation.information, information, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(explanation.scale_maps, scale_maps, rtol=0, atol=3e-4)
    np.testing.assert_allclose(explanation.saliency, saliency, rtol=0, atol=3e-4)
    np.testing.assert_allclose(explanation.contributions, contributions, rtol=0, atol=3e-4)


# --- the value before the activation ------------------------------------------------------------


class Functional(nn.Module):
    """Calls its rectifiers as functions, in place, and joins branches as Inception does."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.rest = down(3, 6), down(3, 8), down(14, 10)
        self.joined, self.end = nn.Identity(), nn.Identity()

    def forward(self, x):
        branches = [F.relu(self.left(x), inplace=True), torch.relu(self.right(x))]
        x = self.joined(torch.cat(branches, 1))
        return self.end(self.rest(x).relu_()).mean(dim=(2, 3))


def test_functions_and_joined_branches_are_followed_back_to_their_values():
    network, batch = seeded(Functional), noise(2, 3, 32, 48)
    with torch.no_grad():
        first = torch.cat([network.left(batch), network.right(batch)], 1)
        second = network.rest(F.relu(first))
    expected = [oracles.truncated_normal_entropy(x.numpy()).mean((1, 2)) for x in (first, second)]
    explainer = Explainer(network, ['joined', 'end'], statistic='truncated_normal_entropy')
    np.testing.assert_allclose(explainer(batch).information, np.stack(expected, axis=1), rtol=1e-4)


@pytest.mark.parametrize('name', ['googlenet', 'shufflenet_v2_x0_5', 'densenet121', 'resnet18'])
def test_the_values_before_rectified_are_the_activations_of_a_real_network(name):
    """No statistic of the two could agree if other values than the right ones were taken."""
    model = load_backbone(name, 'random').model
    seen = {}

    def keep(which):
        def statistic(values):
            seen.setdefault(which, []).append(values.clone())
            return values.mean(dim=1)

        return statistic

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STATISTICS, 'truncated_normal_entropy', keep('before'))
        patch.setitem(STATISTICS, 'channel_mean', keep('after'))
        Explainer(model, statistic='truncated_normal_entropy', input_size=(96, 128))
        Explainer(model, statistic='channel_mean', input_size=(96, 128))(noise(1, 3, 96, 128))
    for before, after in zip(seen['before'], seen['after'], strict=True):
        assert before.min() < 0
        torch.testing.assert_close(before.clamp(min=0), after, rtol=1e-4, atol=1e-5)


def test_a_map_that_no_activation_made_is_refused_with_its_name():
    with pytest.raises(ConfigurationError) as refused:
        Explainer(plain(), scales=['conv1', 'act2'], statistic='truncated_normal_entropy')
    assert "statistic 'truncated_normal_entropy' needs the value before" in str(refused.value)
    assert "of 'conv1'" in str(refused.value)


# --- class activations --------------------------------------------------------------------------


def class_map(activation, gradient, method, size):
    """Return the class activation at the input's size, in float64."""
    cam = oracles.class_activation(activation.detach().numpy(), gradient.numpy(), method)
    return oracles.min_max(np.stack([oracles.bilinear(one, size) for one in cam]))


@pytest.mark.parametrize('method', WITH_CAM)
@pytest.mark.parametrize('target', [None, 3, [1, 4]], ids=['best', 'one', 'one_a_frame'])
def test_every_class_activation_agrees_with_autograd_through_the_whole_network(method, target):
    network, batch = plain(), noise(2, 3, 64, 96)
    with torch.no_grad():
        best = network(batch).argmax(dim=1)
    classes = best if target is None else torch.tensor([target] * 2 if target == 3 else target)
    twin, kept = plain().double(), []
    twin.act3.register_forward_hook(lambda _module, _args, output: kept.append(output))
    scores = twin(batch.double())[torch.arange(2), classes]
    (gradient,) = torch.autograd.grad(scores.sum(), kept[0])
    expected = class_map(kept[0], gradient, method, (64, 96))
    without = Explainer(network)(batch)
    assert (without.class_activation, without.rest, without.classes) == (None, None, None)
    assert without.vectors == ()
    fused = without.saliency.numpy()
    explanation = Explainer(network, cam=method)(batch, target)
    for name in ('scale_maps', 'contributions', 'information', 'logits'):
        torch.testing.assert_close(getattr(explanation, name), getattr(without, name))
    assert torch.equal(explanation.classes, classes)
    np.testing.assert_allclose(explanation.class_activation, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(explanation.saliency, fused * expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(explanation.rest, fused * (1 - expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize('cam', WITH_CAM)
def test_beside_each_other_a_cat_and_a_coffee_are_found_by_their_classes(cam):
    """Cat left, cup right: each class activation is strongest on its own half."""
    backbone = load_backbone()
    both = np.hstack([CAT()[:300, 70:370], cv2.resize(COFFEE(), (300, 300))])
    batch = backbone.preprocess(both).unsqueeze(0)
    width = batch.shape[-1] // 2
    with Explainer(backbone.model, cam=cam) as explainer:
        cat, coffee = (explainer(batch, index).class_activation[0] for index in (285, 967))
    assert cat[:, :width].mean() > 1.5 * cat[:, width:].mean()
    assert coffee[:, width:].mean() > 1.5 * coffee[:, :width].mean()


class Watch(nn.Module):
    """Notes whether autograd records when it runs."""

    def __init__(self):
        super().__init__()
        self.recorded = []

    def forward(self, x):
        self.recorded.append(torch.is_grad_enabled() and x.requires_grad)
        return x


def test_only_what_follows_the_deepest_scale_is_recorded():
    network = plain()
    network.pause, network.pool = Watch(), nn.Sequential(Watch(), nn.AdaptiveAvgPool2d(1))
    Explainer(network, cam='grad_cam', scales=['act1', 'act2', 'act3'])(noise(1, 3, 32, 32))
    assert not any(network.pause.recorded)
    assert network.pool[0].recorded[-1]


class InPlaceHead(nn.Module):
    """Rewrites the deepest activation in place before it classifies, as DenseNet does."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(down(3, 8), nn.ReLU(), down(8, 16), nn.ReLU())
        self.classifier = nn.Linear(16, 3)

    def forward(self, x):
        x = self.features(x)
        x = F.relu(x.sub_(0.05), inplace=True)
        return self.classifier(x.mean(dim=(2, 3)))


def test_a_head_that_works_in_place_changes_neither_class_activation_nor_vectors():
    network, batch = seeded(InPlaceHead), noise(2, 3, 32, 48)
    explanation = Explainer(network, cam='grad_cam', vectors=True)(batch)
    with torch.no_grad():
        activation = network.features(batch)
    activation.requires_grad_()
    logits = network.classifier(F.relu(activation - 0.05).mean(dim=(2, 3)))
    torch.testing.assert_close(explanation.logits, logits.detach())
    (gradient,) = torch.autograd.grad(logits.amax(dim=1).sum(), activation)
    expected = class_map(activation, gradient, 'grad_cam', (32, 48))
    np.testing.assert_allclose(explanation.class_activation, expected, rtol=0, atol=1e-5)
    for frame, saliency in enumerate(explanation.saliency):
        row, column = np.unravel_index(int(saliency.argmax()), saliency.shape)
        vector = activation[frame, :, row // 4, column // 4]
        torch.testing.assert_close(explanation.vectors[1][frame], vector.detach())


@pytest.mark.parametrize('name', ['densenet121', 'convnext_tiny', 'shufflenet_v2_x0_5', 'vgg11'])
def test_class_activations_work_where_the_deepest_scale_lies_in_different_places(name):
    model = load_backbone(name, 'random').model
    explanation = Explainer(model, cam='grad_cam', input_size=(64, 96))(noise(2, 3, 64, 96))
    assert explanation.class_activation.shape == (2, 64, 96)
    assert explanation.class_activation.isfinite().all()
    torch.testing.assert_close(
        explanation.saliency + explanation.rest, Explainer(model)(noise(2, 3, 64, 96)).saliency
    )


@pytest.mark.parametrize('target', [5, -1, [0, 5]])
def test_a_class_that_does_not_exist_is_refused_with_the_range(target):
    explainer = Explainer(plain(), cam='grad_cam')
    with pytest.raises(ConfigurationError, match='does not exist: the network has classes 0 to 4'):
        explainer(noise(2, 3, 32, 32), target)


def test_another_number_of_classes_than_of_frames_is_refused():
    with pytest.raises(ConfigurationError, match='1 target classes given for 2 frames'):
        Explainer(plain(), cam='grad_cam')(noise(2, 3, 32, 32), [1])


def test_a_network_that_gives_no_scores_is_refused_at_once():
    network = nn.Sequential(down(3, 8), nn.ReLU(), down(8, 12), nn.ReLU()).eval()
    with pytest.raises(ConfigurationError, match='cam needs a classifier: Sequential'):
        Explainer(network, cam='grad_cam')


def test_scores_that_do_not_depend_on_the_deepest_scale_are_refused():
    class Aside(nn.Module):
        def __init__(self):
            super().__init__()
            self.seen, self.unused = nn.Sequential(down(3, 8), nn.ReLU()), down(8, 8)
            self.act = nn.ReLU()

        def forward(self, x):
            x = self.seen(x)
            self.act(self.unused(x))
            return x.mean(dim=(2, 3))

    with pytest.raises(ConfigurationError, match='scores that depend on the deepest scale'):
        Explainer(seeded(Aside), cam='grad_cam', scales=['seen', 'act'])


class NoWayBack(torch.autograd.Function):
    """An operation of a user's, without a gradient."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()


class Forwards(nn.Module):
    """Uses it in its head."""

    def __init__(self):
        super().__init__()
        self.features, self.classifier = plain(), nn.Linear(5, 3)

    def forward(self, x):
        return self.classifier(NoWayBack.apply(self.features(x)))


def test_a_head_without_a_gradient_is_refused_for_a_class_activation_and_for_nothing_else():
    explainer = Explainer(seeded(Forwards))
    explainer.probe()
    assert explainer(noise(1, 3, 32, 32)).logits.shape == (1, 3)
    for _ in range(2):  # the first answer is remembered
        with pytest.raises(ConfigurationError) as refused:
            explainer.check(MethodOptions(cam='grad_cam'))
        assert 'this network does not allow cam: NotImplementedError' in str(refused.value)
        assert '\n' not in str(refused.value)


# --- feature vectors ----------------------------------------------------------------------------


def test_vectors_are_the_activations_at_each_frames_most_salient_point():
    network, batch = plain(), noise(3, 3, 48, 80)
    _, after = layers_of(network, batch)
    explanation = Explainer(network, vectors=True)(batch)
    peaks = [np.unravel_index(one.argmax(), one.shape) for one in explanation.saliency.numpy()]
    assert len(explanation.vectors) == 3
    for scale, (vectors, activation) in enumerate(zip(explanation.vectors, after, strict=True)):
        stride = 2 ** (scale + 1)
        for frame, (row, column) in enumerate(peaks):
            expected = activation[frame, :, row // stride, column // stride]
            np.testing.assert_allclose(vectors[frame], expected, rtol=1e-4, atol=1e-5)
