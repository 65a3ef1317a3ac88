# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The ablation's tables: what each choice is worth, and which settings are best for their time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from smoe_ros.evaluation.ablation import DEFAULTS
from smoe_ros.evaluation.tables import table, with_interval

Row = Mapping[str, Any]
_CHOICES = ('statistic', 'normalisation', 'scale weights', 'CAM')


def choice_table(rows: Sequence[Row]) -> str:
    """Return the mean insertion − deletion of every choice over all others, without and with CAM.

    Args:
        rows: Methods of the summary whose names are settings.
    """
    lines = []
    for place, choice in enumerate(_CHOICES[:3]):
        for value in dict.fromkeys(_parts(row)[place] for row in rows):
            means = [_mean_where(rows, place, value, cam) for cam in ('none', 'grad_cam')]
            lines.append((choice, f'`{value}`', *means))
    return table(('choice', 'value', 'no CAM', '× Grad-CAM'), lines)


def best_table(rows: Sequence[Row], count: int = 6) -> str:
    """Return the best settings with each CAM, and the default, with their time.

    Args:
        rows: Methods of the summary whose names are settings, compared with the defaults.
        count: Number of settings of a CAM.
    """
    lines = []
    for cam, default in DEFAULTS.items():
        of_cam = [row for row in rows if _parts(row)[3] == cam]
        ordered = sorted(of_cam, key=lambda row: -row['difference']['mean'])
        for place, row in enumerate(ordered, 1):
            if place <= count or row['name'] == default:
                lines.append((f'`{cam}`', str(place), *_cells(row, default)))
    header = (
        'CAM',
        'place',
        'statistic, normalisation, scale weights',
        'insertion − deletion ↑',
        'against the default',
        'energy in boxes ↑',
        'ms',
    )
    return table(header, lines)


def _cells(row: Row, default: str) -> tuple[str, ...]:
    settings = ', '.join(f'`{part}`' for part in _parts(row)[:3])
    energy, time = row.get('energy'), row.get('ms')
    return (
        f'**{settings}**' if row['name'] == default else settings,
        with_interval(row['difference']),
        with_interval(row['against'].get(default), signed=True),
        '–' if energy is None else f'{energy["mean"]:.3f}',
        '–' if time is None else f'{time:.1f}',
    )


def _parts(row: Row) -> list[str]:
    return str(row['name']).split(', ')


def _mean_where(rows: Sequence[Row], place: int, value: str, cam: str) -> str:
    chosen = [
        row['difference']['mean']
        for row in rows
        if _parts(row)[place] == value and _parts(row)[3] == cam
    ]
    return f'{fmean(chosen):.3f}' if chosen else '–'
