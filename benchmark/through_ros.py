#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What smoe_node keeps up with, and how old its explanations are where they arrive.

usage: benchmark/through_ros.py [--engine NAME] [--seconds S] [--output FILE] [--quick]

Cameras, node and listener are processes of their own and talk over DDS, in a ROS domain of their
own, on this host only. Measured are the highest rate of one camera with under 5 % of its images
dropped, and at 30 Hz the explanations' age, the node's CPU time and its memory for one to four
cameras; each with a subscriber of `contributions` alone, and with subscribers of `overlay` and
`lovi`, too. Both are tried in turn, so that the machine's drift meets both.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host import describe, sentence
from soak_options import MAX_DOMAIN, Parser, integer, number
from soak_processes import ros_environment, stop_signal
from through_ros_peak import PeakSearch
from through_ros_tables import tables
from through_ros_trial import Bench, Size, Trial, row

from smoe_ros.demo.processes import Process, ProcessError, node_command

__all__ = ['main', 'tables']

MAX_DROP_SHARE = 0.05
# Cameras that cannot keep their rate do not offer it.
_MIN_SENT_SHARE = 0.97
_RATE = 30.0
_OUTPUT = Path(__file__).parents[1] / 'docs' / 'performance' / 'through_ros.json'


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
        parameters: Of the node, beside its topics.
    """

    cases: Sequence[tuple[Size, int]]
    seconds: float
    rounds: int
    settle: float
    peak_seconds: float
    highest: float
    resolution: float
    parameters: Mapping[str, object]


def full(seconds: float) -> Plan:
    """Return the plan of a run that is worth publishing.

    Args:
        seconds: Length of what counts at 30 Hz.
    """
    vga, hd = (640, 480), (1280, 720)
    cases = ((vga, 1), (vga, 2), (vga, 4), (hd, 1), (hd, 2))
    return Plan(cases, seconds, 2, 1.0, max(seconds / 3, 2.0), 120.0, 1.05, {})


def quick() -> Plan:
    """Return the plan of a run of seconds, which only shows that everything works."""
    return Plan((((320, 240), 1),), 1.0, 1, 0.3, 0.6, _RATE, 2.0, {'short_side': 64})


def main(args: Sequence[str] | None = None) -> int:
    """Measure, print, write, and return the exit code."""
    parser = Parser(description='What smoe_node keeps up with, over DDS.', allow_abbrev=False)
    add = parser.add_argument
    add('--engine', default='auto', help="the node's parameter engine (default: auto)")
    add('--seconds', type=number(1, 3600), default=10.0, help='at 30 Hz, a row (default: 10)')
    add('--output', type=Path, default=_OUTPUT, metavar='FILE', help='JSON to write')
    add('--quick', action='store_true', help='a run of seconds, whose figures say nothing')
    domain = 1 + os.getpid() % MAX_DOMAIN
    add('--domain', type=integer(0, MAX_DOMAIN), default=domain, help='ROS domain')
    options = parser.parse_args(args)
    plan = quick() if options.quick else full(options.seconds)
    if options.engine != 'auto':  # the node's default
        plan.parameters['engine'] = options.engine
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        record = measure(plan, options.domain)
        options.output.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
    except (OSError, ProcessError) as error:
        print(f'{Path(__file__).name}: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(sentence(record['host']))
    for name, table in tables(record).items():
        print(f'\n{name}:\n\n{table}')
    return 0


def measure(plan: Plan, domain: int) -> dict[str, Any]:
    """Measure all cases.

    Args:
        plan: What is measured.
        domain: ROS domain.

    Returns:
        The record, ready for JSON: ``host`` (`describe`'s), ``settings``, ``node`` (what it
        ran), ``peak_rate`` and ``at_30_hz`` with one row each a case and kind of subscribers.

    Raises:
        ProcessError: If a process ended by itself.
        KeyboardInterrupt: If the user ended the run.
    """
    peaks: list[dict[str, Any]] = []
    steady: list[dict[str, Any]] = []
    facts: Mapping[str, str] = {}
    with stop_signal() as stopped, tempfile.TemporaryDirectory(prefix='smoe_bench_') as logs:
        for size, cameras in plan.cases:
            case = {'size': size, 'cameras': cameras}
            with _running(plan, size, cameras, domain, Path(logs), stopped) as bench:
                for rendering, trials in _steady(bench, plan).items():
                    steady.append(case | {'rendering': rendering} | row(trials))
                    facts = trials[-1].facts
                if cameras == 1:
                    for rendering, found in _peaks(bench, plan).items():
                        peaks.append(case | {'rendering': rendering} | found)
    return {
        'host': describe(),
        'settings': {
            'seconds': plan.seconds,
            'peak_seconds': plan.peak_seconds,
            'settle_seconds': plan.settle,
            'max_drop_share': MAX_DROP_SHARE,
            'parameters': dict(plan.parameters),
        },
        'node': dict(facts),
        'peak_rate': peaks,
        'at_30_hz': steady,
    }


@contextlib.contextmanager
def _running(
    plan: Plan, size: Size, cameras: int, domain: int, logs: Path, stopped: threading.Event
) -> Iterator[Bench]:
    """Run a node for some cameras."""
    environment = ros_environment(domain, logs)
    os.environ.update(environment)  # the listener's transport, too
    namespaces = [f'/bench_{os.getpid()}/camera_{i}' for i in range(cameras)]
    topics = ', '.join(f'{namespace}/image_raw' for namespace in namespaces)
    warm_up = ['-p', f'image_topics:=[{topics}]', '-p', f'warm_up_size:=[{size[0]}, {size[1]}]']
    command = node_command('smoe_node', plan.parameters, warm_up)
    with Process('smoe_node', command, environment, logs) as node:
        yield Bench(node, namespaces, size, environment, logs, domain, stopped)


def _steady(bench: Bench, plan: Plan) -> dict[bool, list[Trial]]:
    """Return the trials at 30 Hz, without rendering and with it."""
    trials: dict[bool, list[Trial]] = {False: [], True: []}
    for _ in range(plan.rounds):
        for rendering, done in trials.items():
            _progress(bench, _RATE, rendering)
            seconds = plan.seconds / plan.rounds
            trial = bench.run(_RATE, rendering=rendering, settle=plan.settle, seconds=seconds)
            done.append(trial)
    return trials


def _peaks(bench: Bench, plan: Plan) -> dict[bool, dict[str, Any]]:
    """Search for the peak rates without rendering and with it, a trial each in turn."""
    searches = {
        rendering: PeakSearch(_RATE, 1.0, plan.highest, plan.resolution)
        for rendering in (False, True)
    }
    tried: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    while not all(search.done for search in searches.values()):
        for rendering, search in searches.items():
            if search.done:
                continue
            figures = _try_rate(bench, plan, search.rate, rendering)
            tried[rendering].append(figures)
            search.take(passed=figures['drop_share'] < MAX_DROP_SHARE and figures['offered'])
    return {
        rendering: {
            'passed_hz': search.passed,
            'failed_hz': search.failed,
            'tried': tried[rendering],
            'cameras_cpus_busy': statistics.median(
                one['cameras_cpus_busy'] for one in tried[rendering]
            ),
        }
        for rendering, search in searches.items()
    }


def _try_rate(bench: Bench, plan: Plan, rate: float, rendering: bool) -> dict[str, Any]:
    _progress(bench, rate, rendering)
    trial = bench.run(rate, rendering=rendering, settle=plan.settle, seconds=plan.peak_seconds)
    return {
        'rate_hz': rate,
        'sent': trial.sent,
        'drop_share': trial.drop_share,
        'offered': trial.sent >= _MIN_SENT_SHARE * rate * plan.peak_seconds - 1,
        'cameras_cpus_busy': trial.camera_cpu_seconds / trial.seconds,
    }


def _progress(bench: Bench, rate: float, rendering: bool) -> None:
    kind = 'rendering' if rendering else 'no rendering'
    cameras = f'{len(bench.namespaces)} x {bench.size[0]}x{bench.size[1]}'
    print(f'{cameras} at {rate:.1f} Hz, {kind}', file=sys.stderr, flush=True)


if __name__ == '__main__':
    sys.exit(main())
