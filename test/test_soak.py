# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The soak test: its statistics, and a run of a few seconds as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.alone

BENCHMARK = Path(__file__).parents[1] / 'benchmark'


@pytest.fixture
def statistics(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import soak_statistics

    return soak_statistics


def test_interval_holds_the_slope_also_where_memory_wanders(statistics) -> None:
    random, x = np.random.default_rng(0), np.linspace(0, 1, 240)
    holds = {'interval': 0, 'correlated_interval': 0}
    for _ in range(300):
        noise = np.zeros(len(x))
        for i in range(1, len(x)):
            noise[i] = 0.8 * noise[i - 1] + random.normal()
        line = statistics.fit_line(x, 5 * x + noise)
        for name in holds:
            low, high = getattr(line, name)()
            holds[name] += low <= 5 <= high
    assert holds['interval'] < 0.6 * 300
    assert holds['correlated_interval'] > 0.9 * 300


def test_a_line_without_points_for_its_uncertainty_is_refused(statistics) -> None:
    for x in ([0, 1], [1, 1, 1]):
        with pytest.raises(ValueError, match='three points'):
            statistics.fit_line(x, x)


def test_growing_age_shows_from_tenth_to_tenth(statistics) -> None:
    times = np.linspace(0, 60, 601)
    parts = statistics.tenths(times, 30 + times, 60)
    assert sum(part.count for part in parts) == 601
    assert [round(part.p50) for part in parts] == [33, 39, 45, 51, 57, 63, 69, 75, 81, 87]
    assert parts[-1].max == 90


def test_tenth_without_explanations_has_no_age(statistics) -> None:
    parts = statistics.tenths([1.0], [30.0], 60)
    assert (parts[0].count, parts[0].p95) == (1, 30)
    assert (parts[1].count, parts[1].p95) == (0, None)


def soak(*arguments: object, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARK / 'soak.py'), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def test_run_accounts_for_every_frame_and_writes_its_figures(ros_domain: int, tmp_path: Path):
    arguments = ['--domain', ros_domain, '--output', tmp_path, '--width', 160, '--height', 120]
    done = soak('--minutes', 0.1, '--cameras', 2, '-p', 'short_side:=64', *arguments)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / 'soak.json').read_text())
    frames = figures['frames']
    ended = sum(frames[name] for name in ('explained', 'dropped', 'rejected', 'waiting'))
    assert frames['in'] == ended > 0
    assert frames['never received'] == frames['published'] - frames['in'] >= 0
    assert frames['rejected'] == 0
    assert 0 < figures['contributions_received'] <= frames['explained']
    assert figures['overlays_received'] > 0
    assert figures['minutes'] == pytest.approx(0.1, abs=0.02)
    assert figures['settings']['cameras'] == 2
    assert figures['host']['cpus'] == os.cpu_count()
    memory = figures['memory_mb']['resident']
    low, high = memory['slope_interval_95']
    assert low <= memory['slope_mb_per_hour'] <= high
    assert 50 < memory['start'] < 10_000
    assert sum(part['count'] for part in figures['age_ms_tenths']) == figures['age_ms']['count']
    assert 0 < figures['age_ms']['p50'] <= figures['age_ms']['p95'] <= figures['age_ms']['max']
    assert figures['threads']['last'] > 1
    assert figures['cpus_busy'] > 0
    assert (tmp_path / 'soak.png').read_bytes().startswith(b'\x89PNG')
    assert '| **anonymous memory slope (MB an hour)** |' in done.stdout


def test_node_that_cannot_start_ends_the_run_with_its_reason(ros_domain: int) -> None:
    done = soak('--domain', ros_domain, '--backbone', 'resnet999')
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert 'resnet999' in done.stderr


@pytest.mark.parametrize(
    'arguments', [('--minutes', 'nan'), ('--rate', '0'), ('--cameras', '1.5'), ('-p', 'rate=3')]
)
def test_mistake_is_said_in_a_line_before_anything_starts(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, '-I', '-S', str(BENCHMARK / 'soak_options.py'), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert arguments[1] in done.stderr
