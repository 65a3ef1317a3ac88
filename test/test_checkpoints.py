# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files that the user names: what is loaded, and what is refused in one line."""

import argparse
import warnings

import pytest
import torch
import torchvision
from small_networks import one_thread  # noqa: F401

from smoe_ros.backbones import load_backbone
from smoe_ros.errors import ConfigurationError

NAME = 'squeezenet1_1'


@pytest.fixture(scope='module')
def state():
    return torchvision.models.get_model(NAME, weights=None).state_dict()


@pytest.fixture
def saved(tmp_path):
    """Save anything as a checkpoint and return its path."""

    def save(content):
        path = tmp_path / 'checkpoint.pth'
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        return str(path)

    return save


def refusal(weights, name=NAME):
    """Return the one line with which a checkpoint is refused; nothing else may be said."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(ConfigurationError) as refused:
            load_backbone(name, weights)
    text = str(refused.value)
    assert '\n' not in text
    assert '\x1b' not in text
    assert 'Warning' not in text
    assert len(text) < 500
    assert str(weights) in text
    # Anything else would be printed below the refusal as its cause.
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return text


def assert_loaded(backbone, state):
    for name, value in backbone.model.state_dict().items():
        assert torch.equal(value, state[name]), name


# --- what is loaded -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    'wrap',
    [
        lambda state: state,
        lambda state: {'state_dict': state, 'epoch': 90, 'lr': 0.1},
        lambda state: {'model': state, 'optimizer': {'state': {}, 'param_groups': []}},
        lambda state: {f'module.{name}': value for name, value in state.items()},
        lambda state: {'state_dict': {f'module.{name}': value for name, value in state.items()}},
    ],
    ids=['bare', 'under state_dict', 'under model', 'DataParallel', 'DataParallel, nested'],
)
def test_a_checkpoint_is_loaded_in_each_of_its_usual_wrappings(saved, state, wrap):
    backbone = load_backbone(NAME, saved(wrap(state)))
    assert_loaded(backbone, state)
    assert backbone.labels[281] == 'tabby'


@pytest.mark.parametrize('name', ['efficientnet_lite0', 'resnet18', 'mobilenet_v3_small'])
def test_the_number_of_classes_is_the_checkpoints(saved, name):
    build = torchvision.models.get_model
    trained = (
        load_backbone(name, 'random').model
        if name == 'efficientnet_lite0'
        else build(name, weights=None, num_classes=7)
    )
    if name == 'efficientnet_lite0':
        trained._fc = torch.nn.Linear(1280, 7)
    backbone = load_backbone(name, saved(trained.state_dict()))
    assert_loaded(backbone, trained.state_dict())
    assert backbone.labels == tuple(f'class {index}' for index in range(7))
    with torch.no_grad():
        assert backbone.model(torch.zeros(1, 3, 64, 64)).shape == (1, 7)


def test_a_path_may_begin_with_the_home_folder(saved, state, tmp_path, monkeypatch):
    saved(state)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert_loaded(load_backbone(NAME, '~/checkpoint.pth'), state)


# --- what is refused ----------------------------------------------------------------------------


def test_a_path_that_is_no_file_is_refused_with_the_choices(tmp_path):
    for path in (tmp_path / 'absent.pth', tmp_path):
        text = refusal(str(path))
        assert "is no file; give 'default', 'random' or the path of a checkpoint" in text


@pytest.mark.parametrize(
    'content',
    [b'', b'epoch 1: loss 6.9\n' * 9, b'<html>Log in</html>', b'PK\x03\x04'],
    ids=['empty', 'text', 'html', 'cut zip'],
)
def test_a_file_that_is_no_checkpoint_is_refused(saved, content):
    assert 'is no readable checkpoint' in refusal(saved(content))


def test_damaged_bytes_are_refused_whatever_the_unpickler_makes_of_them(saved):
    for byte in range(256):
        text = refusal(saved(bytes([byte]) * 64))
        assert 'is no readable checkpoint' in text or 'holds no state dict' in text


@pytest.mark.parametrize('part', [0.001, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused(saved, state, tmp_path, part):
    path = saved(state)
    whole = (tmp_path / 'checkpoint.pth').read_bytes()
    saved(whole[: int(len(whole) * part)])
    assert 'is no readable checkpoint' in refusal(path)


@pytest.mark.parametrize(
    'content',
    [[1, 2], {}, {'epoch': 3}, {'state_dict': {}}, {0: torch.zeros(3)}, torch.zeros(3)],
    ids=['list', 'empty', 'no tensors', 'nested empty', 'numbered', 'tensor'],
)
def test_a_checkpoint_without_a_state_dict_is_refused(saved, content):
    assert 'holds no state dict' in refusal(saved(content))


@pytest.mark.parametrize('name', ['resnet18', 'efficientnet_lite0'])
def test_weights_of_another_network_are_refused(saved, state, name):
    assert f"do not fit backbone '{name}'" in refusal(saved(state), name)


def test_weights_without_a_classifier_are_refused(saved):
    whole = torchvision.models.resnet18(weights=None).state_dict()
    features = {name: value for name, value in whole.items() if not name.startswith('fc.')}
    assert "do not fit backbone 'resnet18'" in refusal(saved(features), 'resnet18')


class RunsCode:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (exec, (f'open({str(self.path)!r}, "w")',))


def test_code_in_a_checkpoint_is_not_run(saved, state, tmp_path):
    text = refusal(saved({**state, 'extra': RunsCode(tmp_path / 'run')}))
    assert not (tmp_path / 'run').exists()
    assert 'may run code' in text


def test_a_checkpoint_with_more_than_tensors_is_refused_with_the_way_out(saved, state):
    text = refusal(saved({'model': state, 'args': argparse.Namespace(epochs=90)}))
    assert 'save model.state_dict() alone' in text


def test_a_whole_pickled_model_is_refused_with_the_way_out(saved):
    text = refusal(saved(torchvision.models.get_model(NAME, weights=None)))
    assert 'save model.state_dict() alone' in text
