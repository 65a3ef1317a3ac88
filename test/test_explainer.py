# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an explanation is: its maps, figures and logits, and the frames that have none.

What an explainer leaves behind in the network (nothing) is in test_explainer_traces.py.
"""

import gc
import weakref

import numpy as np
import oracles
import pytest
import torch
import torch.nn.functional as F
import torchvision
from small_networks import Plain, down, one_thread, photo_batch, plain, seeded  # noqa: F401
from torch import nn

from smoe_ros.backbones import load_backbone
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.explainer import Explainer

ORACLE_NORMALIZATIONS = {'gaussian_cdf': oracles.gaussian_cdf, 'min_max': oracles.min_max}


FIGURES = ('saliency', 'scale_maps', 'contributions', 'information', 'logits')


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def assert_same(one, other, tolerance=1e-5):
    """Compare two explanations, figure by figure, the tolerance being that of the figures."""
    for name in FIGURES:
        # Convolutions round differently for other batch sizes, and the logarithm of an activation
        # near 0 makes more of it.
        allowed = 10 * tolerance if name in ('saliency', 'scale_maps') else tolerance
        torch.testing.assert_close(
            getattr(one, name),
            getattr(other, name),
            rtol=allowed,
            atol=allowed,
            msg=lambda text, name=name: f'{name}: {text}',
        )


def oracle(activations, size, normalization, weights):
    """Return saliency, scale maps, contributions and information from activations, in float64."""
    raw = [oracles.smoe_scale(activation.numpy()) for activation in activations]
    maps = [ORACLE_NORMALIZATIONS[normalization](one) for one in raw]
    information = np.stack([one.mean(axis=(1, 2)) for one in raw], axis=1)
    return (*oracles.fuse_scales(maps, size, weights), information)


def activations_of(network, batch):
    """Return what the three rectifiers of a Plain network put out, by calling its layers."""
    result = []
    with torch.no_grad():
        x = batch
        for conv, norm in (
            (network.conv1, network.norm1),
            (network.conv2, network.norm2),
            (network.conv3, network.norm3),
        ):
            x = F.relu(norm(conv(x)))
            result.append(x.clone())
    return result


# --- the figures --------------------------------------------------------------------------------


@pytest.mark.parametrize('normalization', ORACLE_NORMALIZATIONS)
@pytest.mark.parametrize('weights', ['equal', (1.0, 0.5, 4.0)], ids=['equal', 'numbers'])
def test_an_explanation_agrees_with_numpy_from_the_activations(normalization, weights):
    network, batch = plain(), noise(2, 3, 32, 48)
    numbers = None if weights == 'equal' else weights
    expected = oracle(activations_of(network, batch), (32, 48), normalization, numbers)
    with Explainer(network, scale_weights=weights, normalization=normalization) as explainer:
        explanation = explainer(batch)
    actual = (
        explanation.saliency,
        explanation.scale_maps,
        explanation.contributions,
        explanation.information,
    )
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-4, atol=2e-5)


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
    saliency, _, _, information = oracle([first, second], (32, 32), 'gaussian_cdf', None)
    explanation = Explainer(network, scales=['relu1', 'relu2'])(batch)
    np.testing.assert_allclose(explanation.saliency.numpy(), saliency, rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(explanation.information.numpy(), information, rtol=1e-4)


@pytest.mark.parametrize(
    'load',
    [
        lambda: load_backbone().model,
        lambda: seeded(torchvision.models.resnet18),
    ],
    ids=['efficientnet_lite0', 'resnet18'],
)
def test_a_batch_of_photographs_is_explained_like_each_of_them_alone(load):
    batch = photo_batch(160, 224)
    with Explainer(load()) as explainer:
        together = explainer(batch)
        for index in range(3):
            alone = explainer(batch[index : index + 1])
            one = type(together)(
                **{name: getattr(together, name)[index : index + 1] for name in FIGURES}
            )
            assert_same(one, alone)


def test_shapes_types_and_ranges_are_those_of_the_interface():
    with Explainer(plain(), scale_weights='linear') as explainer:
        explanation = explainer(noise(2, 3, 40, 72))
    shapes = {name: tuple(getattr(explanation, name).shape) for name in FIGURES}
    assert shapes == {
        'saliency': (2, 40, 72),
        'scale_maps': (2, 3, 40, 72),
        'contributions': (2, 3),
        'information': (2, 3),
        'logits': (2, 5),
    }
    assert all(getattr(explanation, name).dtype == torch.float32 for name in FIGURES)
    for maps in (explanation.saliency, explanation.scale_maps):
        assert 0 <= maps.min() < maps.max() <= 1


def test_contributions_sum_to_one():
    with Explainer(load_backbone().model, scale_weights='prior') as explainer:
        total = explainer(photo_batch(128, 160)).contributions.sum(dim=1)
    torch.testing.assert_close(total, torch.ones(3), rtol=0, atol=1e-5)


def test_the_weights_are_shares_of_their_sum():
    assert Explainer(plain(), scale_weights='linear').weights == (1 / 6, 2 / 6, 3 / 6)


def test_the_sizes_of_the_scales_follow_the_input():
    with Explainer(plain()) as explainer:
        assert [str(scale) for scale in explainer.scales] == [
            'act1#0 8×112×112',
            'act2#0 12×56×56',
            'act3#0 17×28×28',
        ]
        explainer(noise(1, 3, 40, 72))
        assert [str(scale) for scale in explainer.scales] == [
            'act1#0 8×20×36',
            'act2#0 12×10×18',
            'act3#0 17×5×9',
        ]


def test_the_logits_are_those_of_the_network_alone():
    network, batch = load_backbone().model, photo_batch(96, 128)
    with torch.no_grad():
        expected = network(batch)
    assert torch.equal(Explainer(network)(batch).logits, expected)


def test_a_network_that_is_no_classifier_is_explained_without_logits():
    network = nn.Sequential(down(3, 8), nn.ReLU(), down(8, 12), nn.ReLU())
    explanation = Explainer(network.eval())(noise(2, 3, 32, 32))
    assert explanation.logits is None
    assert explanation.saliency.shape == (2, 32, 32)


def test_a_batch_of_another_type_goes_to_the_networks_type_and_maps_stay_float32():
    network, batch = plain(), noise(1, 3, 32, 32)
    expected = Explainer(network)(batch)
    actual = Explainer(network.double())(batch)
    assert actual.logits.dtype == torch.float32
    assert actual.saliency.dtype == torch.float32
    torch.testing.assert_close(actual.saliency, expected.saliency, rtol=0, atol=1e-4)


def test_all_equal_frames_have_a_flat_map_and_no_nan():
    network = plain()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    explanation = Explainer(network, scale_weights=(1, 2, 1))(torch.zeros(2, 3, 32, 32))
    assert (explanation.saliency == 0.5).all()
    torch.testing.assert_close(explanation.contributions, torch.tensor([[0.25, 0.5, 0.25]] * 2))
    assert (explanation.information == 0).all()


# --- frames and settings that are refused -------------------------------------------------------


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
@pytest.mark.parametrize(('conv', 'layer'), [('conv1', 'act1'), ('conv2', 'act2')])
def test_weights_that_are_not_finite_cost_the_frame_and_name_the_layer(conv, layer, value):
    network, batch = plain(), noise(2, 3, 32, 32)
    explainer = Explainer(network)
    expected = explainer(batch)
    bias = getattr(network, conv).bias
    before = bias.detach().clone()
    with torch.no_grad():
        bias[3] = value
    with pytest.raises(FrameError, match=f"activation of '{layer}' has NaN or infinite values"):
        explainer(batch)
    with torch.no_grad():
        bias.copy_(before)
    assert_same(explainer(batch), expected)


def test_an_input_that_is_not_finite_names_its_place_in_the_batch():
    explainer, batch = Explainer(plain()), noise(3, 3, 32, 32)
    expected = explainer(batch)
    bad = batch.clone()
    bad[1, 0, 20, 20] = float('nan')
    with pytest.raises(FrameError, match="frame 1 of the batch: activation of 'act1'"):
        explainer(bad)
    assert_same(explainer(batch), expected)


def test_logits_that_are_not_finite_cost_the_frame():
    network = plain()
    explainer = Explainer(network)
    with torch.no_grad():
        network.classifier.weight[0, 0] = float('nan')
    with pytest.raises(FrameError, match="frame 0 of the batch: the network's output has NaN"):
        explainer(noise(2, 3, 32, 32))


def test_a_batch_that_is_no_batch_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r'shape \(B, 3, H, W\), got \(3, 32, 32\)'):
        Explainer(plain())(noise(3, 32, 32))


def test_a_closed_explainer_refuses():
    with Explainer(plain()) as explainer:
        explainer(noise(1, 3, 32, 32))
    with pytest.raises(RuntimeError, match='closed'):
        explainer(noise(1, 3, 32, 32))


def test_a_closed_explainer_lets_go_of_the_network():
    network = plain()
    explainer = Explainer(network)
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is not None
    explainer.close()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (
            {'statistic': 'smoe_skale'},
            "unknown statistic 'smoe_skale'; did you mean smoe_scale or",
        ),
        ({'normalization': 'gausian'}, "unknown normalization 'gausian'; did you mean gaussian"),
        ({'scale_weights': 'equall'}, "unknown scale weights 'equall'; did you mean equal?"),
        ({'scale_weights': 'prior'}, "'prior' belong to 5 scales, this network has 3"),
        ({'scale_weights': (1, 2)}, '2 scale weights given for 3 scales'),
        ({'scales': 'act1'}, "scales is 'act1'; give 'auto' or a sequence of module paths"),
        ({'scales': ['akt1']}, "unknown scale (module path) 'akt1'; did you mean act1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else '',
)
def test_a_wrong_setting_is_refused_with_its_value_and_what_is_right(options, text):
    with pytest.raises(ConfigurationError) as refused:
        Explainer(Plain(), **options)
    assert text in str(refused.value)
