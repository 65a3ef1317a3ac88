# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a soak run came to: does something grow? Figures, with their uncertainty, and a plot."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from measuring import percentiles
from numpy.typing import ArrayLike
from record_tables import slope_text
from ros_trial import Trial
from scipy import stats

# Left out of the slope: caches fill and allocators settle in the first part of a run.
WARM_UP_SHARE = 0.2
_MAX_CORRELATION = 0.99
_HOUR = 3600.0


def evaluate(options: argparse.Namespace, trial: Trial) -> dict[str, Any]:
    """Return a run's figures, ready for JSON; None where too little was seen.

    Args:
        options: Of the command line.
        trial: With samples and explanations.
    """
    first, last = trial.samples[0], trial.samples[-1]
    settled = [s for s in trial.samples if s.seconds >= WARM_UP_SHARE * last.seconds]
    memory = {}
    for kind in ('resident', 'anonymous'):
        series = [getattr(sample, f'{kind}_mb') for sample in settled]
        memory[kind] = {
            'start': getattr(first, f'{kind}_mb'),
            'after_warm_up': series[0],
            'end': series[-1],
            **slope([sample.seconds / _HOUR for sample in settled], series),
        }
    names = ('minutes', 'rate', 'cameras', 'width', 'height', 'parameters')
    return {
        'settings': {name: getattr(options, name) for name in names},
        'node': dict(trial.facts),
        'minutes': trial.seconds / 60,
        'stopped_early': trial.stopped,
        'problem': trial.problem,
        'frames': {
            'published': trial.sent,
            **trial.counts,
            # Also those that a publisher let go for newer ones, which no middleware calls lost.
            'never received': trial.sent - trial.counts['in'],
        },
        'rate_hz': len(trial.ages_ms) / trial.seconds if trial.seconds else None,
        'memory_mb': memory,
        'threads': {'first': first.threads, 'last': last.threads},
        'open_files': {'first': first.open_files, 'last': last.open_files},
        'cpus_busy': trial.node_cpu_seconds / last.seconds if last.seconds else None,
        'age_ms': summary(trial.ages_ms),
        'age_ms_tenths': tenths(trial.arrivals, trial.ages_ms, trial.seconds),
    }


def slope(hours: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    """Return the least-squares line through N samples of memory, with its uncertainty.

    Memory grows in steps, so neighbouring samples say nearly the same, and N of them are worth
    only N (1 − r) / (1 + r) independent ones, r the autocorrelation of the residuals.

    Args:
        hours: When, evenly spaced.
        values: MB.

    Returns:
        ``slope_mb_per_hour`` and its ``slope_interval_95``; None for fewer than three
        points, or all at one time.
    """
    x, y = np.asarray(hours, np.float64), np.asarray(values, np.float64)
    if len(x) < 3 or np.ptp(x) == 0:
        return {'slope_mb_per_hour': None, 'slope_interval_95': None}
    line = stats.linregress(x, y)
    residuals = y - (line.intercept + line.slope * x)
    power = float(residuals @ residuals)
    follow = float(residuals[1:] @ residuals[:-1]) / power if power else 0.0
    r = min(max(follow, 0.0), _MAX_CORRELATION)
    half = stats.t.ppf(0.975, len(x) - 2) * line.stderr * ((1 + r) / (1 - r)) ** 0.5
    return {
        'slope_mb_per_hour': float(line.slope),
        'slope_interval_95': [float(line.slope - half), float(line.slope + half)],
    }


def tenths(times: ArrayLike, values: ArrayLike, end: float) -> list[dict[str, Any]]:
    """Return the figures of each tenth of a run.

    Args:
        times: When the values were taken, from 0 to `end`, shape (N,).
        values: Shape (N,).
        end: Length of the run.
    """
    array = np.asarray(values, np.float64)
    part = np.clip((10 * np.asarray(times, np.float64) / max(end, 1e-9)).astype(int), 0, 9)
    return [summary(array[part == i]) for i in range(10)]


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Return count, p50, p95 and max of values, shape (N,); None without any."""
    found = percentiles(values, (50, 95, 100))
    return {'count': len(values), 'p50': found['p50'], 'p95': found['p95'], 'max': found['p100']}


def plot(trial: Trial, record: dict[str, Any], path: Path) -> None:
    """Draw memory and age over time.

    Args:
        trial: The run.
        record: Its figures, by `evaluate`.
        path: PNG to write.
    """
    figure = Figure((9, 6), layout='constrained', dpi=110)
    memory, ages = figure.subplots(2, 1, sharex=True)
    minutes = np.array([sample.seconds for sample in trial.samples]) / 60
    # Against the start: growth of a megabyte would not show beside a network.
    for kind, colour, width in (('resident', 'tab:blue', 2.5), ('anonymous', 'tab:orange', 1)):
        found = record['memory_mb'][kind]
        start = found['start']
        values = np.array([getattr(sample, f'{kind}_mb') for sample in trial.samples]) - start
        label = f'{kind}, from {start:.0f} MB, {slope_text(found)}'
        memory.plot(minutes, values, color=colour, linewidth=width, label=label)
    memory.set(ylabel="growth of the node's memory (MB)")
    memory.margins(y=0.5)
    arrivals = np.array(trial.arrivals) / 60
    ages.plot(arrivals, trial.ages_ms, '.', color='0.7', markersize=2, label='each explanation')
    edges = np.linspace(0, minutes[-1], 11)
    for key, colour in (('p50', 'tab:blue'), ('p95', 'tab:red')):
        levels = [np.nan if p[key] is None else p[key] for p in record['age_ms_tenths']]
        ages.stairs(levels, edges, baseline=None, color=colour, linewidth=2, label=key)
    ages.set(xlabel='minutes', ylabel='age (ms)')
    ages.set_ylim(bottom=0)
    for axes in (memory, ages):
        axes.axvspan(0, WARM_UP_SHARE * minutes[-1], color='0.93', zorder=0)
        axes.grid(alpha=0.3)
        axes.legend(loc='lower right' if axes is memory else 'upper right', fontsize=8)
    settings = record['settings']
    figure.suptitle(
        f'{record["node"].get("backbone", "?")}, {settings["cameras"]} x '
        f'{settings["width"]}x{settings["height"]} at {settings["rate"]:g} Hz; grey: warm-up'
    )
    figure.savefig(path)
