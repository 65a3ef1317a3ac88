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


@given(limit=st.floats(1.0, 119.9), guess=st.floats(1.0, 120.0))
def test_search_brackets_the_rate_that_is_kept_up_with(
    benchmark: ModuleType, limit: float, guess: float
) -> None:
    search = benchmark.PeakSearch(guess, 1.0, 120.0, RESOLUTION)
    trials = 0
    while not search.done:
        search.take(passed=search.rate <= limit)
        trials += 1
    assert search.passed <= limit < search.failed <= search.passed * RESOLUTION
    # Seven octaves at most, then the halvings of one octave.
    assert trials <= 9 + math.ceil(math.log2(math.log(2) / math.log(RESOLUTION)))


@pytest.mark.parametrize(('always', 'found'), [(True, (120.0, None)), (False, (None, 1.0))])
def test_search_says_when_the_peak_lies_beyond_its_bounds(
    benchmark: ModuleType, always: bool, found: tuple[float | None, float | None]
) -> None:
    search = benchmark.PeakSearch(30.0, 1.0, 120.0, RESOLUTION)
    while not search.done:
        search.take(passed=always)
    assert (search.passed, search.failed) == found


def test_run_without_explanations_has_no_age(benchmark: ModuleType) -> None:
    assert benchmark.percentiles([1.0, 2.0], (50, 95)) == pytest.approx({'p50': 1.5, 'p95': 1.95})
    assert benchmark.percentiles([], (50,)) == {'p50': None}


@pytest.mark.alone
def test_quick_run_explains_frames_and_its_record_becomes_the_printed_tables(
    benchmark: ModuleType, ros_domain: int, tmp_path: Path
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
        memory = row['peak_memory_mb']
        assert 100 < memory['proportional'] <= memory['resident'] < 10_000
    assert all(row['passed_hz'] or row['failed_hz'] for row in record['peak_rate'])
    for table in benchmark.through_ros(record).values():
        assert table in done.stdout
        assert table.count('320x240') == 2
