# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What benchmarks measured, as Markdown: of each record, the parts of documents it makes.

A record is the JSON that a benchmark wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

_NONE = '–'
_PACKAGES = {
    'torch': 'torch',
    'torchvision': 'torchvision',
    'onnxruntime': 'ONNX Runtime',
    'numba': 'numba',
    'numpy': 'NumPy',
    'opencv-python': 'OpenCV',
}
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
_README = ('bare network, torch', 'smoe_ros, torch', 'smoe_ros, onnxruntime', 'textbook')
GROWTH_TITLES = {
    'short side': 'short side of the input, pixels',
    'scales': 'scales that are read, deepest first',
    'frames': 'frames of one size together',
    'cameras': 'cameras of different aspect together',
}
_SOAK_COUNTS = ('in', 'explained', 'dropped', 'rejected', 'waiting')


def table(header: str, rows: Iterable[Sequence[str]], alignment: str = '') -> str:
    """Return a Markdown table, without a line end after its last row.

    Args:
        header: Of all columns, ``'like | this'``.
        rows: Cells of each row.
        alignment: An l (left) or r (right) for each column; all left without.
    """
    columns = header.count(' | ') + 1
    rules = ['--:' if side == 'r' else '---' for side in alignment.ljust(columns, 'l')]
    lines = (header, *(' | '.join(cells) for cells in (rules, *rows)))
    # A name such as <topic> would be taken for HTML.
    return '\n'.join(f'| {line} |'.replace('<', '&lt;') for line in lines)


def host_sentence(host: Record) -> str:
    """Say in a sentence on what was measured."""
    versions = ', '.join(
        f'{name} {host["versions"][package]}'
        for package, name in _PACKAGES.items()
        if host['versions'].get(package)
    )
    return (
        f'Measured on {host["date"]} on {host["cpus"]} CPU cores ({host["processor"]}, '
        f'{host["memory_gb"]} GB, {host["gpu"] or "no GPU"}), {host["system"]}, Python '
        f'{host["python"]}, {versions}, {host["threads"]} threads.'
    )


def performance(records: Mapping[str, Record]) -> dict[str, str]:
    """Return every part of docs/performance.md.

    Args:
        records: Of per_frame, stages, through_ros and growth, by name.
    """
    hosts = dict.fromkeys(host_sentence(record['host']) for record in records.values())
    return {
        'host': '\n\n'.join(hosts),
        **per_frame(records['per_frame']),
        **stages(records['stages']),
        **through_ros(records['through_ros']),
        **growth(records['growth']),
    }


def per_frame(record: Record) -> dict[str, str]:
    """Return ``'per frame'``, ``'peers'``, ``'memory'`` and ``'agreement'``."""
    configurations = record['configurations']
    return {
        'per frame': _times(configurations),
        'peers': _peers(configurations, record['peers']),
        'memory': _memory(record['memory']),
        'agreement': _agreement(configurations),
    }


def _times(configurations: Sequence[Record]) -> str:
    rows = []
    for one in configurations:
        candidates = one['candidates']
        textbook = candidates.get('textbook', {})
        fastest = candidates.get(one['fastest'], {})
        rows.append(
            [
                f'{one["backbone"]} | {one["input"]} | {one["rounds"]}',
                *(_ms(candidates.get(name, {}).get('median_ms')) for _, name in _PER_FRAME),
                _format('.2f', textbook.get('ratio_to_torch')),
                _format('.2f', textbook.get('ratio_to_fastest')),
                _format('.2f', fastest.get('ratio_to_bare')),
            ]
        )
    header = ' | '.join(f'{title} (ms)' for title, _ in _PER_FRAME)
    return table(
        f'network | input | rounds | {header} | textbook / smoe_ros, torch | '
        'textbook / fastest smoe_ros | fastest smoe_ros / bare, torch',
        rows,
    )


def _peers(configurations: Sequence[Record], peers: Mapping[str, Record]) -> str:
    """Return milliseconds and, in brackets, the ratio to the bare network."""
    names = [*(name for _, name in _PER_FRAME), 'smoe_ros, torch, gamma CDF']
    names += ['textbook, gamma CDF', *peers]
    rows = []
    for name in names:
        if not any(name in one['candidates'] for one in configurations):
            continue  # of older records
        cells = []
        for one in configurations:
            figures = one['candidates'].get(name, {})
            time, ratio = figures.get('median_ms'), figures.get('ratio_to_bare')
            cells.append(_NONE if time is None else f'{_ms(time)} ({_format(".2f", ratio)})')
        ours = _NONE if name.startswith('bare') else 'full'
        rows.append((name, peers[name]['map'] if name in peers else ours, *cells))
    inputs = (f' | {one["backbone"]} {one["input"]}' for one in configurations)
    return table('explainer | map' + ''.join(inputs), rows)


