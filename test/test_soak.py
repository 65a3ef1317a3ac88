# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The soak test: its statistics, and a run of a few seconds as a user starts it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.alone

BENCHMARK = Path(__file__).parents[1] / 'benchmark'


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import soak_report

    return soak_report


def test_interval_holds_the_slope_also_where_memory_wanders(report) -> None:
    random, x = np.random.default_rng(0), np.linspace(0, 1, 240)
    holds = 0
    for _ in range(300):
        noise = np.zeros(len(x))
        for i in range(1, len(x)):
            noise[i] = 0.8 * noise[i - 1] + random.normal()
        low, high = report.slope(x, 5 * x + noise)['slope_interval_95']
        holds += low <= 5 <= high
    assert 0.9 * 300 < holds < 300
    assert report.slope([0, 1], [0, 1])['slope_mb_per_hour'] is None


def test_growing_age_shows_from_tenth_to_tenth(report) -> None:
    times = np.linspace(0, 60, 601)
    parts = report.tenths(times, 30 + times, 60)
    assert [round(part['p50']) for part in parts] == [33, 39, 45, 51, 57, 63, 69, 75, 81, 87]
    assert parts[-1]['max'] == 90
    assert report.tenths([1.0], [30.0], 60)[1] == {
        'count': 0,
        'p50': None,
        'p95': None,
        'max': None,
    }


def start(domain: int, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, BENCHMARK / 'soak.py', '--domain', domain, *arguments]
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    return subprocess.Popen(list(map(str, command)), **pipes)


@pytest.mark.parametrize('early', [False, True])
def test_run_accounts_for_every_frame_and_writes_its_figures(
    ros_domain: int, tmp_path: Path, early: bool
) -> None:
    arguments = ['--output', tmp_path, '--width', 160, '--height', 120, '-p', 'short_side:=64']
    run = start(ros_domain, '--cameras', 2, '--minutes', 1 if early else 0.1, *arguments)
    if early:
        assert 'explanations' in run.stderr.readline()  # its first sign of progress
        time.sleep(3)
        run.send_signal(signal.SIGINT)
    said, errors = run.communicate(timeout=180)
    assert run.returncode == 0, errors
    figures = json.loads((tmp_path / 'soak.json').read_text())
    assert figures['stopped_early'] == early
    frames = figures['frames']
    ended = sum(frames[name] for name in ('explained', 'dropped', 'rejected', 'waiting'))
    assert frames['in'] == ended > 0
    assert frames['never received'] == frames['published'] - frames['in'] >= -early
    assert early or figures['minutes'] == pytest.approx(0.1, abs=0.02)
    assert 50 < figures['memory_mb']['resident']['start'] < 10_000
    assert sum(part['count'] for part in figures['age_ms_tenths']) == figures['age_ms']['count']
    assert 0 < figures['age_ms']['count'] <= frames['explained']
    assert 0 < figures['age_ms']['p50'] <= figures['age_ms']['p95'] <= figures['age_ms']['max']
    assert (tmp_path / 'soak.png').read_bytes().startswith(b'\x89PNG')
    assert '| its slope after warm-up, with 95 % interval |' in said


def test_node_that_cannot_start_ends_the_run_with_its_reason(ros_domain: int) -> None:
    run = start(ros_domain, '-p', 'backbone:=resnet999')
    _, errors = run.communicate(timeout=180)
    assert run.returncode == 1
    (line,) = errors.strip().splitlines()
    assert 'resnet999' in line


@pytest.mark.parametrize(
    'arguments', [('--minutes', 'nan'), ('--rate', '0'), ('--cameras', '1.5')]
)
def test_mistake_is_said_in_a_line_before_anything_is_installed(
    arguments: tuple[str, ...],
) -> None:
    command = [sys.executable, '-S', str(BENCHMARK / 'soak_options.py'), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert arguments[1] in line
