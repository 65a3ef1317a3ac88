# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The per-frame benchmark: what it compares gives the same result, and a trial run has tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from smoe_ros.backbones import load_backbone
from smoe_ros.explainer import Explainer
from smoe_ros.rendering import lovi

BENCHMARK = Path(__file__).parents[1] / 'benchmark'
BACKBONES = ('efficientnet_lite0', 'resnet18')


@pytest.fixture(autouse=True)
def benchmark_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARK))


@pytest.fixture
def textbook() -> ModuleType:
    import textbook

    return textbook


def network(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return load_backbone(name, 'default' if name == 'efficientnet_lite0' else 'random').model


def photo(height: int = 128, width: int = 160) -> torch.Tensor:
    """Return waves of many lengths: (1, 3, height, width)."""
    y, x = torch.meshgrid(torch.linspace(0, 9, height), torch.linspace(0, 9, width), indexing='ij')
    channels = [torch.sin(y * x), torch.cos(y * y / 3), torch.sin(x + 2 * y)]
    return torch.stack(channels)[None]


@pytest.mark.parametrize('normalization', ['gaussian_cdf', 'gamma_cdf'])
@pytest.mark.parametrize('name', BACKBONES)
def test_textbook_and_smoe_ros_give_the_same_explanation(
    textbook: ModuleType, name: str, normalization: str
) -> None:
    model, batch = network(name), photo()
    with Explainer(model, normalization=normalization) as explainer:
        ours = explainer(batch)
        points = [(scale.layer, scale.call) for scale in explainer.scales]
    theirs = textbook.Textbook(model, points, normalization)(batch)
    torch.testing.assert_close(theirs.logits, ours.logits, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(theirs.scale_maps, ours.scale_maps[0], atol=2e-3, rtol=0)
    torch.testing.assert_close(theirs.saliency, ours.saliency[0], atol=2e-3, rtol=0)
    torch.testing.assert_close(theirs.contributions, ours.contributions[0], atol=2e-3, rtol=0)
    assert theirs.saliency.std() > 0.05  # a flat map would agree with anything flat


@pytest.mark.parametrize('name', BACKBONES)
def test_textbook_and_smoe_ros_draw_the_same_lovi(textbook: ModuleType, name: str) -> None:
    model, batch = network(name), photo()
    with Explainer(model) as explainer:
        maps = explainer(batch).scale_maps[0]
    ours = lovi(maps.numpy()).astype(int)
    theirs = textbook.lovi(maps).numpy().astype(int)
    assert theirs.shape == (128, 160, 3)
    assert np.abs(ours - theirs).max() <= 2


def test_textbook_leaves_no_hook_behind(textbook: ModuleType) -> None:
    model = network('resnet18')
    explain = textbook.Textbook(model, [('relu', 0), ('layer4', 0)])
    explain.close()
    assert not any(module._forward_hooks for module in model.modules())


def test_every_peer_explains_every_network_at_the_size_that_is_said_of_it() -> None:
    for package in ('pytorch_grad_cam', 'torchcam', 'captum'):
        pytest.importorskip(package)
    import peers

    batch = photo()
    for name in BACKBONES:
        model = network(name)
        for peer in peers.PEERS:
            result = peer.prepare(model, peers.TARGET_LAYERS[name], batch)()
            (one,) = result if isinstance(result, list) else [result]
            size = (4, 5) if peer.map == 'coarse' else (128, 160)
            assert tuple(one.shape[-2:]) == size, (name, peer.name)
        assert not any(module._forward_hooks for module in model.modules())
        assert all(parameter.grad is None for parameter in model.parameters())


def test_a_candidate_that_fails_costs_its_own_row_only() -> None:
    import per_frame_timing as timing

    def broken() -> object:
        raise ValueError('no\nsuch layer')

    calls = []

    def breaks_later() -> object:
        calls.append(1)
        return broken() if len(calls) > 4 else None

    builders = {'good': lambda: lambda: None, 'broken': broken, 'later': lambda: breaks_later}
    candidates, reasons = timing.prepare(builders)
    assert list(candidates) == ['good', 'later']
    assert reasons == {'broken': 'ValueError: no such layer'}
    times, failed = timing.interleaved(candidates, repeats=4, seconds=60)
    assert len(times['good']) == 4
    assert failed == {'later': 'ValueError: no such layer'}


def test_ratios_are_of_the_same_round() -> None:
    import per_frame_timing as timing

    # The machine is ten times slower from the third round on.
    times = {'bare': [1.0, 1.0, 10.0, 10.0, 10.0], 'ours': [2.0, 2.0, 20.0, 20.0, 20.0]}
    summary = timing.summarise(times, {'ratio_to_bare': 'bare', 'ratio_to_none': 'none'})
    assert summary['ours']['ratio_to_bare'] == 2
    assert summary['ours']['median_ms'] == 20
    assert 'ratio_to_none' not in summary['ours']


@pytest.mark.slow
def test_trial_run_writes_a_record_whose_tables_it_prints(tmp_path: Path) -> None:
    output = tmp_path / 'new' / 'per_frame.json'
    command = [sys.executable, str(BENCHMARK / 'per_frame.py'), '--quick', '--output', str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads(output.read_text())
    from per_frame_tables import tables

    printed = tables(record)
    assert set(printed) == {'per frame', 'peers', 'memory', 'agreement'}
    for table in printed.values():
        assert table in done.stdout
        widths = {line.count('|') for line in table.splitlines()}
        assert len(table.splitlines()) > 2
        assert len(widths) == 1
    (one,) = record['configurations']
    assert one['input'] == '96x64'
    assert one['rounds'] == 3
    for name in ('bare network, torch', 'smoe_ros, torch', 'textbook'):
        assert one['candidates'][name]['median_ms'] > 0, name
    assert one['candidates']['bare network, torch']['ratio_to_bare'] == 1
    memory = record['memory'][0]['candidates']
    for name in ('bare network, torch', 'smoe_ros, torch', 'textbook'):
        assert memory[name]['peak_mb'] >= memory[name]['running_peak_mb'] > 50, name


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
