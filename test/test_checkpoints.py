# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights in files: the user's checkpoints, torch's cache of published ones, and downloads."""

import argparse
import hashlib
import warnings
from pathlib import Path

import pytest
import torch
import torchvision
from small_networks import one_thread  # noqa: F401

from smoe_ros.backbones import load_backbone
from smoe_ros.errors import ConfigurationError

# Small, and its published file is not likely to be in anybody's cache under tmp_path.
NAME = 'squeezenet1_1'
PUBLISHED = torchvision.models.get_model_weights(NAME).DEFAULT


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


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Point torch's cache to an empty folder, and return where it keeps weights."""
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    return tmp_path / 'hub' / 'checkpoints'


def published_file(cache):
    cache.mkdir(parents=True, exist_ok=True)
    return cache / PUBLISHED.url.rpartition('/')[2]


def refusal(weights='default', name=NAME, **options):
    """Return the one line with which weights are refused; nothing else may be said."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(ConfigurationError) as refused:
            load_backbone(name, weights, **options)
    text = str(refused.value)
    assert '\n' not in text
    assert '\x1b' not in text
    assert 'Warning' not in text
    assert len(text) < (700 if weights == 'default' else 500)
    assert weights == 'default' or str(weights) in text
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
    ],
    ids=['bare', 'under state_dict', 'under model', 'DataParallel'],
)
def test_a_checkpoint_is_loaded_in_each_of_its_usual_wrappings(saved, state, wrap):
    backbone = load_backbone(NAME, saved(wrap(state)))
    assert_loaded(backbone, state)
    assert backbone.labels[281] == 'tabby'


def test_of_a_torchscript_file_the_weights_are_taken(state, tmp_path):
    model = torchvision.models.get_model(NAME, weights=None).eval()
    model.load_state_dict(state)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.jit.script(model).save(str(tmp_path / 'script.pt'))
    assert_loaded(load_backbone(NAME, str(tmp_path / 'script.pt')), state)


@pytest.mark.parametrize(
    ('name', 'classifier'),
    [('efficientnet_lite0', '_fc'), ('resnet18', 'fc'), ('mobilenet_v3_small', 'classifier.3')],
)
def test_the_number_of_classes_is_the_checkpoints(saved, name, classifier):
    trained = load_backbone(name, 'random').model
    old = trained.get_submodule(classifier)
    trained.set_submodule(classifier, torch.nn.Linear(old.in_features, 7))
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


def test_damaged_bytes_are_refused_whatever_the_unpickler_makes_of_them(saved):
    for content in (b'', b'<html>Log in</html>', *(bytes([byte]) * 64 for byte in range(256))):
        text = refusal(saved(content))
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


# --- default weights in torch's cache -----------------------------------------------------------


def test_default_weights_that_are_missing_name_the_file_and_the_ways_out(cache):
    text = refusal(name='resnet50')
    expected = torchvision.models.ResNet50_Weights.DEFAULT.url.rpartition('/')[2]
    assert f'{cache / expected} is missing' in text
    assert 'set allow_download to true' in text
    assert not cache.exists()


def test_default_weights_in_the_cache_are_used(cache, state):
    torch.save(state, published_file(cache))
    backbone = load_backbone(NAME)
    assert backbone.labels == tuple(PUBLISHED.meta['categories'])
    assert_loaded(backbone, state)


def test_old_parameter_names_in_published_weights_are_understood(cache):
    """The files of torchvision's DenseNets are older than its names, and than some buffers."""
    weights = torchvision.models.DenseNet121_Weights.DEFAULT
    state = torchvision.models.densenet121(weights=None).state_dict()
    parts = {f'{part}{i}.': f'{part}.{i}.' for part in ('norm', 'conv') for i in (1, 2)}
    old = {}
    for name, value in state.items():
        for new_part, old_part in parts.items() if 'denselayer' in name else ():
            name = name.replace(new_part, old_part)  # noqa: PLW2901
        if not name.endswith('num_batches_tracked'):
            old[name] = value
    cache.mkdir(parents=True)
    torch.save(old, cache / weights.url.rpartition('/')[2])
    assert_loaded(load_backbone('densenet121'), state)


def test_weights_of_another_network_in_the_cache_are_named(cache):
    torch.save({'conv.weight': torch.zeros(3, 3)}, published_file(cache))
    text = refusal()
    assert f'do not load from {published_file(cache)}' in text
    assert 'delete that file' in text


def test_code_in_a_file_in_the_cache_is_not_run_and_the_file_is_named(cache, tmp_path, state):
    torch.save({**state, 'extra': RunsCode(tmp_path / 'run')}, published_file(cache))
    assert f"'{published_file(cache)}' is no readable checkpoint" in refusal()
    assert not (tmp_path / 'run').exists()


# --- downloads ----------------------------------------------------------------------------------


def publish(file, monkeypatch):
    """Let the published weights lie in a file of this machine."""
    monkeypatch.setattr(PUBLISHED.value, 'url', file.as_uri())


def test_an_allowed_download_is_made_once_and_used(cache, saved, state, tmp_path, monkeypatch):
    content = Path(saved(state)).read_bytes()
    source = tmp_path / f'{NAME}-{hashlib.sha256(content).hexdigest()[:8]}.pth'
    source.write_bytes(content)
    publish(source, monkeypatch)
    assert 'is missing' in refusal()
    assert_loaded(load_backbone(NAME, allow_download=True), state)
    assert published_file(cache).is_file()
    source.unlink()
    load_backbone(NAME)


def test_a_download_with_a_wrong_hash_is_refused_and_not_kept(cache, tmp_path, monkeypatch):
    source = tmp_path / f'{NAME}-0badc0de.pth'
    source.write_bytes(b'<html>Log in to the network</html>')
    publish(source, monkeypatch)
    text = refusal(allow_download=True)
    assert f'could not be downloaded to {published_file(cache)}' in text
    assert 'invalid hash value' in text
    assert list(cache.iterdir()) == []


def test_a_download_that_fails_is_refused_in_one_line(cache, tmp_path, monkeypatch):
    publish(tmp_path / f'{NAME}-00000000.pth', monkeypatch)
    text = refusal(allow_download=True)
    assert f'could not be downloaded to {published_file(cache)}' in text
    assert "put the file there, or set weights to a path or 'random'" in text
