# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of growth and of stages run, and their tables show what they measured."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

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


@pytest.mark.parametrize('benchmark', ['growth', 'stages', 'per_frame'])
@pytest.mark.parametrize('mistake', [['--repeats', '0'], ['--repeats', 'x'], ['--nonsense']])
def test_a_mistake_on_the_command_line_is_one_line(growth, capsys, benchmark, mistake):
    module = pytest.importorskip(benchmark)
    with pytest.raises(SystemExit) as ended:
        module.main(mistake)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert mistake[-1] in line


class OfTurns:
    """Stands for a pipeline where only whose turn it is matters."""

    failed = False

    def __init__(self, settings):
        self.settings = settings
        self.explainer = SimpleNamespace(scales=[SimpleNamespace(layer='a', call=0)])

    @property
    def engine(self):
        return 'torch' if self.failed else self.settings.engine

    def close(self):
        pass


@pytest.fixture
def turns(growth, monkeypatch):
    ran = []

    def explaining(pipeline, frames):
        return lambda: ran.append((pipeline.settings.engine, pipeline.settings.short_side))

    monkeypatch.setattr(growth, 'Pipeline', OfTurns)
    monkeypatch.setattr(growth, '_explaining', explaining)
    return ran


def test_engines_take_turns(growth, turns):
    record = growth.measure(2, quick=False)
    assert list(record['engines']) == list(growth.ENGINES)
    sides = [(engine, side) for engine in growth.ENGINES for side in growth._SIDES]
    assert turns[: 2 * len(sides)] == sides * 2


def test_an_engine_that_fails_meanwhile_has_no_figures(growth, turns, monkeypatch):
    monkeypatch.setattr(OfTurns, 'failed', True)
    with pytest.raises(growth.ConfigurationError, match='onnxruntime has failed'):
        growth.measure(2, quick=False)


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
