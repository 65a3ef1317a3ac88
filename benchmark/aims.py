# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the project aims at, beside what the benchmarks' records show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Record = Mapping[str, Any]

_TORCH, _ONNXRUNTIME = 'smoe_ros, torch', 'smoe_ros, onnxruntime'
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
    lines = ['| aim | wanted | measured | reached |', '|---|---|---|---|']
    for aim in aims(per_frame, stages, through_ros):
        lines.append(
            f'| {aim.what} | {aim.wanted} | {aim.measured} | {"yes" if aim.reached else "no"} |'
        )
    return {'aims': '\n'.join(lines)}


def _textbook(per_frame: Record) -> Iterator[Aim]:
    for backbone, wanted in (('efficientnet_lite0', 4), ('resnet50', 2)):
        for one in _configurations(per_frame, backbone):
            ratio = one['candidates']['textbook']['ratio_to_fastest']
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
            ratios = {
                one['backbone']: min(
                    figures[reference]
                    for name, figures in one['candidates'].items()
                    if reference in figures and per_frame['peers'].get(name, {}).get('map') in maps
                )
                for one in _configurations(per_frame)
            }
            measured = ', '.join(f'{ratio:.2f} `{name}`' for name, ratio in ratios.items())
            reached = min(ratios.values()) >= wanted
            yield Aim(f'{what}, engine {engine}', f'≥ {wanted}', measured, reached)


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
    for engine in (_TORCH, _ONNXRUNTIME):
        ratios = {
            one['backbone']: one['candidates'][engine]['ratio_to_bare']
            for one in per_frame['memory']
            if 'ratio_to_bare' in one['candidates'].get(engine, {})
        }
        if ratios:
            measured = ', '.join(f'{ratio:.2f} `{name}`' for name, ratio in ratios.items())
            what = f'largest memory over that of the bare network, {engine.split(", ")[1]}'
            yield Aim(what, '≤ 1.15', measured, max(ratios.values()) <= 1.15)


def _configurations(per_frame: Record, backbone: str = '') -> list[Record]:
    return [
        one
        for one in per_frame['configurations']
        if one['short_side'] == _SIDE and one['backbone'] in (backbone or one['backbone'],)
    ]
