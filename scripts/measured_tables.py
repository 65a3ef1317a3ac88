# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Markdown tables of what the benchmarks measured, from the JSON that they wrote."""

import json
from pathlib import Path
from typing import Any

from node_tables import table

_COUNTS = ('in', 'explained', 'dropped', 'rejected', 'waiting')


def mixed_sizes_tables(path: Path) -> str:
    """Return times and changes of ways through the network, by benchmark/mixed_sizes.py."""
    measured = json.loads(path.read_text())
    times = [
        (
            f'`{network}`',
            row['cameras'],
            *(f'{row["median_ms"][way]:.0f}' for way in ('alone', 'grouped', 'letterboxed')),
            f'{row["letterboxed_over_grouped"]:.2f}',
        )
        for network, rows in measured['times'].items()
        for row in rows
    ]
    changes = []
    for way in dict.fromkeys(one['way'] for one in measured['changes']):
        these = [one for one in measured['changes'] if one['way'] == way]
        changes.append(
            (
                way,
                f'{max(one["mean_difference"] for one in these):.3f}',
                f'{max(one["max_difference"] for one in these):.3f}',
                f'{min(one["min_spearman"] for one in these):.3f}',
            )
        )
    header = ('network', 'cameras', 'one by one, ms', 'grouped, ms', 'letterboxed, ms', 'ratio')
    machine = f'{measured["host"]["cpus"]} CPU cores, torch {measured["torch"]}'
    return '\n'.join(
        (
            table(header, times),
            '',
            f'(medians of {measured["repeats"]} interleaved repeats, {machine}; ratio: '
            'letterboxed over grouped, median of pairs)',
            '',
            table(
                (
                    'saliency beside that of the frame alone',
                    'mean difference, up to',
                    'max',
                    'rank',
                ),
                changes,
            ),
        )
    )


def soak_table(path: Path) -> str:
    """Return what a long run came to, by scripts/soak."""
    run: dict[str, Any] = json.loads(path.read_text())
    memory, frames, tenths = run['memory_mb']['anonymous'], run['frames'], run['age_ms_tenths']
    low, high = memory['slope_interval_95']
    rows = [
        ('length', f'{run["minutes"]:.1f} minutes'),
        ('frames ' + ', '.join(_COUNTS), ', '.join(str(frames[name]) for name in _COUNTS)),
        ('lost on the way', str(frames['lost in transport'])),
        ('explained a second', f'{run["rate_hz"]:.1f}'),
        (
            "the node's own memory: start, after warm-up, end",
            ', '.join(f'{memory[at]:.0f}' for at in ('start', 'after_warm_up', 'end')) + ' MB',
        ),
        (
            'its slope after warm-up, with 95 % interval',
            f'{memory["slope_mb_per_hour"]:+.1f} MB an hour ({low:+.1f} to {high:+.1f})',
        ),
        ('threads, open files: first and last', _first_and_last(run)),
        (
            'age p50 / p95 / max',
            ' / '.join(f'{run["age_ms"][key]:.0f}' for key in ('p50', 'p95', 'max')) + ' ms',
        ),
        (
            'age p95 in each tenth of the run',
            ', '.join(f'{part["p95"]:.0f}' for part in tenths) + ' ms',
        ),
    ]
    return table(('', ''), rows)


def _first_and_last(run: dict[str, Any]) -> str:
    threads, files = run['threads'], run['open_files']
    return f'{threads["first"]} and {threads["last"]}, {files["first"]} and {files["last"]}'
