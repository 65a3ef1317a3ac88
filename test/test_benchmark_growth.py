# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of growth and of stages run, and their tables show what they measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[1] / 'benchmark'


@pytest.fixture
def growth(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    return pytest.importorskip('growth')


@pytest.mark.slow
def test_a_quick_run_measures_every_case_and_its_table_shows_it(growth, tmp_path):
    output = tmp_path / 'growth.json'
    command = [sys.executable, str(BENCHMARK / 'growth.py'), '--quick', '--output', str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    record = json.loads(output.read_text())
    measured = record['engines']['torch']
    assert {what: list(cases) for what, cases in measured.items()} == {
        'short side': ['128', '224'],
        'scales': ['1', '2', '3', '4', '5'],
        'frames': ['1', '2'],
        'cameras': ['1', '2', '4'],
    }
    table = growth.tables(record)['growth']
    for cases in measured.values():
        for value in cases.values():
            assert f' {value:.1f} |' in table
    assert table in done.stdout
    assert (tmp_path / 'growth.png').read_bytes().startswith(b'\x89PNG')


def test_the_plot_is_the_same_of_a_record_read_back(growth, tmp_path):
    measured = {what: {1: 10.0, 2: 20.0, 8: 80.0} for what in growth._TITLES}
    record = {'repeats': 3, 'engines': {'torch': measured}}
    growth.plot(record, tmp_path / 'fresh.png')
    growth.plot(json.loads(json.dumps(record)), tmp_path / 'read_back.png')
    assert (tmp_path / 'fresh.png').read_bytes() == (tmp_path / 'read_back.png').read_bytes()


def test_medians_are_those_of_each_case(growth, monkeypatch):
    ticks = iter([0, 1, 1, 3, 10, 14, 14, 20, 20, 22, 22, 23])
    monkeypatch.setattr(growth.time, 'perf_counter', lambda: next(ticks) / 1000)
    # a: 1, 4, 2; b: 2, 6, 1
    found = growth.medians({'a': lambda: None, 'b': lambda: None}, 3)
    assert found == {'a': 2.0, 'b': 2.0}


@pytest.mark.slow
def test_a_quick_run_measures_the_stages_of_one_network(growth, tmp_path):
    import stages

    output = tmp_path / 'stages.json'
    command = [sys.executable, str(BENCHMARK / 'stages.py'), '--quick', '--output', str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    record = json.loads(output.read_text())
    (row,) = record['stages']
    assert all(row['median_ms'][stage] > 0 for stage in ('forward', 'lovi', 'preprocess'))
    table = stages.tables(record)['stages']
    assert f'{row["saliency_and_lovi_over_forward"]:.1%}' in table
    assert table in done.stdout
