# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of documents that come from the records of scripts/benchmark."""

import json
import sys
from pathlib import Path
from typing import Any

from node_tables import table

_ROOT = Path(__file__).resolve().parents[1]
_RECORDS = _ROOT / 'docs' / 'performance'
sys.path.append(str(_ROOT / 'benchmark'))


def performance_parts() -> dict[str, str]:
    """Return every part of docs/performance.md.

    Raises:
        SystemExit: If a record is missing, with what makes it.
    """
    # They import what a benchmark needs; here, after the path is set.
    import aims  # noqa: PLC0415
    import growth  # noqa: PLC0415
    import host  # noqa: PLC0415
    import per_frame_tables  # noqa: PLC0415
    import stages  # noqa: PLC0415
    import through_ros_tables  # noqa: PLC0415

    modules = {
        'per_frame': per_frame_tables,
        'stages': stages,
        'through_ros': through_ros_tables,
        'growth': growth,
    }
    parts: dict[str, str] = {}
    sentences: dict[str, None] = {}
    for name, module in modules.items():
        record = _record(name)
        sentences[host.sentence(record['host'])] = None
        parts |= module.tables(record)
    parts |= aims.tables(_record('per_frame'), _record('stages'), _record('through_ros'))
    return {'host': '\n\n'.join(sentences), **parts}


def recording_parts() -> dict[str, str]:
    """Return every part of docs/recording.md.

    Raises:
        SystemExit: If the record is missing, with what makes it.
    """
    import recording  # noqa: PLC0415

    return recording.tables(_record('recording'))


def readme_table() -> dict[str, str]:
    """Return the short table of README.md.

    Raises:
        SystemExit: If a record is missing, with what makes it.
    """
    per_frame, through_ros = _record('per_frame'), _record('through_ros')
    rows = []
    for one in per_frame['configurations']:
        if one['short_side'] == 224:
            figures = one['candidates']
            rows.append(
                (
                    f'`{one["backbone"]}`',
                    *(
                        _ms(figures.get(name))
                        for name in (
                            'bare network, torch',
                            'smoe_ros, torch',
                            'smoe_ros, onnxruntime',
                            'textbook',
                        )
                    ),
                    _share(figures.get('textbook', {}).get('ratio_to_fastest')),
                )
            )
    header = (
        'a 640x480 frame, ms', 'bare network, torch', 'explained, torch',
        'explained, ONNX Runtime', 'formulas as written, torch', 'formulas / fastest',
    )  # fmt: skip
    lines = [table(header, rows), '']
    for peak in through_ros['peak_rate']:
        if peak['size'] == [640, 480] and not peak['rendering']:
            lines.append(
                f'Through ROS, camera and listener on the same {per_frame["host"]["cpus"]} cores, '
                f'the node follows a 640x480 camera up to {_hz(peak["passed_hz"])} Hz with fewer '
                'than 5 % of the images dropped.'
            )
    for row in through_ros['at_30_hz']:
        if row['size'] == [640, 480] and row['cameras'] == 1 and not row['rendering']:
            age = row['age_ms']
            lines.append(
                f'At 30 Hz an explanation is {age["p50"]:.0f} ms old when it is received '
                f'(p95 {age["p95"]:.0f}); dropped are {row["dropped"]} of {row["sent"]} images.'
            )
    lines.append('The whole, with other libraries and memory: [docs/performance.md]'
                 '(docs/performance.md).')  # fmt: skip
    return {'performance': '\n'.join(lines)}


def _record(name: str) -> dict[str, Any]:
    path = _RECORDS / f'{name}.json'
    if not path.is_file():
        sys.exit(f"'{path}' is missing: run scripts/benchmark {name}")
    return json.loads(path.read_text(encoding='utf-8'))


def _ms(figures: dict[str, Any] | None) -> str:
    return f'{figures["median_ms"]:.1f}' if figures and 'median_ms' in figures else '–'


def _share(ratio: float | None) -> str:
    return '–' if ratio is None else f'{ratio:.1f}'


def _hz(rate: float | None) -> str:
    return 'no rate' if rate is None else f'{rate:.0f}'
