# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks by name, and what of preprocessing and labels the user may say.

Weights in files are in test_checkpoints.py.
"""

import pytest
import torch
from small_networks import CAT, COFFEE, one_thread, refusal_of_backbone  # noqa: F401

from smoe_ros.backbones import backbone_names, load_backbone

SMALL = 'squeezenet1_1'


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
    text = refusal_of_backbone(name)
    assert f"unknown backbone '{name}'; did you mean" in text
    assert near in text


def normalised_white(**options):
    return load_backbone(SMALL, 'random', **options).preprocess(CAT() * 0 + 255)[:, 0, 0]


def test_torchvision_networks_get_their_published_mean_and_standard_deviation():
    expected = (1 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(normalised_white(), expected, rtol=0, atol=1e-5)


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
        {'std': (58.4, 57.1, 57.4)},
    ],
    ids=str,
)
def test_a_mean_or_std_that_cannot_be_is_refused_with_the_scale(options):
    text = refusal_of_backbone(SMALL, 'random', **options)
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
    text = refusal_of_backbone(SMALL, 'random', labels=str(path))
    assert f"labels '{path}'" in text
    assert reason in text
