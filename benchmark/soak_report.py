# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a soak run came to: figures, a table and a plot."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from soak_listener import COUNTS, Listener
from soak_options import Options
from soak_processes import Sample
from soak_statistics import WARM_UP_SHARE, after_warm_up, fit_line, summary, tenths

_PACKAGES = ('torch', 'torchvision', 'numpy', 'ros-jazzy-rclpy', 'ros-jazzy-rmw-fastrtps-cpp')
_HOUR = 3600.0
# Drawn at least, so that a few pages do not fill the plot.
_LEAST_GROWTH_MB = 5.0


@dataclass
class Run:
    """What was seen of one run.

    Attributes:
        options: What was asked for.
        begun: Steady-clock time of the first sample, in seconds.
        samples: Of the node, in turn.
        arrivals: Seconds since `begun` of each explanation that came within the run.
        ages_ms: Age of each of those (now − header stamp).
        counts: The node's counts of frames; see ``COUNTS``.
        facts: What the node ran.
        overlays: Overlays received, start-up included.
        published: Images that the cameras say they published; None if they do not.
        problem: Why it went wrong, in a line; empty if it did not.
        stopped_early: Whether the user ended it.
    """

    options: Options
    begun: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    ages_ms: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    overlays: int = 0
    published: int | None = None
    problem: str = ''
    stopped_early: bool = False

    @property
    def seconds(self) -> float:
        """Length of the run, first sample to last."""
        return self.samples[-1].seconds

    def take(self, listener: Listener) -> None:
        """Take over what the listener has heard."""
        self.counts, self.facts = listener.counts(), listener.facts()
        self.overlays = listener.renderings['overlay']
        if self.samples:
            # The frames before the first sample waited for the node to start.
            heard = zip(listener.arrivals, listener.ages, strict=False)
            within = [
                (at - self.begun, age) for at, age in heard if 0 <= at - self.begun <= self.seconds
            ]
            self.arrivals, self.ages_ms = [at for at, _ in within], [age for _, age in within]


def evaluate(run: Run) -> dict[str, Any]:
    """Return a run's figures, ready for JSON; None where too little was seen.

    Args:
        run: With at least one sample.
    """
    first, last = run.samples[0], run.samples[-1]
    warm = next(s for s in run.samples if s.seconds >= WARM_UP_SHARE * run.seconds)
    busy = last.cpu_seconds - first.cpu_seconds
    options = asdict(run.options)
    return {
        'host': {
            'processor': _processor(),
            'cpus': os.cpu_count(),
            'load_average': [round(load, 2) for load in os.getloadavg()],
            'system': platform.platform(),
        },
        'versions': {'python': platform.python_version(), **_versions()},
        'settings': {k: str(v) if isinstance(v, Path) else v for k, v in options.items()},
        'node': run.facts,
        'minutes': run.seconds / 60,
        'stopped_early': run.stopped_early,
        'problem': run.problem,
        'frames': {
            'published': run.published,
            **run.counts,
            # Also those that a publisher let go for newer ones, which no middleware calls lost.
            'never received': (
                None if run.published is None else run.published - run.counts['in']
            ),
        },
        'contributions_received': len(run.ages_ms),
        'overlays_received': run.overlays,
        'rate_hz': len(run.ages_ms) / run.seconds if run.seconds else None,
        'memory_mb': {
            kind: {
                'start': getattr(first, f'{kind}_mb'),
                'after_warm_up': getattr(warm, f'{kind}_mb'),
                'end': getattr(last, f'{kind}_mb'),
                **_slope(run, f'{kind}_mb'),
            }
            for kind in ('resident', 'anonymous', 'shared')
        },
        'threads': {'first': first.threads, 'last': last.threads},
        'open_files': {'first': first.open_files, 'last': last.open_files},
        'major_faults': last.major_faults - first.major_faults,
        'cpus_busy': busy / run.seconds if run.seconds else None,
        'age_ms': asdict(summary(run.ages_ms)),
        'age_ms_tenths': (
            [asdict(part) for part in tenths(run.arrivals, run.ages_ms, run.seconds)]
            if run.seconds
            else []
        ),
        'samples': [asdict(sample) for sample in run.samples],
    }


