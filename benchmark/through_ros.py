#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What smoe_node keeps up with, and how old its explanations are where they arrive.

usage: benchmark/through_ros.py [--engine NAME] [--seconds S] [--output FILE] [--quick]

Measured are the highest rate of one camera with under 5 % of its images dropped, and at 30 Hz the
explanations' age, the node's CPU time and its memory for one to four cameras; each with a
subscriber of `contributions` alone, and with subscribers of `overlay` and `lovi`, too. Both are
tried in turn, so that the machine's drift meets both.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from measuring import Record, benchmark
from options import MAX_DOMAIN, benchmark_parser, integer, number
from peak_search import PeakSearch
from record_tables import through_ros
from ros_trial import Bench, Size, Trial, running

from smoe_ros.demo.processes import ProcessError
from smoe_ros.errors import ConfigurationError

MAX_DROP_SHARE = 0.05
RENDERINGS = ('overlay', 'lovi')
# Cameras that cannot keep their rate do not offer it.
_MIN_SENT_SHARE = 0.97
_RATE = 30.0


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        cases: Image size and number of cameras, one node each; the peak is that of one camera.
        seconds: Length of what counts at 30 Hz, in all.
        rounds: Trials it is divided into.
        settle: Seconds before what counts in each trial.
        peak_seconds: Length of what counts of each trial of the search.
        highest: Rate at which the search ends, in Hz.
        resolution: Ratio of rates at which the search ends.
        parameters: Of the node, as ``name:=value``.
    """

    cases: Sequence[tuple[Size, int]]
    seconds: float
    rounds: int
    settle: float
    peak_seconds: float
    highest: float
    resolution: float
    parameters: tuple[str, ...]


def plan_of(options: argparse.Namespace) -> Plan:
    """Return the plan of a run, with --quick of one that only shows that everything works."""
    engine = () if options.engine == 'auto' else (f'engine:={options.engine}',)
    if options.quick:
        cases = (((320, 240), 1),)
        return Plan(cases, 1.0, 1, 0.3, 0.6, _RATE, 2.0, (*engine, 'short_side:=64'))
    vga, hd = (640, 480), (1280, 720)
    cases = ((vga, 1), (vga, 2), (vga, 4), (hd, 1), (hd, 2))
    seconds = options.seconds
    return Plan(cases, seconds, 2, 1.0, max(seconds / 3, 2.0), 120.0, 1.05, engine)


def measure(options: argparse.Namespace) -> Record:
    """Measure all cases.

    Returns:
        The record: ``settings``, ``node`` (what it ran), ``peak_rate`` and ``at_30_hz`` with one
        row each a case and kind of subscribers.

    Raises:
        ConfigurationError: If a process ended by itself.
        KeyboardInterrupt: If the user ended the run.
    """
    plan = plan_of(options)
    peaks: list[Record] = []
    steady: list[Record] = []
    facts: Mapping[str, str] = {}
    try:
        for size, cameras in plan.cases:
            case = {'size': size, 'cameras': cameras}
            with running(cameras, size, options.domain, plan.parameters) as bench:
                for rendering, trials in _steady(bench, plan).items():
                    steady.append(case | {'rendering': rendering} | row(trials))
                    facts = trials[-1].facts
                if cameras == 1:
                    for rendering, found in _peaks(bench, plan).items():
                        peaks.append(case | {'rendering': rendering} | found)
    except ProcessError as error:
        raise ConfigurationError(str(error)) from error
    return {
        'settings': {
            'seconds': plan.seconds,
            'peak_seconds': plan.peak_seconds,
            'settle_seconds': plan.settle,
            'max_drop_share': MAX_DROP_SHARE,
            'parameters': plan.parameters,
        },
        'node': facts,
        'peak_rate': peaks,
        'at_30_hz': steady,
    }


def _run(bench: Bench, plan: Plan, rate: float, rendering: bool, seconds: float) -> Trial:
    kind = 'rendering' if rendering else 'no rendering'
    cameras = f'{len(bench.namespaces)} x {bench.size[0]}x{bench.size[1]}'
    print(f'{cameras} at {rate:.1f} Hz, {kind}', file=sys.stderr, flush=True)
    renderings = RENDERINGS if rendering else ()
    trial = bench.run(rate, renderings, settle=plan.settle, seconds=seconds)
    if trial.stopped:
        raise KeyboardInterrupt
    if trial.problem:
        raise ProcessError(trial.problem)
    return trial


def _steady(bench: Bench, plan: Plan) -> dict[bool, list[Trial]]:
    """Return the trials at 30 Hz, without rendering and with it."""
    trials: dict[bool, list[Trial]] = {False: [], True: []}
    for _ in range(plan.rounds):
        for rendering, done in trials.items():
            done.append(_run(bench, plan, _RATE, rendering, plan.seconds / plan.rounds))
    return trials


def _peaks(bench: Bench, plan: Plan) -> dict[bool, Record]:
    """Search for the peak rates without rendering and with it, a trial each in turn."""
    searches = {
        rendering: PeakSearch(_RATE, 1.0, plan.highest, plan.resolution)
        for rendering in (False, True)
    }
    tried: dict[bool, list[Record]] = {False: [], True: []}
    while not all(search.done for search in searches.values()):
        for rendering, search in searches.items():
            if search.done:
                continue
            trial = _run(bench, plan, search.rate, rendering, plan.peak_seconds)
            offered = trial.sent >= _MIN_SENT_SHARE * search.rate * plan.peak_seconds - 1
            tried[rendering].append(
                {
                    'rate_hz': search.rate,
                    'sent': trial.sent,
                    'drop_share': trial.drop_share,
                    'offered': offered,
                    'cameras_cpus_busy': trial.camera_cpu_seconds / trial.seconds,
                }
            )
            search.take(passed=trial.drop_share < MAX_DROP_SHARE and offered)
    return {
        rendering: {
            'passed_hz': search.passed,
            'failed_hz': search.failed,
            'tried': tried[rendering],
        }
        for rendering, search in searches.items()
    }


def percentiles(ages_ms: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p95 and p99 of ages, interpolated linearly; None without any."""
    names = ('p50', 'p95', 'p99')
    if not ages_ms:
        return dict.fromkeys(names)
    levels = np.percentile(ages_ms, (50, 95, 99))
    return dict(zip(names, map(float, levels), strict=True))


