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
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from measuring import Record, benchmark, percentiles
from options import MAX_DOMAIN, benchmark_parser, within
from record_tables import through_ros
from ros_trial import Bench, Size, Trial, running

from smoe_ros.demo.processes import ProcessError
from smoe_ros.errors import ConfigurationError

MAX_DROP_SHARE = 0.05
RENDERINGS = ('overlay', 'lovi')
# Cameras that cannot keep their rate do not offer it.
_MIN_SENT_SHARE = 0.97
_RATE = 30.0


@dataclass
class PeakSearch:
    """The search for the highest rate that is kept up with, one trial at a time.

    Doubles or halves the rate until it is bracketed, then halves the bracket's logarithm.
    """

    rate: float  # to try next, in Hz; the first guess at first
    lowest: float  # not to go below
    highest: float  # not to go beyond
    resolution: float  # ends when failed / passed is at most this; above 1
    passed: float | None = None  # highest rate that passed
    failed: float | None = None  # lowest rate that failed
    done: bool = False  # nothing is left to try

    def take(self, *, passed: bool) -> None:
        """Take the verdict on `rate`, and choose the next one."""
        tried = self.rate
        if passed:
            self.passed = tried
        else:
            self.failed = tried
        if self.failed is None:
            self.rate = min(tried * 2, self.highest)
        elif self.passed is None:
            self.rate = max(tried / 2, self.lowest)
        else:
            self.rate = math.sqrt(self.passed * self.failed)
            self.done = self.failed / self.passed <= self.resolution
        self.done = self.done or self.rate == tried  # at a bound


class Plan(NamedTuple):
    """What is measured; lengths are seconds that count."""

    cases: Sequence[tuple[Size, int]]  # image size and number of cameras, one node each
    length: float  # at 30 Hz, in all
    rounds: int  # that it is divided into
    settle: float  # before what counts of each trial
    peak_length: float  # of each trial of the search
    highest: float  # rate at which the search ends, in Hz
    resolution: float  # ratio of rates at which it ends


def plan_of(options: argparse.Namespace) -> Plan:
    """Return the plan of a run, with --quick of one that only shows that everything works."""
    if options.quick:
        return Plan((((320, 240), 1),), 1.0, 1, 0.3, 0.6, _RATE, 2.0)
    vga, hd = (640, 480), (1280, 720)
    cases = ((vga, 1), (vga, 2), (vga, 4), (hd, 1), (hd, 2))
    length = options.seconds
    return Plan(cases, length, 2, 1.0, max(length / 3, 2.0), 120.0, 1.05)


def measure(options: argparse.Namespace) -> Record:
    """Measure all cases.

    Returns:
        The record: ``plan``, ``parameters``, ``node`` (what it ran), ``peak_rate`` and
        ``at_30_hz`` with one row each a case and kind of subscribers.

    Raises:
        ConfigurationError: If a process ended by itself.
        KeyboardInterrupt: If the user ended the run.
    """
    plan = plan_of(options)
    parameters = ['short_side:=64'] if options.quick else []
    if options.engine != 'auto':  # the node's default
        parameters.append(f'engine:={options.engine}')
    peaks: list[Record] = []
    steady: list[Record] = []
    facts: Mapping[str, str] = {}
    try:
        for size, cameras in plan.cases:
            case = {'size': size, 'cameras': cameras}
            with running(cameras, size, options.domain, parameters) as bench:
                for rendering, trials in _steady(bench, plan).items():
                    steady.append(case | {'rendering': rendering} | row(trials))
                    facts = trials[-1].facts
                if cameras == 1:
                    for rendering, found in _peaks(bench, plan).items():
                        ends = {'passed_hz': found.passed, 'failed_hz': found.failed}
                        peaks.append(case | {'rendering': rendering} | ends)
    except ProcessError as error:
        raise ConfigurationError(str(error)) from error
    return {
        'plan': plan,
        'parameters': parameters,
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
            done.append(_run(bench, plan, _RATE, rendering, plan.length / plan.rounds))
    return trials


def _peaks(bench: Bench, plan: Plan) -> dict[bool, PeakSearch]:
    """Search for the peak rates without rendering and with it, a trial each in turn."""
    searches = {
        rendering: PeakSearch(_RATE, 1.0, plan.highest, plan.resolution)
        for rendering in (False, True)
    }
    while not all(search.done for search in searches.values()):
        for rendering, search in searches.items():
            if not search.done:
                # A hiccup of the machine fails a rate that could pass: so it is tried twice.
                tries = (_keeps_up(bench, plan, search.rate, rendering) for _ in range(2))
                search.take(passed=any(tries))
    return searches


def _keeps_up(bench: Bench, plan: Plan, rate: float, rendering: bool) -> bool:
    trial = _run(bench, plan, rate, rendering, plan.peak_length)
    offered = trial.sent >= _MIN_SENT_SHARE * rate * plan.peak_length - 1
    return offered and len(trial.ages_ms) > (1 - MAX_DROP_SHARE) * trial.sent


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
        'age_ms': percentiles([age for trial in trials for age in trial.ages_ms], (50, 95, 99)),
        'explain_ms_p50': float(np.mean(times)) if times else None,
        'cpus_busy': {'node': sum(trial.node_cpu_seconds for trial in trials) / watched},
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
    add(
        '--seconds',
        type=within(float, 1, 3600),
        default=10.0,
        help='at 30 Hz, a row (default: 10)',
    )
    domain = 1 + os.getpid() % MAX_DOMAIN
    add('--domain', type=within(int, 0, MAX_DOMAIN), default=domain, help='ROS domain')
    return benchmark(parser.parse_args(arguments), measure, through_ros)


if __name__ == '__main__':
    sys.exit(main())
