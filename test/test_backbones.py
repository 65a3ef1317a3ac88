# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks by name: real weights, torch's cache of weights, and downloads.

Checkpoints that the user names are in test_checkpoints.py.
"""

import hashlib
import http.server
import threading
import urllib.request
from functools import partial

import pytest
import torch
import torchvision
from small_networks import CAT, COFFEE, one_thread  # noqa: F401

from smoe_ros.backbones import backbone_names, load_backbone
from smoe_ros.errors import ConfigurationError

# Small, and its published file is not likely to be in anybody's cache under tmp_path.
SMALL = 'squeezenet1_1'
PUBLISHED = torchvision.models.get_model_weights(SMALL).DEFAULT


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Point torch's cache to an empty folder, and return where it keeps weights."""
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    return tmp_path / 'hub' / 'checkpoints'


@pytest.fixture(scope='module')
def small_state():
    return torchvision.models.get_model(SMALL, weights=None).state_dict()


def published_file(cache):
    cache.mkdir(parents=True, exist_ok=True)
    return cache / PUBLISHED.url.rpartition('/')[2]


def refusal(*args, **options):
    """Return the one line with which a backbone is refused."""
    with pytest.raises(ConfigurationError) as refused:
        load_backbone(*args, **options)
    text = str(refused.value)
    assert '\n' not in text
    assert len(text) < 700
    return text


# --- names and real weights ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ('photo', 'classes', 'label'),
    [(CAT, range(281, 286), 'cat'), (COFFEE, [967], 'espresso')],
    ids=['cat', 'coffee'],
)
def test_the_default_backbone_recognises_photographs(photo, classes, label):
    backbone = load_backbone()
    with torch.no_grad():
        logits = backbone.model(backbone.preprocess(photo()).unsqueeze(0))
    best = int(logits.argmax())
    assert best in classes
    assert label in backbone.labels[best].lower()
    assert logits.softmax(dim=1)[0, list(classes)].sum() > 0.5


def test_a_backbone_is_in_evaluation_mode_and_has_a_label_for_each_class():
    backbone = load_backbone(SMALL, 'random')
    assert not any(module.training for module in backbone.model.modules())
    assert (backbone.name, len(backbone.labels)) == (SMALL, 1000)
    assert backbone.labels[281] == 'tabby'


def test_every_torchvision_classifier_segmenter_detector_and_the_default_have_a_name():
    names = backbone_names()
    some = ('efficientnet_lite0', 'resnet50', 'vit_b_16', 'fcn_resnet50', 'ssd300_vgg16')
    assert set(some) <= set(names)
    assert not any('quantized' in name or 'raft' in name or 'r3d' in name for name in names)


@pytest.mark.parametrize(
    ('name', 'near'),
    [('resnet5', 'resnet50'), ('EfficientNet-Lite0', 'efficientnet_lite0'), ('vgg-16', 'vgg16')],
)
def test_an_unknown_name_is_refused_with_its_nearest_matches(name, near):
    text = refusal(name)
    assert f"unknown backbone '{name}'; did you mean" in text
    assert near in text


def test_the_short_side_reaches_the_preprocessing():
    assert load_backbone(SMALL, 'random', short_side=96).preprocess(CAT()).shape == (3, 96, 160)


def test_torchvision_networks_get_their_published_mean_and_standard_deviation():
    white = load_backbone(SMALL, 'random').preprocess(CAT() * 0 + 255)
    expected = [(1 - m) / s for m, s in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]  # noqa: B905
    torch.testing.assert_close(white[:, 0, 0], torch.tensor(expected), rtol=0, atol=1e-5)


def normalised_white(**options):
    return load_backbone(SMALL, 'random', **options).preprocess(CAT() * 0 + 255)[:, 0, 0]