def _memory(networks: Sequence[Record]) -> str:
    header = 'candidate'
    for network in networks:
        title = f'{network["backbone"]}, {network["short_side"]}'
        header += f' | {title}: running (MB) | to bare | with start (MB)'
    rows = []
    for name in networks[0]['candidates'] if networks else ():
        row = [name]
        for network in networks:
            figures = network['candidates'].get(name, {})
            row.append(_format('.0f', figures.get('running_peak_mb')))
            row.append(_format('.2f', figures.get('ratio_to_bare')))
            row.append(_format('.0f', figures.get('peak_mb')))
        rows.append(row)
    return table(header, rows)


def _agreement(configurations: Sequence[Record]) -> str:
    rows = [
        (
            *(one['backbone'], one['input'], row['way'], f'{row["maps_max"]:.1e}'),
            *(f'{100 * row["maps_beyond"]:.2f} %', f'{row["saliency_max"]:.1e}'),
        )
        for one in configurations
        for row in one['agreement']
        if 'reason' not in row
    ]
    return table(
        "network | input | beside the network as it is loaded, in eager torch's float32 | "
        'scale maps, largest difference | pixels beyond 1e-4 | saliency, largest difference',
        rows,
    )


def stages(record: Record) -> dict[str, str]:
    """Return ``'stages'``."""
    names = record['stages'][0]['median_ms']
    columns = ''.join(f'{name}, ms | ' for name in names)
    rows = [
        (
            *(f'`{row["backbone"]}`', str(row['short_side']), row['engine']),
            *(f'{row["median_ms"][name]:.2f}' for name in names),
            f'{row["saliency_and_lovi_over_forward"]:.1%}',
        )
        for row in record['stages']
    ]
    header = f'network | short side | engine | {columns}saliency and LOVI / forward'
    return {'stages': table(header, rows)}


def through_ros(record: Record) -> dict[str, str]:
    """Return ``'peak rate'`` and ``'at 30 Hz'``."""
    peaks = [
        (_images(row), _subscribers(row), _peak(row), _format('.1f', row['failed_hz']))
        for row in record['peak_rate']
    ]
    steady = [
        (
            *(_images(row), str(row['cameras']), _subscribers(row)),
            f'{row["explained_hz"]:.1f}',
            f'{100 * row["dropped"] / max(row["sent"], 1):.1f} %',
            ' / '.join(_ms(value) for value in row['age_ms'].values()),
            _ms(row['explain_ms_p50']),
            f'{row["cpus_busy"]["node"]:.2f}',
            ' / '.join(f'{value:.0f}' for value in row['peak_memory_mb'].values()),
        )
        for row in record['at_30_hz']
    ]
    peak_header = 'images | subscribers | peak rate, Hz | next rate tried that failed, Hz'
    steady_header = (
        'images | cameras | subscribers | explained a second | dropped | age p50 / p95 / p99, ms '
        '| time with a frame p50, ms | CPU cores busy | memory at most, resident / PSS, MB'
    )
    return {'peak rate': table(peak_header, peaks), 'at 30 Hz': table(steady_header, steady)}


def _images(row: Record) -> str:
    return '{}x{}'.format(*row['size'])


def _subscribers(row: Record) -> str:
    return 'contributions, overlay, lovi' if row['rendering'] else 'contributions'


def _peak(row: Record) -> str:
    """Write the peak, as a bound where the search ended at its own."""
    if row['passed_hz'] is None:
        return f'below {row["failed_hz"]:.1f}'
    bound = 'at least ' if row['failed_hz'] is None else ''
    return f'{bound}{row["passed_hz"]:.1f}'


def growth(record: Record) -> dict[str, str]:
    """Return ``'growth'``."""
    engines = record['engines']
    first = next(iter(engines.values()))
    rows = [
        (title, key, *(f'{engine[what][key]:.1f}' for engine in engines.values()))
        for what, title in GROWTH_TITLES.items()
        for key in first[what]
    ]
    return {'growth': table(' | ' + ''.join(f' | {engine}, ms' for engine in engines), rows)}


def recording(record: Record) -> dict[str, str]:
    """Return ``'rate'``, with the machine."""
    rows = [
        (
            f'`{engine}`',
            f'{one["explainer alone (Hz)"]:.1f}',
            f'{one["smoe_bag (Hz)"]:.1f}',
            f'{one["ratio"]:.0%}',
            f'{one["peak (MB)"]}',
            f'{one["peak of fewer frames (MB)"]}',
        )
        for engine, one in record['engines'].items()
    ]
    first = next(iter(record['engines'].values()))
    header = (
        'engine | explainer alone, images a second | `smoe_bag explain`, images a second | share '
        f'| peak memory, {first["frames"]} images (MB) | {first["fewer frames"]} images (MB)'
    )
    return {'rate': f'{host_sentence(record["host"])}\n\n{table(header, rows)}'}


