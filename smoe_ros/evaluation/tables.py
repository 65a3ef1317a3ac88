# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of an evaluation, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
_MISSING = '–'


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    ruler = ['---', *['---:'] * (len(header) - 1)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in (header, ruler, *rows))


def method_table(rows: Sequence[Row]) -> str:
    """Return how well each method's maps explain, and what they cost; the best first."""
    with_road = any(row.get('road') for row in rows)
    header = (
        'method',
        'insertion ↑',
        'deletion ↓',
        'insertion − deletion ↑',
        'against Grad-CAM',
        *(['ROAD ↑'] if with_road else []),
        'energy in boxes ↑',
        'pointing ↑',
        'max-sensitivity ↓',
        'Gini',
        'ms',
    )
    ordered = sorted(rows, key=lambda row: -_mean_of(row, 'difference'))
    return table(
        header,
        (
            (
                row['name'],
                _mean(row, 'insertion'),
                _mean(row, 'deletion'),
                with_interval(row.get('difference')),
                with_interval(row.get('against', {}).get('Grad-CAM'), signed=True),
                *([_mean(row, 'road')] if with_road else []),
                _mean(row, 'energy'),
                _mean(row, 'pointing', _percent),
                _number(row.get('max_sensitivity'), '{:.2f}'),
                _mean(row, 'gini', '{:.2f}'.format),
                _number(row.get('ms'), '{:.1f}'),
            )
            for row in ordered
        ),
    )


def answer_table(answers: Sequence[Row]) -> str:
    """Return what the network says of each picture."""
    return table(
        ('picture', 'class', 'probability'),
        ((one['picture'], one['class'], f'{one["probability"]:.2f}') for one in answers),
    )


def stability_table(rows: Sequence[Row]) -> str:
    """Return how much the maps of consecutive frames differ; the steadiest first."""
    header = (
        'map',
        'Spearman of consecutive maps ↑',
        'error after the motion is undone ↓',
        'jitter of the peak, pixels ↓',
    )
    measured = [row for row in rows if row['correlation'] is not None]
    return table(
        header,
        (
            (
                row['name'],
                _number(row['correlation'], '{:.3f}'),
                _number(row['flow_error'], '{:.3f}'),
                _number(row['peak_jitter'], '{:.1f}'),
            )
            for row in sorted(measured, key=lambda row: row['flow_error'])
        ),
    )


def smoothing_table(rows: Sequence[Row]) -> str:
    """Return what averages over time bring, and how late they are."""
    header = (
        '`smoothing_time`, s',
        'error after the motion is undone ↓',
        'jitter of the peak, pixels ↓',
        'change of the contributions ↓',
        "Spearman with the frame's own map ↑",
        'lag after a cut, s ↓',
        'ms',
    )
    forms = ('{:.3f}', '{:.1f}', '{:.4f}', '{:.3f}', '{:.2f}', '{:.1f}')
    figures = ('flow_error', 'peak_jitter', 'contribution_change', 'likeness', 'lag', 'ms')
    return table(
        header,
        (
            (
                f'{row["time_constant"]:g}' if row['time_constant'] else '0 (off)',
                *(_number(row[name], form) for name, form in zip(figures, forms, strict=True)),
            )
            for row in rows
        ),
    )


def randomisation_table(randomisation: Row, figure: str) -> str:
    """Return how much of each scale's map remains as layers become random from the top.

    Args:
        randomisation: Of the summary.
        figure: ``'spearman'`` or ``'ssim'``.
    """
    return table(
        ('random down to', *_scale_names(len(randomisation['scales']))),
        (
            (f'`{step["layer"]}`', *(_number(value, '{:.2f}') for value in step[figure]))
            for step in randomisation['steps']
        ),
    )


def edge_table(likeness: Sequence[float]) -> str:
    """Return how like edges each scale's map is, and last the fused one."""
    header = ('', *_scale_names(len(likeness) - 1))
    return table(header, [('Spearman with edges', *(f'{value:.2f}' for value in likeness))])


def with_interval(value: Row | None, *, signed: bool = False) -> str:
    """Return a mean and its 95 % interval."""
    if value is None:
        return _MISSING
    number = '{:+.3f}' if signed else '{:.3f}'
    mean = number.format(value['mean'])
    if value.get('low') is None:
        return mean
    return f'{mean} ({number.format(value["low"])} to {number.format(value["high"])})'


def _scale_names(scales: int) -> list[str]:
    return [*(f'scale {number}' for number in range(1, scales + 1)), 'fused']


def _mean_of(row: Row, figure: str) -> float:
    value = row.get(figure)
    return float(value['mean']) if value else float('-inf')


def _mean(row: Row, figure: str, show: Callable[[float], str] = '{:.3f}'.format) -> str:
    value = row.get(figure)
    return show(value['mean']) if value else _MISSING


def _percent(share: float) -> str:
    return f'{100 * share:.0f} %'


def _number(value: float | None, form: str) -> str:
    return _MISSING if value is None else form.format(value)
