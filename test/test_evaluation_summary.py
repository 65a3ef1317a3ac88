# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of measurements: means, pairs, tables, and what the documents say of them."""

from pathlib import Path

import numpy as np
import pytest

from smoe_ros.evaluation.plots import quality_figure
from smoe_ros.evaluation.summary import summarize
from smoe_ros.evaluation.tables import best_table, choice_table, method_table, stability_table

SCRIPTS = Path(__file__).parents[1] / 'scripts'
METHODS = [
    {'name': name, 'kind': kind, 'note': ''}
    for name, kind in (('SMOE Scale', 'ours'), ('Grad-CAM', 'baseline'))
]


def measured(task, subject, method, **figures):
    return {'task': task, 'subject': subject, 'method': method, **figures}


def faithfulness(subject, method, deletion, insertion, **more):
    figures = {'deletion': deletion, 'insertion': insertion, 'difference': insertion - deletion}
    curves = {'deletion_curve': [1, 0], 'insertion_curve': [0, insertion]}
    return measured('faithfulness', subject, method, gini=0.5, **figures, **curves, **more)


@pytest.fixture
def entries():
    """Two methods on three pictures, the second always 0.1 worse, and one on a film."""
    found = [
        measured('time', str(number), '', ms={'SMOE Scale': ours, 'Grad-CAM': theirs})
        for number, (ours, theirs) in enumerate([(10, 30), (50, 31), (12, 29)])
    ]
    for subject, insertion, moved in (('a', 0.9, 0.1), ('b', 0.5, 5.0), ('c', 0.7, 0.3)):
        boxes = {'energy': 0.25, 'pointing': 1.0} if subject == 'a' else {}
        found.append(faithfulness(subject, 'SMOE Scale', 0.1, insertion, **boxes))
        found.append(faithfulness(subject, 'Grad-CAM', 0.1, insertion - 0.1))
        found.append(measured('sensitivity', subject, 'SMOE Scale', max_sensitivity=moved))
    steadiness = {'correlation': 0.9, 'flow_error': 0.02, 'peak_jitter': None}
    return [*found, measured('stability', 'film', 'SMOE Scale', **steadiness)]


def summary_of(entries):
    summary = summarize(entries, METHODS)
    return {row['name']: row for row in summary['methods']}, summary


def test_figures_are_means_over_the_pictures_that_have_them(entries):
    rows, _ = summary_of(entries)
    ours = rows['SMOE Scale']
    assert ours['insertion']['mean'] == pytest.approx(0.7)
    assert ours['difference']['mean'] == pytest.approx(0.6)
    assert ours['insertion']['low'] < 0.7 < ours['insertion']['high']
    assert ours['energy'] == {'mean': 0.25, 'low': None, 'high': None, 'count': 1}
    assert rows['Grad-CAM']['energy'] is None


def test_methods_are_compared_picture_by_picture(entries):
    rows, _ = summary_of(entries)
    against = rows['SMOE Scale']['against']['Grad-CAM']
    assert (against['mean'], against['low'], against['high']) == pytest.approx((0.1, 0.1, 0.1))
    assert 'Grad-CAM' not in rows['Grad-CAM']['against']


def test_times_and_sensitivities_are_medians(entries):
    rows, _ = summary_of(entries)
    assert rows['SMOE Scale']['ms'] == 12
    assert rows['Grad-CAM']['ms'] == 30
    assert rows['SMOE Scale']['max_sensitivity'] == 0.3


def test_curves_are_means_over_the_pictures(entries):
    rows, _ = summary_of(entries)
    assert rows['SMOE Scale']['curves']['insertion'] == [0, pytest.approx(0.7)]


def test_tables_put_the_best_first_and_mark_what_is_missing(entries):
    rows, summary = summary_of(entries)
    lines = method_table([rows['Grad-CAM'], rows['SMOE Scale']]).splitlines()
    assert lines[2].startswith('| SMOE Scale | 0.700 | 0.100 | 0.600 (')
    assert lines[3].startswith('| Grad-CAM | 0.600 | 0.100 | 0.500 (')
    assert '| +0.100 (+0.100 to +0.100) | 0.250 | 100 % | 0.30 | 0.50 | 12.0 |' in lines[2]
    assert lines[3].endswith('| – | – | – | – | 0.50 | 30.0 |')
    assert stability_table(summary['stability']).endswith('| SMOE Scale | 0.900 | 0.020 | – |')