def mixed_sizes(record: Record) -> dict[str, str]:
    """Return ``'mixed sizes'``: times and changes of ways through the network."""
    times = [
        (
            *(f'`{network}`', row['cameras']),
            *(f'{row["median_ms"][way]:.0f}' for way in ('alone', 'grouped', 'letterboxed')),
            f'{row["letterboxed_over_grouped"]:.2f}',
        )
        for network, rows in record['times'].items()
        for row in rows
    ]
    changes = []
    for way in dict.fromkeys(one['way'] for one in record['changes']):
        these = [one for one in record['changes'] if one['way'] == way]
        figures = (
            max(one['mean_difference'] for one in these),
            max(one['max_difference'] for one in these),
            min(one['min_spearman'] for one in these),
        )
        changes.append((way, *(f'{figure:.3f}' for figure in figures)))
    header = 'network | cameras | one by one, ms | grouped, ms | letterboxed, ms | ratio'
    change_header = 'saliency beside that of the frame alone | mean difference, up to | max | rank'
    note = (
        f'(medians of {record["repeats"]} interleaved repeats, {record["host"]["cpus"]} CPU '
        f'cores, torch {record["torch"]}; ratio: letterboxed over grouped, median of pairs)'
    )
    parts = (table(header, times), note, table(change_header, changes))
    return {'mixed sizes': '\n\n'.join(parts)}


def soak(record: Record) -> dict[str, str]:
    """Return ``'soak'``: what a long run came to."""
    memory, frames, age = record['memory_mb']['anonymous'], record['frames'], record['age_ms']
    stretch = ', '.join(f'{memory[at]:.0f}' for at in ('start', 'after_warm_up', 'end'))
    threads, files = (
        f'{record[kind]["first"]} and {record[kind]["last"]}' for kind in ('threads', 'open_files')
    )
    tenths = ', '.join(_format('.0f', part['p95']) for part in record['age_ms_tenths'])
    rows = [
        ('length', f'{record["minutes"]:.1f} minutes'),
        (
            'frames ' + ', '.join(_SOAK_COUNTS),
            ', '.join(str(frames[name]) for name in _SOAK_COUNTS),
        ),
        ('lost on the way', str(frames['lost in transport'])),
        ('explained a second', _format('.1f', record['rate_hz'])),
        ("the node's own memory: start, after warm-up, end", f'{stretch} MB'),
        ('its slope after warm-up, with 95 % interval', slope_text(memory)),
        ('threads, open files: first and last', f'{threads}, {files}'),
        ('age p50 / p95 / max', f'{age["p50"]:.0f} / {age["p95"]:.0f} / {age["max"]:.0f} ms'),
        ('age p95 in each tenth of the run', f'{tenths} ms'),
    ]
    return {'soak': table(' | ', rows)}


def slope_text(memory: Record) -> str:
    """Return the growth of one kind of memory, with its interval."""
    if memory['slope_mb_per_hour'] is None:
        return _NONE
    low, high = memory['slope_interval_95']
    return f'{memory["slope_mb_per_hour"]:+.1f} MB an hour ({low:+.1f} to {high:+.1f})'


def readme(per_frame: Record, through_ros: Record) -> dict[str, str]:
    """Return README.md's ``'performance'``."""
    rows = []
    for one in per_frame['configurations']:
        if one['short_side'] == 224:
            figures = [one['candidates'].get(name, {}) for name in _README]
            times = (_format('.1f', of.get('median_ms')) for of in figures)
            ratio = _format('.1f', figures[-1].get('ratio_to_fastest'))
            rows.append((f'`{one["backbone"]}`', *times, ratio))
    header = (
        'a 640x480 frame, ms | bare network, torch | explained, torch | explained, ONNX Runtime '
        '| formulas as written, torch | formulas / fastest'
    )
    (peak,) = (row for row in through_ros['peak_rate'] if _is_usual(row))
    (steady,) = (row for row in through_ros['at_30_hz'] if _is_usual(row))
    age = steady['age_ms']
    text = (
        f'Through ROS, camera and listener on the same {per_frame["host"]["cpus"]} cores, the '
        f'node follows a 640x480 camera up to {_format(".0f", peak["passed_hz"])} Hz with fewer '
        'than 5 % of the images dropped.\n'
        f'At 30 Hz an explanation is {age["p50"]:.0f} ms old when it is received '
        f'(p95 {age["p95"]:.0f}); dropped are {steady["dropped"]} of {steady["sent"]} images.\n'
        'The whole, with other libraries and memory: [docs/performance.md](docs/performance.md).'
    )
    return {'performance': f'{table(header, rows)}\n\n{text}'}


def _is_usual(row: Record) -> bool:
    """Return whether a row is of one 640x480 camera without pictures."""
    return row['size'] == [640, 480] and row['cameras'] == 1 and not row['rendering']


def _ms(value: float | None) -> str:
    return _format('.1f' if value is not None and value >= 10 else '.2f', value)


def _format(form: str, value: float | None) -> str:
    return _NONE if value is None else format(value, form)
