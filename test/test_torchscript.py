# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A TorchScript file behaves as the network it was made of, modules, hooks and all."""

import warnings
import zipfile

import pytest
import torch
import torchvision
from small_networks import noise
from torch import Tensor, nn

from smoe_ros.backbones import load_backbone
from smoe_ros.backbones.torchscript import load_torchscript
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer
from smoe_ros.scales import find_scales

pytestmark = pytest.mark.filterwarnings('ignore::FutureWarning', 'ignore::DeprecationWarning')

BATCH = noise(1, 3, 64, 96, seed=1)
NETWORKS = {
    'resnet18': ('script', 'trace'),
    'mobilenet_v2': ('script',),
    'googlenet': ('trace',),
    'convnext_tiny': ('script',),
    'efficientnet_lite0': ('trace',),
}


def save(model, path, how='script'):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        if how == 'trace':
            example = torch.zeros(1, 3, 64, 64)
            script = torch.jit.trace(model, example, check_trace=False)
        else:
            script = torch.jit.script(model)
        torch.jit.save(script, str(path))
    return path


@pytest.fixture(
    scope='module',
    params=[(name, how) for name, hows in NETWORKS.items() for how in hows],
    ids=str,
)
def pair(request, tmp_path_factory):
    name, how = request.param
    torch.manual_seed(0)
    if name == 'efficientnet_lite0':
        model = load_backbone().model
    else:
        options = {'init_weights': False} if name == 'googlenet' else {}
        model = torchvision.models.get_model(name, weights=None, **options).eval()
    path = save(model, tmp_path_factory.mktemp('networks') / f'{name}.pt', how)
    return model, load_backbone(str(path)).model


def test_output_equals_the_original(pair):
    original, loaded = pair
    batch = noise(2, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(batch), original(batch), atol=1e-5, rtol=1e-5)


def test_names_of_modules_classes_and_weights_are_the_original_ones(pair):
    original, loaded = pair
    names, wanted = (
        {n: type(m).__name__ for n, m in x.named_modules()} for x in (loaded, original)
    )
    assert names == wanted
    assert list(loaded.state_dict()) == list(original.state_dict())


def test_finds_the_scales_of_the_original(pair):
    original, loaded = pair
    assert find_scales(loaded, BATCH) == find_scales(original, BATCH)


def test_explains_like_the_original_and_leaves_no_hook(pair):
    loaded = pair[1]
    expected, found = (Explainer(model, input_size=(64, 96))(BATCH) for model in pair)
    torch.testing.assert_close(found.saliency, expected.saliency, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.scale_maps, expected.scale_maps, atol=1e-4, rtol=0)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in loaded.modules())


class Steered(nn.Module):
    """Calls a module under a condition, in a loop, and in a list."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor, times: int) -> Tensor:
        parts = [x]
        while len(parts) <= times:
            x = self.conv(x) if len(parts) % 2 == 1 else torch.relu(x) - self.conv(x)
            parts.append(x)
        return self.drop(torch.cat(parts, 1))


def test_loops_and_conditions_run_as_in_the_original(tmp_path):
    original = Steered().eval()
    loaded = load_torchscript(save(original, tmp_path / 'steered.pt'))
    calls = []
    loaded.conv.register_forward_hook(lambda *_: calls.append(1))
    for times in (0, 3):
        torch.testing.assert_close(loaded(BATCH, times), original(BATCH, times))
    assert len(calls) == 3


def test_modes_reach_the_compiled_code(tmp_path):
    loaded = load_torchscript(save(Steered().train(), tmp_path / 'steered.pt'))
    assert loaded.training and not torch.equal(loaded(BATCH, 0), BATCH)
    assert torch.equal(loaded.eval()(BATCH, 0), BATCH)


def test_conversions_and_new_weights_reach_the_compiled_code(tmp_path):
    original = Steered().eval()
    loaded = load_torchscript(save(original, tmp_path / 'steered.pt'))
    converted = loaded.to(torch.float64)(BATCH.double(), 1)
    torch.testing.assert_close(converted, original.double()(BATCH.double(), 1))
    fresh = Steered().double().eval()
    loaded.load_state_dict(fresh.state_dict())
    torch.testing.assert_close(loaded(BATCH.double(), 1), fresh(BATCH.double(), 1))


class Keeping(nn.Module):
    """Keeps a state, which is refused."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count = self.count + 1
        return self.conv(x)


def test_what_cannot_be_followed_is_refused_when_loading(tmp_path):
    path = save(Keeping(), tmp_path / 'keeping.pt')
    with pytest.raises(ConfigurationError, match=r"Keeping uses 'prim::SetAttr'.*package.module:"):
        load_torchscript(path)


@pytest.mark.parametrize('kind', ['missing', 'empty', 'garbage', 'state dict', 'damaged'])
def test_what_is_no_torchscript_is_refused_in_one_line_with_its_path(tmp_path, kind):
    path = tmp_path / 'file.pt'
    if kind in ('empty', 'garbage'):
        path.write_bytes(b'garbage' * 99 if kind == 'garbage' else b'')
    elif kind == 'state dict':
        torch.save(nn.Conv2d(3, 3, 1).state_dict(), path)
    elif kind == 'damaged':
        with zipfile.ZipFile(path, 'w') as archive:
            for name in ('network/constants.pkl', 'network/code/network.py'):
                archive.writestr(name, '')

    with pytest.raises(ConfigurationError) as caught:
        load_torchscript(path)
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)
    assert 'torch.jit' in str(caught.value) or kind == 'damaged'
