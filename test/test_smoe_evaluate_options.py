# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_evaluate: every option of network and method changes what is measured."""

import json

import pytest
import torch
from evaluation_runs import arguments, figures, write_network, write_photos
from small_networks import one_thread  # noqa: F401 - a fixture

from smoe_ros.backbones import load_backbone
from smoe_ros.evaluation.smoe_evaluate import main

FEW = ('--methods', 'smoe scale,random')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A network, photos, and a checkpoint of other weights."""
    folder = tmp_path_factory.mktemp('options')
    write_network(folder)
    write_photos(folder / 'photos')
    return folder


@pytest.fixture(scope='module')
def measured(folder):
    """Give a function that measures on one photo, and returns figures and summary."""

    def run(*options, backbone='build'):
        output = folder / f'out_{len(list(folder.iterdir()))}'
        photo = folder / 'photos' / 'cat.png'
        assert main([*arguments(folder, output, photo, *FEW, backbone=backbone), *options]) == 0
        return figures(output), json.loads((output / 'evaluation.json').read_text())

    return run


@pytest.fixture(scope='module')
def usual(measured):
    return measured()


def changed(before, after):
    """Return the methods whose insertion differs between two runs."""
    names = ('SMOE Scale', 'random')
    keys = {name: ('faithfulness', 'cat', name, 'insertion_curve') for name in names}
    return [name for name, key in keys.items() if before[0][key] != after[0][key]]


@pytest.mark.parametrize(
    ('option', 'value'),
    [('--scales', '2'), ('--scale-weights', '0,0,1'), ('--normalization', 'min_max')],
)
def test_the_method_changes_our_maps_and_no_others(measured, usual, option, value):
    assert changed(usual, measured(option, value)) == ['SMOE Scale']


def test_what_the_network_gets_changes_every_figure(measured, usual):
    assert changed(usual, measured('--mean', '0.9,0.1,0.3')) == ['SMOE Scale', 'random']


def test_maps_of_another_statistic_have_its_name(measured, usual):
    other = measured('--statistic', 'channel_max', '--methods', 'channel_max')
    key = 'faithfulness', 'cat', 'channel_max', 'insertion_curve'
    assert other[0][key] != usual[0]['faithfulness', 'cat', 'SMOE Scale', 'insertion_curve']
    assert [row['name'] for row in other[1]['methods']] == ['channel_max']


def test_another_network_is_measured_and_named(measured, usual):
    other = measured(backbone='other')
    assert changed(usual, other) == ['SMOE Scale', 'random']
    assert usual[1]['backbone'].endswith('network.py:build')
    assert other[1]['backbone'].endswith('network.py:other')


def test_the_checkpoint_that_was_named_is_used_and_told(measured, usual, folder):
    network = load_backbone(f'{folder / "network.py"}:build').model
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(1.5)
    path = folder / 'weights.pt'
    torch.save(network.state_dict(), path)
    other = measured('--weights', str(path))
    assert changed(usual, other) == ['SMOE Scale', 'random']
    assert (usual[1]['weights'], other[1]['weights']) == ('default', str(path))


def test_classes_have_the_names_of_the_file(measured, folder):
    (folder / 'labels.txt').write_text('\n'.join(f'thing {index}' for index in range(5)))
    (answer,) = measured('--labels', str(folder / 'labels.txt'))[1]['answers']
    assert answer['class'].startswith('thing ')
    assert 0.2 < answer['probability'] <= 1  # the most probable of five


def test_the_seed_changes_what_is_drawn_and_nothing_else(measured, usual):
    other = measured('--seed', '5')
    assert changed(usual, other) == []
    key = 'sensitivity', 'cat', 'SMOE Scale', 'max_sensitivity'
    assert usual[0][key] != other[0][key]


def test_so_many_threads_are_used(measured):
    measured('--threads', '2')
    assert torch.get_num_threads() == 2


def test_a_peer_is_prepared_only_if_it_is_asked_for(folder, tmp_path, capfd, monkeypatch):
    def refuse(*_arguments):
        raise AssertionError('nobody asked for a peer')

    monkeypatch.setattr('smoe_ros.evaluation.peers.target_layer', refuse)
    options = arguments(folder, tmp_path / 'out', folder / 'photos' / 'cat.png', *FEW)
    assert main(options) == 0
    assert 'left out' not in capfd.readouterr().err


def test_a_peer_that_is_not_installed_is_left_out_and_alone_refused(
    folder, tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr('smoe_ros.evaluation.peers.find_spec', lambda _module: None)
    photo, peer = folder / 'photos' / 'cat.png', 'eigencam (grad-cam)'
    assert main([*arguments(folder, tmp_path / 'one', photo), '--methods', peer]) == 1
    assert 'none of the methods asked for can be used; pip install' in capfd.readouterr().err
    assert not (tmp_path / 'one').exists()
    assert main([*arguments(folder, tmp_path / 'two', photo), '--methods', f'random,{peer}']) == 0
    assert 'left out: grad-cam is not installed' in capfd.readouterr().err
    summary = json.loads((tmp_path / 'two' / 'evaluation.json').read_text())
    assert [row['name'] for row in summary['methods']] == ['random']