def test_a_mean_and_std_that_are_given_take_the_place_of_the_networks():
    white = normalised_white(mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    torch.testing.assert_close(white, torch.tensor([1.0, 1.0, 0.0]))


@pytest.mark.parametrize(
    'options',
    [
        {'mean': (0.5, 0.5)},
        {'mean': (123.675, 116.28, 103.53)},
        {'mean': (float('nan'), 0.5, 0.5)},
        {'std': (0.0, 0.5, 0.5)},
        {'std': (-0.2, 0.5, 0.5)},
        {'std': (58.4, 57.1, 57.4)},
    ],
    ids=str,
)
def test_a_mean_or_std_that_cannot_be_is_refused_with_the_scale(options):
    text = refusal(SMALL, 'random', **options)
    assert text.startswith(f'{next(iter(options))} is [')
    assert 'for pixel values 0..1 (divide by 255' in text


def test_labels_come_from_a_file_with_a_name_a_line(tmp_path):
    path = tmp_path / 'labels.txt'
    path.write_text('  kitchen\nstairs \n\nдверь\n', encoding='utf-8')
    assert load_backbone(SMALL, 'random', labels=str(path)).labels == (
        'kitchen',
        'stairs',
        '',
        'дверь',
    )


def test_imagenet_names_its_thousand_labels():
    labels = load_backbone(SMALL, 'random', labels='imagenet').labels
    assert (len(labels), labels[281]) == (1000, 'tabby')


@pytest.mark.parametrize(
    ('content', 'reason'),
    [(None, 'No such file'), (b'\xff\xfe\x00', 'no text in UTF-8'), (b'\n \n', 'names no class')],
    ids=['missing', 'binary', 'blank'],
)
def test_labels_that_cannot_be_read_are_refused_with_the_path(tmp_path, content, reason):
    path = tmp_path / 'labels.txt'
    if content is not None:
        path.write_bytes(content)
    text = refusal(SMALL, 'random', labels=str(path))
    assert f"labels '{path}'" in text
    assert reason in text


# --- default weights in torch's cache -----------------------------------------------------------


def test_default_weights_that_are_missing_name_the_file_and_the_ways_out(cache):
    text = refusal('resnet50')
    expected = torchvision.models.ResNet50_Weights.DEFAULT.url.rpartition('/')[2]
    assert f'{cache / expected} is missing' in text
    assert 'set allow_download to true' in text
    assert not cache.exists()


def test_default_weights_in_the_cache_are_used(cache, small_state):
    torch.save(small_state, published_file(cache))
    backbone = load_backbone(SMALL)
    assert backbone.labels == tuple(PUBLISHED.meta['categories'])
    for name, value in backbone.model.state_dict().items():
        assert torch.equal(value, small_state[name])


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
    loaded = load_backbone('densenet121').model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in loaded.items())


@pytest.mark.parametrize(
    'content',
    [b'', b'<html>Log in to the network</html>\n', b'PK\x03\x04 truncated', b'\x80\x02X'],
)
def test_a_damaged_file_in_the_cache_is_named(cache, content):
    published_file(cache).write_bytes(content)
    text = refusal(SMALL)
    assert str(published_file(cache)) in text
    assert 'is no readable checkpoint' in text


def test_weights_of_another_network_in_the_cache_are_named(cache, small_state):
    torch.save({'conv.weight': torch.zeros(3, 3)}, published_file(cache))
    text = refusal(SMALL)
    assert f'do not load from {published_file(cache)}' in text
    assert 'delete that file' in text


class RunsCode:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (exec, (f'open({str(self.path)!r}, "w")',))


def test_code_in_a_file_in_the_cache_is_not_run(cache, tmp_path, small_state):
    torch.save({**small_state, 'extra': RunsCode(tmp_path / 'run')}, published_file(cache))
    refusal(SMALL)
    assert not (tmp_path / 'run').exists()


# --- downloads ----------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder on this machine, and let the published weights lie there.

    Returns a function that publishes a content under a hash, by default its own.
    """
    folder = tmp_path / 'served'
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    http_server = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    for variable in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(urllib.request, '_opener', None)  # it remembers the proxies

    def publish(content, digest=None):
        digest = digest or hashlib.sha256(content).hexdigest()[:8]
        (folder / f'{SMALL}-{digest}.pth').write_bytes(content)
        url = f'http://127.0.0.1:{http_server.server_port}/{SMALL}-{digest}.pth'
        monkeypatch.setattr(PUBLISHED.value, 'url', url)

    yield publish
    http_server.shutdown()
    http_server.server_close()


def test_an_allowed_download_is_made_once_and_used(cache, server, small_state, tmp_path):
    source = tmp_path / 'source.pth'
    torch.save(small_state, source)
    server(source.read_bytes())
    assert 'is missing' in refusal(SMALL)
    state = load_backbone(SMALL, allow_download=True).model.state_dict()
    assert all(torch.equal(value, small_state[name]) for name, value in state.items())
    assert published_file(cache).is_file()
    load_backbone(SMALL)


def test_a_download_with_a_wrong_hash_is_refused_and_not_kept(cache, server):
    server(b'<html>Log in to the network</html>', digest='0badc0de')
    text = refusal(SMALL, allow_download=True)
    assert f'could not be downloaded to {published_file(cache)}' in text
    assert 'invalid hash value' in text
    assert list(cache.iterdir()) == []


def test_a_download_without_a_network_is_refused_in_one_line(cache, monkeypatch):
    # Nothing listens on port 9 of this machine.
    monkeypatch.setattr(PUBLISHED.value, 'url', f'http://127.0.0.1:9/{SMALL}-00000000.pth')
    monkeypatch.setattr(urllib.request, '_opener', None)
    for variable in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(variable, raising=False)
    text = refusal(SMALL, allow_download=True)
    assert f'could not be downloaded to {published_file(cache)}' in text
    assert "put the file there, or set weights to a path or 'random'" in text
