# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is compared: our own maps, baselines, and other libraries' maps."""

from types import SimpleNamespace

import numpy as np
import oracles
import pytest
import torch
from scipy.ndimage import sobel
from scipy.stats import spearmanr
from small_networks import hooks_of, one_thread, photo_batch, plain  # noqa: F401 - a fixture

from smoe_ros.evaluation.evaluated_network import Question
from smoe_ros.evaluation.map_methods import (
    MapMethod,
    ablation_methods,
    baseline_methods,
    own_method,
    standard_methods,
)
from smoe_ros.evaluation.peers import available_peers, peer_methods, target_layer
from smoe_ros.evaluation.tasks import edge_likeness
from smoe_ros.explainer import Explainer
from smoe_ros.saliency.methods import MethodOptions

SCALES = ('act1', 'act2', 'act3')
CAMS = {'Grad-CAM': 'grad_cam', 'Grad-CAM++': 'grad_cam_pp', 'XGrad-CAM': 'x_grad_cam'}
PEERS = [name for name, reason in available_peers().items() if reason is None]


@pytest.fixture(scope='module')
def network():
    return plain(batch_norm=True)


@pytest.fixture(scope='module')
def explainer(network):
    with Explainer(network, SCALES, 'linear', 'channel_std', 'min_max') as explainer:
        yield explainer


@pytest.fixture(scope='module')
def batch():
    return photo_batch(64, 96)


@pytest.fixture(scope='module')
def labels():
    return torch.tensor([4, 0, 2])


@pytest.fixture(scope='module')
def methods(network, explainer, batch):
    there = peer_methods(network, explainer, PEERS, batch[:1])
    return [*standard_methods(explainer), *baseline_methods(explainer), *there]


@pytest.fixture(scope='module')
def by_name(methods):
    return {method.name: method for method in methods}


def test_names_are_unique_and_none_is_missing(methods):
    names = [method.name for method in methods]
    assert len(set(names)) == len(names)
    assert names[:4] == [
        'channel_std',
        *(f'channel_std × {name}' for name in CAMS),
    ]
    assert {'random', 'centred Gaussian', 'Sobel edges', 'last-layer mean', *CAMS} <= set(names)
    assert set(PEERS) <= set(names)


def test_maps_are_finite_and_not_negative_and_of_the_pictures_size(methods, batch, labels):
    for method in methods:
        maps = method.explain(batch, labels)
        assert maps.shape == (3, 64, 96), method.name
        assert maps.dtype == torch.float32, method.name
        assert maps.isfinite().all(), method.name
        assert (maps >= 0).all(), method.name
        assert not maps.requires_grad, method.name
        assert all(one.std() > 0 for one in maps), method.name


def test_the_same_picture_and_class_get_the_same_map_each_time(methods, batch, labels):
    for method in methods:
        assert torch.equal(*(method.explain(batch, labels) for _ in range(2))), method.name


def test_only_class_activations_and_gradients_know_the_class(methods, batch):
    first, second = (torch.full((3,), label) for label in (0, 1))
    for method in methods:
        knows = not torch.equal(method.explain(batch, first), method.explain(batch, second))
        plain = {'channel_std', 'random', 'centred Gaussian', 'Sobel edges', 'last-layer mean'}
        assert knows is (method.name not in {*plain, 'EigenCAM (grad-cam)'}), method.name


@pytest.mark.parametrize(
    ('saliency', 'text'),
    [
        (torch.zeros(3, 4), r'size of its picture, \(64, 96\), got \(3, 4\)'),
        (torch.full((64, 96), torch.nan), 'a map is finite'),
        (torch.linspace(-1, 1, 64 * 96).reshape(64, 96), 'not negative'),
    ],
)
def test_a_map_that_cannot_be_measured_is_refused(batch, saliency, text):
    method = MapMethod('broken', 'peer', lambda batch, labels: saliency[None])
    with pytest.raises(ValueError, match=text):
        method.of(batch[0], 0)


def test_explaining_leaves_network_explainer_and_random_numbers_as_they_were(
    methods, network, explainer, batch, labels
):
    before, state = explainer.method, torch.get_rng_state()
    given = batch.clone()
    for method in methods:
        method.explain(batch, labels)
    assert explainer.method == before
    assert hooks_of(network) == {}
    assert all(parameter.grad is None for parameter in network.parameters())
    assert network.act1.inplace  # of peers' copies it is switched off
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(batch, given)
    assert not batch.requires_grad


def test_a_failing_explanation_leaves_the_explainers_method(explainer, batch):
    before = explainer.method
    with pytest.raises(ValueError, match='target class 9'):
        own_method(explainer, MethodOptions(cam='grad_cam')).explain(batch, torch.tensor([9] * 3))
    assert explainer.method == before


def test_our_own_map_is_the_explainers_saliency_by_those_settings(network, batch, labels):
    options = MethodOptions('equal', 'smoe_scale', 'gaussian_cdf', 'x_grad_cam')
    with Explainer(network, SCALES) as other:
        found = own_method(other, options).explain(batch, labels)
    with Explainer(network, SCALES, cam='x_grad_cam') as wanted:
        assert torch.equal(found, wanted(batch, labels.tolist()).saliency)


