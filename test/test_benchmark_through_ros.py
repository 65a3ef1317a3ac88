# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark through ROS: its search, its percentiles, and a run of seconds."""

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
def benchmark() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARK))
        import through_ros

        yield through_ros


@given(limit=st.floats(1.0, 119.9), guess=st.floats(1.0, 120.0), hiccup=st.integers(0, 60))
def test_search_brackets_the_rate_that_is_kept_up_with_also_after_a_hiccup(
    benchmark: ModuleType, limit: float, guess: float, hiccup: int
) -> None:
    search = benchmark.PeakSearch(guess, 1.0, 120.0, RESOLUTION)
    trials = 0
    while not search.done:
        search.take(passed=search.rate <= limit and trials != hiccup)
        trials += 1
    assert search.passed is not None
    assert search.passed <= limit < search.passed * RESOLUTION
    if hiccup >= trials:
        assert limit < search.failed <= search.passed * RESOLUTION
        # Seven octaves at most, then the halvings of one octave, then the end once more.
        assert trials <= 9 + math.ceil(math.log2(math.log(2) / math.log(RESOLUTION)))


@pytest.mark.parametrize(('always', 'passed', 'failed'), [(True, 120.0, None), (False, None, 1.0)])
def test_search_says_when_the_peak_lies_beyond_its_bounds(
    benchmark: ModuleType, always: bool, passed: float | None, failed: float | None
) -> None:
    search = benchmark.PeakSearch(30.0, 1.0, 120.0, RESOLUTION)
    while not search.done:
        search.take(passed=always)
    assert (search.passed, search.failed) == (passed, failed)


def test_run_without_explanations_has_no_age(benchmark: ModuleType) -> None:
    assert benchmark.percentiles([1.0, 2.0]) == pytest.approx(
        {'p50': 1.5, 'p95': 1.95, 'p99': 1.99}
    )
    assert set(benchmark.percentiles([]).values()) == {None}


def quick(output: Path, domain: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARK / 'through_ros.py'), '--quick', *arguments]
    command += ['--domain', str(domain), '--output', str(output)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.alone
def test_quick_run_explains_frames_and_its_record_becomes_the_printed_tables(
    benchmark: ModuleType, ros_domain: int, tmp_path: Path
) -> None:
    output = tmp_path / 'folder' / 'through_ros.json'
    done = quick(output, ros_domain)
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
    tables = benchmark.through_ros(record)
    assert list(tables) == ['peak rate', 'at 30 Hz']
    for table in tables.values():
        assert table in done.stdout
        assert table.count('320x240') == 2


@pytest.mark.alone
def test_node_that_cannot_start_ends_the_run_with_its_reason(
    ros_domain: int, tmp_path: Path
) -> None:
    done = quick(tmp_path / 'through_ros.json', ros_domain, '--engine', 'steam')
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('through_ros: ')
    assert 'steam' in last
    assert 'Traceback' not in done.stderr
