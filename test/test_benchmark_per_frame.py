# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks without ROS: what they compare gives the same result, and trial runs work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_networks import photo_batch

from smoe_ros.backbones import load_backbone
from smoe_ros.explainer import Explainer
from smoe_ros.rendering import lovi

BENCHMARK = Path(__file__).parents[1] / 'benchmark'
BACKBONES = ('efficientnet_lite0', 'resnet18')


@pytest.fixture(autouse=True)
def benchmark_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARK))


def network(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return load_backbone(name, 'default' if name == 'efficientnet_lite0' else 'random').model


@pytest.mark.parametrize('name', BACKBONES)
def test_textbook_and_smoe_ros_give_the_same_explanation(name: str) -> None:
    from textbook import lovi as textbook_lovi
    from textbook import textbook

    model, batch = network(name), photo_batch(128, 160)[:1]
    with Explainer(model) as explainer:
        ours = explainer(batch)
        points = [(scale.layer, scale.call) for scale in explainer.scales]
    theirs = textbook(model, batch, points)
    assert not any(module._forward_hooks for module in model.modules())
    maps = ours.scale_maps[0]
    torch.testing.assert_close(theirs.scale_maps, maps, atol=2e-3, rtol=0)
    torch.testing.assert_close(theirs.saliency, ours.saliency[0], atol=2e-3, rtol=0)
    torch.testing.assert_close(theirs.contributions, ours.contributions[0], atol=2e-3, rtol=0)
    assert theirs.saliency.std() > 0.05  # a flat map would agree with anything flat
    colours = torch.from_numpy(lovi(maps.numpy())).int()
    assert (colours - textbook_lovi(maps).int()).abs().max() <= 2


def test_every_peer_explains_every_network_at_the_size_that_is_said_of_it() -> None:
    for package in ('pytorch_grad_cam', 'torchcam', 'captum'):
        pytest.importorskip(package)
    import peers

    batch = photo_batch(128, 160)[:1]
    for name in BACKBONES:
        model = network(name)
        for peer in peers.PEERS:
            result = peer.prepare(model, peers.TARGET_LAYERS[name], batch)()
            (one,) = result if isinstance(result, list) else [result]
            size = (4, 5) if peer.map == 'coarse' else (128, 160)
            assert tuple(one.shape[-2:]) == size, (name, peer.name)
        assert not any(module._forward_hooks for module in model.modules())
        assert all(parameter.grad is None for parameter in model.parameters())


def test_candidates_take_turns_and_one_that_fails_costs_its_own_row_only() -> None:
    from measuring import interleaved

    ran = []

    def broken() -> object:
        raise ValueError('no\nsuch layer')

    candidates = {'a': lambda: ran.append('a'), 'broken': broken, 'b': lambda: ran.append('b')}
    failures: dict[str, str] = {}
    times = interleaved(candidates, repeats=2, failures=failures)
    assert {name: len(values) for name, values in times.items()} == {'a': 2, 'b': 2}
    assert failures == {'broken': 'ValueError: no such layer'}
    assert ''.join(ran) == 'abbaabbaab'  # three rounds do not count
    with pytest.raises(ValueError, match='no\nsuch layer'):
        interleaved(candidates, repeats=2)


def test_ratios_are_of_the_same_round() -> None:
    from per_frame import summarise

    # The machine is ten times slower from the third round on.
    times = {'bare': [1.0, 1.0, 10.0, 10.0, 10.0], 'ours': [2.0, 2.0, 20.0, 20.0, 20.0]}
    summary = summarise(times, {'ratio_to_bare': 'bare', 'ratio_to_none': 'none'})
    assert summary['ours']['ratio_to_bare'] == 2
    assert summary['ours']['median_ms'] == 20
    assert 'ratio_to_none' not in summary['ours']


@pytest.mark.slow
@pytest.mark.parametrize('name', ['per_frame', 'stages', 'growth'])
def test_trial_run_writes_a_record_whose_tables_it_prints(name: str, tmp_path: Path) -> None:
    output = tmp_path / 'new' / f'{name}.json'
    command = [sys.executable, str(BENCHMARK / f'{name}.py'), '--quick', '--output', str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    import record_tables

    record = json.loads(output.read_text())
    for table in getattr(record_tables, name)(record).values():
        assert table in done.stdout
        assert len(table.splitlines()) > 2
        assert len({line.count('|') for line in table.splitlines()}) == 1
    assert record['host']['versions']['torch'] == torch.__version__.partition('+')[0]
    if name == 'growth':
        assert list(record['engines']['torch']['scales']) == ['1', '2', '3', '4', '5']
    if name == 'per_frame':
        (one,), (memory,) = record['configurations'], record['memory']
        assert (one['input'], one['rounds']) == ('96x64', 3)
        for name, peaks in memory['candidates'].items():
            assert one['candidates'][name]['median_ms'] > 0
            assert peaks['peak_mb'] >= peaks['running_peak_mb'] > 50


@pytest.mark.parametrize(
    ('arguments', 'code'), [(('--repeats', '1'), 2), (('--backbones', 'resnet999'), 1)]
)
def test_mistake_is_said_in_a_line(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARK / 'per_frame.py'), '--quick', *arguments]
    command += ['--output', str(tmp_path / 'per_frame.json')]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code
    assert arguments[1] in done.stderr.strip().splitlines()[-1]
    assert 'Traceback' not in done.stderr