def deepest(network, batch, labels):
    """Return the activation that the head reads, and the gradient of the scores there."""
    with torch.no_grad():
        x = network.act1(network.norm1(network.conv1(batch)))
        x = network.act2(network.norm2(network.conv2(x)))
        activation = network.act3(network.norm3(network.conv3(x)))
    activation.requires_grad_()
    scores = network.classifier(network.pool(activation).flatten(1))
    scores.gather(1, labels[:, None]).sum().backward()
    return activation.detach().numpy(), activation.grad.numpy()


@pytest.mark.parametrize('name', CAMS)
def test_class_activations_are_those_of_their_papers(by_name, network, batch, labels, name):
    cam = oracles.class_activation(*deepest(network, batch, labels), CAMS[name])
    wanted = oracles.min_max(np.stack([oracles.bilinear(one, (64, 96)) for one in cam]))
    found = by_name[name].explain(batch, labels).numpy()
    assert found == pytest.approx(wanted, abs=1e-4)


def test_last_layer_mean_is_the_mean_over_channels_enlarged(by_name, network, batch, labels):
    activation, _ = deepest(network, batch, labels)
    maps = oracles.min_max(activation.mean(axis=1))
    wanted = np.stack([oracles.bilinear(one, (64, 96)) for one in maps])
    found = by_name['last-layer mean'].explain(batch, labels).numpy()
    assert found == pytest.approx(wanted, abs=1e-4)


def edges_of(image):
    mean = image.double().numpy().mean(axis=0)
    return np.hypot(sobel(mean, 0, mode='mirror'), sobel(mean, 1, mode='mirror'))


def test_edges_are_sobels_of_the_mean_over_colours(by_name, batch, labels):
    found = by_name['Sobel edges'].explain(batch, labels)[1].numpy()
    assert found == pytest.approx(edges_of(batch[1]), abs=1e-4)


def test_the_centred_map_is_a_gaussian_of_a_quarter_of_each_side(by_name, batch, labels):
    saliency = by_name['centred Gaussian'].explain(batch, labels)[0].double().numpy()
    y, x = np.mgrid[:64, :96]
    exponent = -np.log(saliency)
    wanted = ((y - 31.5) / 16) ** 2 / 2 + ((x - 47.5) / 24) ** 2 / 2
    assert exponent == pytest.approx(wanted, abs=1e-4)


def test_noise_is_another_for_every_picture_and_uniform(by_name, batch, labels):
    maps = by_name['random'].explain(batch, labels)
    assert not torch.equal(maps[0], maps[1])
    assert np.sort(maps[0].numpy().ravel()) == pytest.approx(
        np.linspace(0, 1, maps[0].numel()), abs=0.03
    )


def test_ablation_has_every_setting_that_the_network_allows_once(network):
    with Explainer(network, SCALES) as explainer:
        names = [method.name for method in ablation_methods(explainer)]
    assert len(set(names)) == len(names) == 6 * 3 * 2 * 2 + 2
    assert 'smoe_scale, gaussian_cdf, equal, none' in names
    assert not any('prior' in name for name in names)  # it has three scales


def test_likeness_to_edges_is_the_mean_rank_correlation_over_the_pictures(explainer, batch):
    questions = [Question('one', None, image, 0, '', 1.0) for image in batch]
    likeness = edge_likeness(SimpleNamespace(explainer=explainer), questions)['spearman']
    seen, wanted = explainer(batch), []
    for number, image in enumerate(batch):
        maps = [*seen.scale_maps[number], seen.saliency[number]]
        edges = edges_of(image).ravel()
        wanted.append([spearmanr(one.numpy().ravel(), edges).statistic for one in maps])
    assert likeness == pytest.approx(np.mean(wanted, axis=0), abs=0.01)


# Other libraries, where they are installed


def test_cams_of_peers_look_at_the_layer_before_the_deepest_scale(network, explainer, batch):
    assert target_layer(network, explainer, batch[:1]) == 'norm3'


@pytest.mark.skipif('gradient (captum)' not in PEERS, reason='captum is not installed')
def test_gradient_is_the_largest_of_a_pixels_channels(by_name, network, batch, labels):
    leaf = batch.clone().requires_grad_()
    network(leaf).gather(1, labels[:, None]).sum().backward()
    network.zero_grad(set_to_none=True)
    wanted = leaf.grad.abs().amax(dim=1).numpy()
    found = by_name['gradient (captum)'].explain(batch, labels).numpy()
    assert found == pytest.approx(wanted, abs=1e-7, rel=1e-4)


@pytest.mark.skipif('gradient (captum)' not in PEERS, reason='captum is not installed')
def test_integrated_gradients_add_up_to_the_score(by_name, network, batch, labels):
    leaf = batch.clone()
    with torch.no_grad():
        scores = network(leaf) - network(torch.zeros_like(leaf))
    wanted = scores.gather(1, labels[:, None])[:, 0].numpy()
    # The map is the absolute sum over the channels: no less than the score's change in total.
    found = by_name['integrated gradients (captum)'].explain(batch, labels).sum(dim=(1, 2))
    assert (found.numpy() >= np.abs(wanted) - 0.02).all()