def format_table(figures: dict[str, Any]) -> str:
    """Return a run's figures as Markdown."""
    settings, host, frames = figures['settings'], figures['host'], figures['frames']
    memory = figures['memory_mb']
    cameras = settings['cameras']
    rows = [
        ('network', f'{figures["node"].get("backbone", "?")} on {figures["node"].get("device")}'),
        (
            'cameras',
            f'{cameras} of {settings["width"]}x{settings["height"]} at {settings["rate"]:g} Hz',
        ),
        ('minutes', f'{figures["minutes"]:.2f}' + ' (ended early)' * figures['stopped_early']),
        ('frames published', _or_dash(frames['published'], 'd')),
        *((f'frames {name}', _or_dash(frames.get(name), 'd')) for name in COUNTS),
        ('frames published, never received', _or_dash(frames['never received'], 'd')),
        ('explained a second, all cameras', _or_dash(figures['rate_hz'], '.1f')),
        *(
            (
                f'{kind} memory: start, after warm-up, end (MB)',
                f'{memory[kind]["start"]:.1f}, {memory[kind]["after_warm_up"]:.1f}, '
                f'{memory[kind]["end"]:.1f}',
            )
            for kind in memory
        ),
        *(
            (f'**{kind} memory slope (MB an hour)**', _slope_text(memory[kind]))
            for kind in ('resident', 'anonymous')
        ),
        ('threads: first, last', '{first}, {last}'.format(**figures['threads'])),
        ('open files: first, last', '{first}, {last}'.format(**figures['open_files'])),
        ('page faults that waited for the disk', figures['major_faults']),
        ('CPUs busy with the node', f'{_or_dash(figures["cpus_busy"], ".2f")} of {host["cpus"]}'),
    ]
    lines = ['| figure | value |', '|---|---|']
    lines += [f'| {name} | {value} |' for name, value in rows]
    lines += [
        '',
        f'Slopes are least squares after the first {WARM_UP_SHARE:.0%} of the run, with the 95 % '
        'confidence interval as it is for samples that follow their predecessors. Anonymous '
        "memory is the process's own, where a leak shows; resident memory also has the libraries' "
        'pages, which the kernel takes back when it is short of memory.',
        '',
        '| tenth of the run | explanations | age p50 (ms) | p95 | max |',
        '|---|---|---|---|---|',
    ]
    parts = [
        *((f'{i}', part) for i, part in enumerate(figures['age_ms_tenths'], 1)),
        ('all', figures['age_ms']),
    ]
    for name, part in parts:
        ages = ' | '.join(_or_dash(part[key], '.1f') for key in ('p50', 'p95', 'max'))
        lines.append(f'| {name} | {part["count"]} | {ages} |')
    return '\n'.join(lines)


def plot(run: Run, figures: dict[str, Any], path: Path) -> None:
    """Draw memory and age over time.

    Args:
        run: The run.
        figures: Its figures, by `evaluate`.
        path: PNG to write.
    """
    figure = Figure((9, 6), layout='constrained', dpi=110)
    memory, ages = figure.subplots(2, 1, sharex=True)
    minutes = np.array([sample.seconds for sample in run.samples]) / 60
    # Against the start: growth of a megabyte would not show beside a network.
    for kind, colour, width in (('resident', 'tab:blue', 2.5), ('anonymous', 'tab:orange', 1)):
        found = figures['memory_mb'][kind]
        start = found['start']
        values = np.array([getattr(sample, f'{kind}_mb') for sample in run.samples]) - start
        label = f'{kind}, from {start:.0f} MB'
        memory.plot(minutes, values, color=colour, linewidth=width, label=label)
        if found['slope_mb_per_hour'] is not None:
            used = minutes[after_warm_up(minutes, minutes[-1])]
            line = found['intercept_mb'] + found['slope_mb_per_hour'] * used / 60 - start
            label = f'{_slope_text(found)} MB an hour'
            memory.plot(used, line, color=colour, linestyle='--', linewidth=width, label=label)
    memory.set(ylabel="growth of the node's memory (MB)")
    low, high = memory.get_ylim()
    memory.set_ylim(min(low, -_LEAST_GROWTH_MB), max(high, _LEAST_GROWTH_MB))
    arrivals = np.array(run.arrivals) / 60
    ages.plot(arrivals, run.ages_ms, '.', color='0.7', markersize=2, label='each explanation')
    edges = np.linspace(0, minutes[-1], 11)
    for key, colour in (('p50', 'tab:blue'), ('p95', 'tab:red')):
        levels = [np.nan if p[key] is None else p[key] for p in figures['age_ms_tenths']]
        if levels:
            ages.stairs(levels, edges, baseline=None, color=colour, linewidth=2, label=key)
    ages.set(xlabel='minutes', ylabel='age (ms)')
    ages.set_ylim(bottom=0)
    for axes in (memory, ages):
        axes.axvspan(0, WARM_UP_SHARE * minutes[-1], color='0.93', zorder=0)
        axes.grid(alpha=0.3)
        axes.legend(loc='lower right' if axes is memory else 'upper right', fontsize=8)
    settings = figures['settings']
    figure.suptitle(
        f'{figures["node"].get("backbone", "?")}, {settings["cameras"]} x '
        f'{settings["width"]}x{settings["height"]} at {settings["rate"]:g} Hz; grey: warm-up'
    )
    figure.savefig(path)


def _slope(run: Run, name: str) -> dict[str, Any]:
    """Return the line through one figure of the samples after warm-up."""
    times = np.array([sample.seconds for sample in run.samples])
    used = after_warm_up(times, run.seconds)
    keys = ('slope_mb_per_hour', 'slope_interval_95', 'slope_interval_95_if_independent')
    if used.sum() < 3:
        return dict.fromkeys((*keys, 'autocorrelation', 'intercept_mb', 'points'))
    values = np.array([getattr(sample, name) for sample in run.samples])
    line = fit_line(times[used] / _HOUR, values[used])
    return {
        'slope_mb_per_hour': line.slope,
        'slope_interval_95': list(line.correlated_interval()),
        'slope_interval_95_if_independent': list(line.interval()),
        'autocorrelation': line.autocorrelation,
        'intercept_mb': line.intercept,
        'points': line.points,
    }


def _slope_text(slope: dict[str, Any]) -> str:
    if slope['slope_mb_per_hour'] is None:
        return '–'
    low, high = slope['slope_interval_95']
    return f'{slope["slope_mb_per_hour"]:+.1f} ({low:+.1f} to {high:+.1f})'


def _or_dash(value: float | None, form: str) -> str:
    return '–' if value is None else format(value, form)


def _processor() -> str:
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.machine()


def _versions() -> dict[str, str]:
    found = {'ros_distro': os.environ.get('ROS_DISTRO', '')}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # ROS need not come from wheels
    return found