def test_the_plot_shows_means_intervals_and_times_of_every_method(entries):
    _, summary = summary_of(entries)
    bars, times = quality_figure(summary['methods']).axes
    assert [label.get_text() for label in bars.get_yticklabels()] == ['Grad-CAM', 'SMOE Scale']
    heights = {bar.get_y() + bar.get_height() / 2: bar.get_width() for bar in bars.patches}
    assert heights == pytest.approx({0: 0.5, 1: 0.6})
    points = np.concatenate([dots.get_offsets() for dots in times.collections])
    assert sorted(map(tuple, points)) == [(12, 1), (30, 0)]
    for row, line in zip(reversed(summary['methods']), bars.lines, strict=False):
        ends = [row['difference']['low'], row['difference']['high']]
        assert line.get_xdata() == pytest.approx(ends)


@pytest.fixture
def ablation():
    """Return rows of an ablation: settings and their insertion − deletion on four pictures."""
    values = {
        'smoe_scale, gaussian_cdf, equal, none': 0.2,
        'channel_std, gaussian_cdf, equal, none': 0.3,
        'channel_std, gamma_cdf, equal, none': 0.1,
        'smoe_scale, gaussian_cdf, equal, grad_cam': 0.4,
    }
    entries, methods = [], []
    for name, difference in values.items():
        methods.append({'name': name, 'kind': 'ours', 'note': ''})
        entries += [
            faithfulness(str(i), name, 0.1, 0.1 + difference + spread)
            for i, spread in enumerate((-0.1, 0.0, 0.1, 0.2))
        ]
    defaults = [name for name in values if name.startswith('smoe_scale')]
    return summarize(entries, methods, defaults, curves=False)['methods']


def test_a_choice_is_worth_its_mean_over_all_others(ablation):
    lines = choice_table(ablation).splitlines()
    assert '| statistic | `smoe_scale` | 0.250 | 0.450 |' in lines
    assert '| statistic | `channel_std` | 0.250 | – |' in lines
    assert '| normalisation | `gaussian_cdf` | 0.300 | 0.450 |' in lines


def test_settings_are_ordered_and_compared_with_the_default_of_their_cam(ablation):
    lines = best_table(ablation, count=1).splitlines()[2:]
    assert [line.split(' | ')[1] for line in lines] == ['1', '2', '1']
    assert '+0.100 (+0.100 to +0.100)' in lines[0]
    assert '**`smoe_scale`, `gaussian_cdf`, `equal`**' in lines[1]
    assert lines[2].startswith('| `grad_cam` | 1 | **')


@pytest.mark.parametrize(
    ('gain', 'said'),
    [
        ([0.1, 0.12, 0.09], 'better, and the interval excludes a loss'),
        ([-0.1, -0.12, -0.09], '**worse**'),
        ([-0.1, 0.1, 0.01], 'neither better nor worse'),
    ],
)
def test_documents_say_what_the_interval_says(monkeypatch, gain, said):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import quality_tables

    entries = []
    for number, more in enumerate(gain):
        for name in ('SMOE Scale', 'Grad-CAM', 'SmoothGrad² (captum)'):
            entries.append(faithfulness(str(number), name, 0.1, 0.5))
        entries.append(faithfulness(str(number), 'SMOE Scale × Grad-CAM', 0.1, 0.5 + more))
    names = ('SMOE Scale', 'SMOE Scale × Grad-CAM', 'Grad-CAM', 'SmoothGrad² (captum)')
    entries.append(measured('time', '0', '', ms=dict.fromkeys(names, 8)))
    methods = [{'name': name, 'kind': 'ours', 'note': ''} for name in names]
    first = quality_tables.answers(summarize(entries, methods))[0]
    assert said in first
    assert f'{np.mean(gain):+.3f}' in first
    assert '100.0 % of its cost' in first
