# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the project aims at, beside what the benchmarks' records show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from markdown_table import table

Record = Mapping[str, Any]

_SIDE = 224


class Aim(NamedTuple):
    """One aim: what is measured, what it should be, what it is, and whether that is reached."""

    what: str
    wanted: str
    measured: str
    reached: bool


def aims(per_frame: Record, stages: Record, through_ros: Record) -> list[Aim]:
    """Compare the records of ``per_frame``, ``stages`` and ``through_ros`` with the aims."""
    return [
        *_textbook(per_frame),
        *_stages(stages),
        *_peers(per_frame),
        *_through_ros(through_ros),
        *_memory(per_frame),
    ]


def tables(per_frame: Record, stages: Record, through_ros: Record) -> dict[str, str]:
    """Turn the records into the Markdown table ``'aims'``."""
    rows = [
        (aim.what, aim.wanted, aim.measured, 'yes' if aim.reached else 'no')
        for aim in aims(per_frame, stages, through_ros)
    ]
    return {'aims': table(('aim', 'wanted', 'measured', 'reached'), rows)}


def _textbook(per_frame: Record) -> Iterator[Aim]:
    configurations = _configurations(per_frame)
    for backbone, wanted in (('efficientnet_lite0', 4), ('resnet50', 2)):
        if backbone in configurations:
            ratio = configurations[backbone]['textbook']['ratio_to_fastest']
            what = f'time of the textbook over ours on the fastest engine, `{backbone}`'
            yield Aim(what, f'≥ {wanted}', f'{ratio:.1f}', ratio >= wanted)


def _stages(stages: Record) -> Iterator[Aim]:
    for backbone, engine, most in (
        ('resnet50', 'torch', 0.05),
        ('efficientnet_lite0', 'onnxruntime', 0.25),
    ):
        for row in stages['stages']:
            if (row['backbone'], row['engine'], row['short_side']) == (backbone, engine, _SIDE):
                share = row['saliency_and_lovi_over_forward']
                what = f'saliency and LOVI over forward pass, `{backbone}`, {engine}'
                yield Aim(what, f'≤ {most:.0%}', f'{share:.0%}', share <= most)


def _peers(per_frame: Record) -> Iterator[Aim]:
    kinds = {
        'quickest coarse CAM of other libraries over ours': (('coarse', 'coarse, enlarged'), 1),
        'quickest full-resolution gradient of other libraries over ours': (('full',), 2),
    }
    for what, (maps, wanted) in kinds.items():
        for reference, engine in (('ratio_to_torch', 'torch'), ('ratio_to_fastest', 'fastest')):
            ratios: dict[str, float] = {}
            for backbone, candidates in _configurations(per_frame).items():
                others = [
                    candidates[name][reference]
                    for name, peer in per_frame['peers'].items()
                    if peer['map'] in maps and reference in candidates.get(name, {})
                ]
                if others:
                    ratios[backbone] = min(others)
            if ratios:
                reached = min(ratios.values()) >= wanted
                yield Aim(f'{what}, engine {engine}', f'≥ {wanted}', _listed(ratios), reached)


def _through_ros(through_ros: Record) -> Iterator[Aim]:
    for row in through_ros['at_30_hz']:
        if row['size'] != [640, 480] or row['rendering'] or row['cameras'] > 2:
            continue
        dropped = row['dropped'] / row['sent']
        cameras = f'{row["cameras"]} camera{"s" if row["cameras"] > 1 else ""} at 30 Hz, 640x480'
        yield Aim(f'{cameras}: frames dropped', '0 %', f'{dropped:.1%}', not row['dropped'])
        if row['cameras'] == 1:
            age = row['age_ms']['p95']
            yield Aim(f'{cameras}: age p95', '≤ 33 ms', f'{age:.0f} ms', age <= 33)
    for peak in through_ros['peak_rate']:
        if peak['size'] == [640, 480] and not peak['rendering']:
            rate = peak['passed_hz'] or 0.0
            what = 'peak rate of a 640x480 camera with fewer than 5 % of the frames dropped'
            yield Aim(what, '> 60 Hz', f'{rate:.0f} Hz', rate > 60)


def _memory(per_frame: Record) -> Iterator[Aim]:
    for engine in ('torch', 'onnxruntime'):
        found = {one['backbone']: one['candidates'] for one in per_frame['memory']}
        ratios = {
            backbone: candidates[f'smoe_ros, {engine}']['ratio_to_bare']
            for backbone, candidates in found.items()
            if 'ratio_to_bare' in candidates.get(f'smoe_ros, {engine}', {})
        }
        if ratios:
            what = f'largest memory over that of the bare network, {engine}'
            yield Aim(what, '≤ 1.15', _listed(ratios), max(ratios.values()) <= 1.15)


def _configurations(per_frame: Record) -> dict[str, Record]:
    """Return what was measured at the size that the aims are about, by network."""
    return {
        one['backbone']: one['candidates']
        for one in per_frame['configurations']
        if one['short_side'] == _SIDE
    }


def _listed(ratios: Mapping[str, float]) -> str:
    return ', '.join(f'{ratio:.2f} `{name}`' for name, ratio in ratios.items())
