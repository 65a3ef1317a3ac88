# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The user's own network, in a file or a package of theirs, becomes a backbone."""

import sys

import pytest
import torch
from small_networks import CAT, one_thread, refusal_of_backbone  # noqa: F401

from smoe_ros.backbones import load_backbone
from smoe_ros.explainer import Explainer

# What a user would write: nothing of ours in it.
SOURCE = """
from torch import nn
from blocks import block


def build():
    return nn.Sequential(
        block(3, 8), block(8, 16), block(16, 32),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4),
    )


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = build()

    def forward(self, x):
        return self.layers(x)


ready = build()
number = 7


def fails():
    raise RuntimeError('no weights\\nfor you')


def nothing():
    return None
"""
BLOCKS = """
from torch import nn


def block(channels_in, channels_out):
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, 2, 1), nn.ReLU())
"""


@pytest.fixture
def file(tmp_path):
    """Return a file with networks, beside one that it imports."""
    (tmp_path / 'own_net.py').write_text(SOURCE)
    (tmp_path / 'blocks.py').write_text(BLOCKS)
    yield tmp_path / 'own_net.py'
    for name in ('blocks', 'own_net', 'own_package.net', 'own_package'):
        sys.modules.pop(name, None)


@pytest.mark.parametrize('function', ['build', 'Net', 'ready'])
def test_a_function_a_class_or_a_module_in_a_file_becomes_a_backbone(file, function):
    backbone = load_backbone(f'{file}:{function}')
    assert not any(module.training for module in backbone.model.modules())
    assert backbone.labels == ()
    with Explainer(backbone.model) as explainer:
        assert [scale.channels for scale in explainer.scales] == [8, 16, 32]
        explanation = explainer(backbone.preprocess(CAT()).unsqueeze(0))
    assert explanation.logits.shape == (1, 4)


def test_a_module_on_pythonpath_becomes_a_backbone(file, monkeypatch):
    package = file.parent / 'own_package'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / 'net.py').write_text(SOURCE)
    monkeypatch.syspath_prepend(str(file.parent))
    assert len(load_backbone('own_package.net:build').model) == 6


def test_a_file_leaves_the_search_path_as_it_was(file):
    before = list(sys.path)
    load_backbone(f'{file}:build')
    assert sys.path == before


def test_a_file_named_like_an_installed_package_hides_nothing(file):
    impostor = file.with_name('torchvision.py')
    impostor.write_text(SOURCE)
    known = sys.modules['torchvision']
    load_backbone(f'{impostor}:build')
    assert sys.modules['torchvision'] is known


def test_a_checkpoint_is_loaded_into_it(file, tmp_path):
    state = load_backbone(f'{file}:build').model.state_dict()
    state = {name: torch.full_like(value, 0.25) for name, value in state.items()}
    torch.save({'state_dict': state}, tmp_path / 'weights.pth')
    loaded = load_backbone(f'{file}:build', str(tmp_path / 'weights.pth')).model.state_dict()
    assert all((value == 0.25).all() for value in loaded.values())


@pytest.mark.parametrize(
    ('suffix', 'parts'),
    [
        (':bild', ["unknown function of backbone '", "'bild'; did you mean build"]),
        (':number', ['number() failed: TypeError']),
        (':fails', ['fails() failed: RuntimeError: no weights for you']),
        (':nothing', ['nothing() returned NoneType, but must return a torch.nn.Module']),
        ('', ['names no function of that file; write ', ':build if build() returns the network']),
    ],
    ids=['misspelt', 'no_function', 'raises', 'returns_nothing', 'no_name'],
)
def test_what_builds_no_network_is_refused_in_one_line(file, suffix, parts):
    text = refusal_of_backbone(f'{file}{suffix}')
    for part in parts:
        assert part in text


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert f'there is no file {tmp_path}/net.py' in refusal_of_backbone(f'{tmp_path}/net.py:build')


@pytest.mark.parametrize('source', ['def build(:', 'import no_such_thing', '1 / 0'])
def test_a_file_that_does_not_import_is_refused_with_the_reason(tmp_path, source):
    (tmp_path / 'net.py').write_text(source)
    text = refusal_of_backbone(f'{tmp_path}/net.py:build')
    assert 'cannot be imported: ' in text
    assert any(kind in text for kind in ('SyntaxError', 'no_such_thing', 'ZeroDivisionError'))


def test_a_module_that_python_does_not_find_is_refused_with_the_ways_out():
    text = refusal_of_backbone('no_such_package.net:build')
    assert "Python finds no module 'no_such_package'" in text
    assert 'PYTHONPATH' in text


def test_a_checkpoint_that_does_not_fit_is_refused(file, tmp_path):
    torch.save({'other': torch.zeros(2)}, tmp_path / 'weights.pth')
    text = refusal_of_backbone(f'{file}:build', str(tmp_path / 'weights.pth'))
    assert f"weights '{tmp_path}/weights.pth' do not fit backbone '{file}:build'" in text
