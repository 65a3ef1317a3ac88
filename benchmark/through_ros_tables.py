# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Markdown tables of benchmark/through_ros.py, from its JSON."""

from __future__ import annotations

from typing import Any

from markdown_table import table

_PEAK_HEADER = ('images', 'subscribers', 'peak rate, Hz', 'next rate tried that failed, Hz')
_STEADY_HEADER = (
    'images',
    'cameras',
    'subscribers',
    'explained a second',
    'dropped',
    'age p50 / p95 / p99, ms',
    'time with a frame p50, ms',
    'CPU cores busy',
    'memory at most, resident / PSS, MB',
)


def tables(record: dict[str, Any]) -> dict[str, str]:
    """Return the tables by marker: 'peak rate' and 'at 30 Hz'.

    Args:
        record: As the benchmark writes it.
    """
    peaks = [
        (
            _images(row),
            _subscribers(row),
            _peak(row),
            '–' if row['failed_hz'] is None else f'{row["failed_hz"]:.1f}',
        )
        for row in record['peak_rate']
    ]
    steady = [
        (
            _images(row),
            str(row['cameras']),
            _subscribers(row),
            f'{row["explained_hz"]:.1f}',
            f'{100 * row["dropped"] / max(row["sent"], 1):.1f} %',
            ' / '.join(_milliseconds(value) for value in row['age_ms'].values()),
            _milliseconds(row['explain_ms_p50']),
            f'{row["cpus_busy"]["node"]:.2f}',
            ' / '.join(f'{value:.0f}' for value in row['peak_memory_mb'].values()),
        )
        for row in record['at_30_hz']
    ]
    return {'peak rate': table(_PEAK_HEADER, peaks), 'at 30 Hz': table(_STEADY_HEADER, steady)}


def _images(row: dict[str, Any]) -> str:
    return '{}x{}'.format(*row['size'])


def _subscribers(row: dict[str, Any]) -> str:
    return 'contributions, overlay, lovi' if row['rendering'] else 'contributions'


def _peak(row: dict[str, Any]) -> str:
    """Write the peak, as a bound where the search ended at its own."""
    if row['passed_hz'] is None:
        return f'below {row["failed_hz"]:.1f}'
    bound = 'at least ' if row['failed_hz'] is None else ''
    return f'{bound}{row["passed_hz"]:.1f}'


def _milliseconds(value: float | None) -> str:
    if value is None:
        return '–'
    return f'{value:.2f}' if value < 10 else f'{value:.1f}'
