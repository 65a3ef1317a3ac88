# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The per-frame benchmark's record as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markdown_table import table

_NONE = '–'
# How a column is headed, and whose figure it shows.
_PER_FRAME = (
    ('bare, torch', 'bare network, torch'),
    ('bare, folded', 'bare network, torch, folded'),
    ('bare, ONNX Runtime', 'bare network, onnxruntime'),
    ('smoe_ros, torch', 'smoe_ros, torch'),
    ('smoe_ros, compiled', 'smoe_ros, compiled'),
    ('smoe_ros, ONNX Runtime', 'smoe_ros, onnxruntime'),
    ('textbook', 'textbook'),
)


def tables(record: Mapping[str, Any]) -> dict[str, str]:
    """Turn a run's record into Markdown tables.

    Args:
        record: As `per_frame.py` writes it.

    Returns:
        The tables ``'per frame'``, ``'peers'``, ``'memory'`` and ``'agreement'``.
    """
    return {
        'per frame': _per_frame(record['configurations']),
        'peers': _peers(record['configurations'], record['peers']),
        'memory': _memory(record['memory']),
        'agreement': _agreement(record['configurations']),
    }


def _agreement(configurations: Sequence[Mapping[str, Any]]) -> str:
    header = [
        'network',
        'input',
        "beside the network as it is loaded, in eager torch's float32",
        'scale maps, largest difference',
        'pixels beyond 1e-4',
        'saliency, largest difference',
    ]
    rows = [
        [
            one['backbone'],
            one['input'],
            row['way'],
            f'{row["maps_max"]:.1e}',
            f'{100 * row["maps_beyond"]:.2f} %',
            f'{row["saliency_max"]:.1e}',
        ]
        for one in configurations
        for row in one['agreement']
        if 'reason' not in row
    ]
    return table(header, rows)


def _per_frame(configurations: Sequence[Mapping[str, Any]]) -> str:
    header = [
        'network',
        'input',
        'rounds',
        *(f'{title} (ms)' for title, _ in _PER_FRAME),
        'textbook / smoe_ros, torch',
        'textbook / fastest smoe_ros',
        'fastest smoe_ros / bare, torch',
    ]
    rows = []
    for configuration in configurations:
        candidates = configuration['candidates']
        textbook = candidates.get('textbook', {})
        fastest = candidates.get(configuration['fastest'], {})
        rows.append(
            [
                configuration['backbone'],
                configuration['input'],
                str(configuration['rounds']),
                *(_ms(candidates.get(name, {}).get('median_ms')) for _, name in _PER_FRAME),
                _ratio(textbook.get('ratio_to_torch')),
                _ratio(textbook.get('ratio_to_fastest')),
                _ratio(fastest.get('ratio_to_bare')),
            ]
        )
    return table(header, rows)


def _peers(
    configurations: Sequence[Mapping[str, Any]], peers: Mapping[str, Mapping[str, str]]
) -> str:
    """Return milliseconds and, in brackets, the ratio to the bare network."""
    header = ['explainer', 'map', *(f'{c["backbone"]} {c["input"]}' for c in configurations)]
    names = [*(name for _, name in _PER_FRAME), 'smoe_ros, torch, gamma CDF']
    names += ['textbook, gamma CDF', *peers]
    rows = []
    for name in names:
        full = _NONE if name.startswith('bare') else 'full'
        cells = []
        for configuration in configurations:
            figures = configuration['candidates'].get(name, {})
            time, ratio = figures.get('median_ms'), figures.get('ratio_to_bare')
            cells.append(_NONE if time is None else f'{_ms(time)} ({_ratio(ratio)})')
        rows.append([name, peers[name]['map'] if name in peers else full, *cells])
    return table(header, rows)


def _memory(networks: Sequence[Mapping[str, Any]]) -> str:
    header = ['candidate']
    for network in networks:
        title = f'{network["backbone"]}, {network["short_side"]}'
        header += [f'{title}: running (MB)', 'to bare', 'with start (MB)']
    names = [name for network in networks[:1] for name in network['candidates']]
    rows = []
    for name in names:
        row = [name]
        for network in networks:
            figures = network['candidates'].get(name, {})
            row.append(_mb(figures.get('running_peak_mb')))
            row.append(_ratio(figures.get('ratio_to_bare')))
            row.append(_mb(figures.get('peak_mb')))
        rows.append(row)
    return table(header, rows)


def _ms(value: float | None) -> str:
    if value is None:
        return _NONE
    return f'{value:.1f}' if value >= 10 else f'{value:.2f}'


def _ratio(value: float | None) -> str:
    return _NONE if value is None else f'{value:.2f}'


def _mb(value: float | None) -> str:
    return _NONE if value is None else f'{value:.0f}'
