# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of an evaluation, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, TypeAlias

from smoe_ros.evaluation.map_methods import DEFAULTS

Row: TypeAlias = Mapping[str, Any]
_Cell: TypeAlias = Callable[[Row], str]
_MISSING = '–'
_CHOICES = ('statistic', 'normalisation', 'scale weights')


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    ruler = ['---', *['---:'] * (len(header) - 1)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in (header, ruler, *rows))


def method_table(rows: Sequence[Row]) -> str:
    """Return how well each method's maps explain, and what they cost; the best first."""
    columns: dict[str, _Cell] = {
        'method': lambda row: row['name'],
        'insertion ↑': _mean('insertion'),
        'deletion ↓': _mean('deletion'),
        'insertion − deletion ↑': lambda row: with_interval(row['difference']),
        'against Grad-CAM': lambda row: with_interval(row['against'].get('Grad-CAM'), signed=True),
        'ROAD ↑': _mean('road'),
        'energy in boxes ↑': _mean('energy'),
        'pointing ↑': _percent('pointing'),
        'max-sensitivity ↓': _number('max_sensitivity', '.2f'),
        'Gini': _mean('gini', '.2f'),
        'ms': _number('ms', '.1f'),
    }
    if not any(row['road'] for row in rows):
        del columns['ROAD ↑']
    return _columns(columns, sorted(rows, key=_merit))


def answer_table(answers: Sequence[Row]) -> str:
    """Return what the network says of each picture."""
    columns = {'picture': _text('picture'), 'class': _text('class')}
    return _columns(columns | {'probability': _number('probability', '.2f')}, answers)


def stability_table(rows: Sequence[Row]) -> str:
    """Return how much the maps of consecutive frames differ; the steadiest first."""
    measured = [row for row in rows if row['correlation'] is not None]
    return _columns(
        {
            'map': _text('name'),
            'Spearman of consecutive maps ↑': _number('correlation'),
            'error after the motion is undone ↓': _number('flow_error'),
            'jitter of the peak, pixels ↓': _number('peak_jitter', '.1f'),
        },
        sorted(measured, key=lambda row: row['flow_error']),
    )


def smoothing_table(rows: Sequence[Row]) -> str:
    """Return what averages over time bring, and how late they are."""
    return _columns(
        {
            '`smoothing_time`, s': lambda row: (
                f'{row["time_constant"]:g}' if row['time_constant'] else '0 (off)'
            ),
            'error after the motion is undone ↓': _number('flow_error'),
            'jitter of the peak, pixels ↓': _number('peak_jitter', '.1f'),
            'change of the contributions ↓': _number('contribution_change', '.4f'),
            "Spearman with the frame's own map ↑": _number('likeness'),
            'lag after a cut, s ↓': _number('lag', '.2f'),
            'ms': _number('ms', '.1f'),
        },
        rows,
    )


def randomisation_table(randomisation: Row, figure: str) -> str:
    """Return how much of each scale's map remains as layers become random from the top.

    The figure is ``'spearman'`` or ``'ssim'``.
    """
    return table(
        ('random down to', *_scale_names(len(randomisation['scales']))),
        (
            (f'`{step["layer"]}`', *(_shown(value, '.2f') for value in step[figure]))
            for step in randomisation['steps']
        ),
    )


def edge_table(likeness: Sequence[float]) -> str:
    """Return how like edges each scale's map is, and last the fused one."""
    header = ('', *_scale_names(len(likeness) - 1))
    return table(header, [('Spearman with edges', *(f'{value:.2f}' for value in likeness))])


def choice_table(rows: Sequence[Row]) -> str:
    """Return the mean insertion − deletion of every choice over all others, without and with CAM.

    The methods' names are settings.
    """

    def mean_of(place: int, value: str, cam: str) -> str:
        named = [(_settings(row), row['difference']['mean']) for row in rows]
        chosen = [mean for parts, mean in named if parts[place] == value and parts[3] == cam]
        return _shown(fmean(chosen) if chosen else None)

    return table(
        ('choice', 'value', 'no CAM', '× Grad-CAM'),
        (
            (choice, f'`{value}`', *(mean_of(place, value, cam) for cam in ('none', 'grad_cam')))
            for place, choice in enumerate(_CHOICES)
            for value in dict.fromkeys(_settings(row)[place] for row in rows)
        ),
    )


def best_table(rows: Sequence[Row], count: int = 6) -> str:
    """Return so many of the best settings with each CAM, and the default, with their time.

    The methods' names are settings, and they are compared with the defaults.
    """
    shown = []
    for cam, default in DEFAULTS.items():
        of_cam = [row for row in rows if _settings(row)[3] == cam]
        for place, row in enumerate(sorted(of_cam, key=_merit), 1):
            if place <= count or row['name'] == default:
                shown.append({**row, 'cam': cam, 'place': place, 'default': default})

    def settings(row: Row) -> str:
        text = ', '.join(f'`{part}`' for part in _settings(row)[:3])
        return f'**{text}**' if row['name'] == row['default'] else text

    return _columns(
        {
            'CAM': lambda row: f'`{row["cam"]}`',
            'place': lambda row: str(row['place']),
            'statistic, normalisation, scale weights': settings,
            'insertion − deletion ↑': lambda row: with_interval(row['difference']),
            'against the default': lambda row: with_interval(
                row['against'].get(row['default']), signed=True
            ),
            'energy in boxes ↑': _mean('energy'),
            'ms': _number('ms', '.1f'),
        },
        shown,
    )


def with_interval(value: Row | None, *, signed: bool = False) -> str:
    """Return a mean and its 95 % interval."""
    if value is None:
        return _MISSING
    form = '+.3f' if signed else '.3f'
    mean = format(value['mean'], form)
    if value['low'] is None:
        return mean
    return f'{mean} ({value["low"]:{form}} to {value["high"]:{form}})'


def _columns(columns: Mapping[str, _Cell], rows: Iterable[Row]) -> str:
    return table(list(columns), ([cell(row) for cell in columns.values()] for row in rows))


def _text(name: str) -> _Cell:
    return lambda row: str(row[name])


def _number(name: str, form: str = '.3f') -> _Cell:
    return lambda row: _shown(row[name], form)


def _mean(figure: str, form: str = '.3f') -> _Cell:
    return lambda row: _shown(row[figure] and row[figure]['mean'], form)


def _percent(figure: str) -> _Cell:
    return lambda row: f'{100 * row[figure]["mean"]:.0f} %' if row[figure] else _MISSING


def _shown(value: float | None, form: str = '.3f') -> str:
    return _MISSING if value is None else format(value, form)


def _merit(row: Row) -> float:
    """Order rows by insertion − deletion, the best first, those without it last."""
    return -row['difference']['mean'] if row['difference'] else float('inf')


def _scale_names(scales: int) -> list[str]:
    return [*(f'scale {number}' for number in range(1, scales + 1)), 'fused']


def _settings(row: Row) -> list[str]:
    """Return statistic, normalisation, scale weights and CAM of a row of an ablation."""
    return str(row['name']).split(', ')