def row(trials: Sequence[Trial]) -> Record:
    """Return the figures of equal trials taken together, ready for JSON.

    Args:
        trials: At least one.
    """
    seconds = sum(trial.seconds for trial in trials)
    watched = sum(trial.samples[-1].seconds for trial in trials)
    samples = [sample for trial in trials for sample in trial.samples]
    explained = sum(len(trial.ages_ms) for trial in trials)
    sent = sum(trial.sent for trial in trials)
    times = [trial.explain_ms for trial in trials if trial.explain_ms is not None]
    return {
        'seconds': seconds,
        'sent': sent,
        'explained': explained,
        'dropped': sent - explained,
        'explained_hz': explained / seconds,
        'age_ms': percentiles([age for trial in trials for age in trial.ages_ms]),
        'explain_ms_p50': float(np.mean(times)) if times else None,
        'cpus_busy': {
            'node': sum(trial.node_cpu_seconds for trial in trials) / watched,
            'cameras': sum(trial.camera_cpu_seconds for trial in trials) / seconds,
            'listener': sum(trial.listener_cpu_seconds for trial in trials) / watched,
        },
        'peak_memory_mb': {
            'resident': max(sample.resident_mb for sample in samples),
            'proportional': max(sample.proportional_mb for sample in samples),
        },
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    parser = benchmark_parser('through_ros', 'What smoe_node keeps up with, over DDS.')
    add = parser.add_argument
    add('--engine', default='auto', help="the node's parameter engine (default: auto)")
    add('--seconds', type=number(1, 3600), default=10.0, help='at 30 Hz, a row (default: 10)')
    domain = 1 + os.getpid() % MAX_DOMAIN
    add('--domain', type=integer(0, MAX_DOMAIN), default=domain, help='ROS domain')
    return benchmark(parser.parse_args(arguments), measure, through_ros)


if __name__ == '__main__':
    sys.exit(main())
