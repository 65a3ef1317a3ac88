# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark through ROS: its search, its percentiles, its cameras, and a run of seconds."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip('rclpy')

BENCHMARK = Path(__file__).parents[1] / 'benchmark'
RESOLUTION = 1.05


@pytest.fixture(scope='module')
def peak() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARK))
        import through_ros_peak

        return through_ros_peak


@pytest.fixture(scope='module')
def trial() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARK))
        import through_ros_trial

        return through_ros_trial


@given(limit=st.floats(1.0, 119.9), guess=st.floats(1.0, 120.0))
def test_search_brackets_the_rate_that_is_kept_up_with(
    peak: ModuleType, limit: float, guess: float
) -> None:
    search = peak.PeakSearch(guess, 1.0, 120.0, RESOLUTION)
    trials = 0
    while not search.done:
        search.take(passed=search.rate <= limit)
        trials += 1
    assert search.passed <= limit < search.failed
    assert search.failed / search.passed <= RESOLUTION
    # Seven octaves at most, then the halvings of one octave, then the end once more.
    assert trials <= 9 + math.ceil(math.log2(math.log(2) / math.log(RESOLUTION)))


@given(limit=st.floats(1.0, 119.9), hiccup=st.integers(0, 20))
def test_hiccup_of_the_machine_does_not_lower_the_peak(
    peak: ModuleType, limit: float, hiccup: int
) -> None:
    search = peak.PeakSearch(30.0, 1.0, 120.0, RESOLUTION)
    for trial in range(40):
        if search.done:
            break
        search.take(passed=search.rate <= limit and trial != hiccup)
    assert search.done
    assert search.passed is not None
    assert search.passed <= limit < search.passed * RESOLUTION


def test_search_says_when_the_peak_lies_beyond_its_bounds(peak: ModuleType) -> None:
    for always, passed, failed in ((True, 120.0, None), (False, None, 1.0)):
        search = peak.PeakSearch(30.0, 1.0, 120.0, RESOLUTION)
        while not search.done:
            search.take(passed=always)
        assert (search.passed, search.failed) == (passed, failed)


@given(st.lists(st.floats(0.0, 1e4), min_size=1, max_size=300))
def test_percentiles_are_those_of_linear_interpolation(
    trial: ModuleType, ages: list[float]
) -> None:
    ordered = sorted(ages)
    for name, share in (('p50', 0.5), ('p95', 0.95), ('p99', 0.99)):
        place = share * (len(ages) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        expected = low + (high - low) * (place - math.floor(place))
        assert trial.percentiles(ages)[name] == pytest.approx(expected, abs=1e-6)


def test_run_without_explanations_has_no_age(trial: ModuleType) -> None:
    assert set(trial.percentiles([]).values()) == {None}


@pytest.mark.alone
def test_quick_run_explains_frames_and_its_record_becomes_the_printed_tables(
    ros_domain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / 'folder' / 'through_ros.json'
    command = [sys.executable, str(BENCHMARK / 'through_ros.py'), '--quick']
    command += ['--domain', str(ros_domain), '--output', str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads(output.read_text())
    assert record['node']['backbone'] == 'efficientnet_lite0'
    assert [row['rendering'] for row in record['at_30_hz']] == [False, True]
    for row in record['at_30_hz']:
        assert 0 < row['explained'] <= row['sent'] <= 31
        assert row['dropped'] == row['sent'] - row['explained']
        assert 0 < row['age_ms']['p50'] <= row['age_ms']['p95'] <= row['age_ms']['p99']
        assert row['cpus_busy']['node'] > 0
        assert row['cpus_busy']['cameras'] < 0.25
        memory = row['peak_memory_mb']
        assert 100 < memory['proportional'] <= memory['resident'] < 10_000
    for row in record['peak_rate']:
        assert row['passed_hz'] or row['failed_hz']
        assert row['tried'][0]['rate_hz'] == 30
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import through_ros_tables

    tables = through_ros_tables.tables(record)
    assert list(tables) == ['peak rate', 'at 30 Hz']
    for table in tables.values():
        assert table in done.stdout
        assert table.count('320x240') == 2


@pytest.mark.alone
def test_node_that_cannot_start_ends_the_run_with_its_reason(
    ros_domain: int, tmp_path: Path
) -> None:
    command = [sys.executable, str(BENCHMARK / 'through_ros.py'), '--quick', '--engine', 'steam']
    command += ['--domain', str(ros_domain), '--output', str(tmp_path / 'through_ros.json')]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('through_ros.py: ')
    assert 'steam' in last
    assert 'Traceback' not in done.stderr
