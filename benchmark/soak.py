#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs smoe_node under steady cameras and shows whether its memory or its ages grow.

usage: scripts/soak [--help]

Cameras, node and listener talk over DDS, in a ROS domain and under names of their own, on this
host only. The exit code is 1 if a process ended by itself or nothing was explained.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from soak_listener import Listener
from soak_options import Options, parse_options
from soak_processes import Sample, ros_environment, sample, stop_signal
from soak_report import Run, evaluate, format_table, plot

from smoe_ros.demo.processes import Process, ProcessError, node_command

# Loading torch and a network on a small machine takes some seconds, its first time longer.
_START_SECONDS = 120.0
_IDLE_SECONDS = 20.0
_POLL_SECONDS = 0.1
_SAMPLE_SECONDS = (0.2, 5.0)
_SAMPLES = 300
_PROGRESS_SECONDS = 30.0


def main(args: Sequence[str] | None = None) -> int:
    """Run the soak test and return the exit code."""
    options = parse_options(args)
    try:
        for folder in (options.output, options.json and options.json.parent):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"scripts/soak: '{folder}' cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix='smoe_soak_') as logs:
        run = _run(options, Path(logs))
    if run.samples and run.ages_ms:
        _report(run, options)
    problem = run.problem or ('' if run.ages_ms else 'no frame was explained')
    if problem:
        print(f'scripts/soak: {problem}', file=sys.stderr)
    return 1 if problem else 0


def _run(options: Options, logs: Path) -> Run:
    """Run the processes until the time is up, one ends, or Ctrl-C."""
    run = Run(options)
    namespaces = [f'/soak_{os.getpid()}/camera_{i}' for i in range(options.cameras)]
    environment = ros_environment(options.domain, logs)
    os.environ.update(environment)  # the listener's transport, too
    with contextlib.ExitStack() as running:
        stopped = running.enter_context(stop_signal())
        try:
            listener = running.enter_context(Listener(namespaces, options.domain))
            topics = ', '.join(f'{namespace}/image_raw' for namespace in namespaces)
            parameters = [f'image_topics:=[{topics}]', *options.node_parameters()]
            arguments = [word for parameter in parameters for word in ('-p', parameter)]
            command = node_command('smoe_node', {}, arguments)
            node = running.enter_context(Process('smoe_node', command, environment, logs))
            cameras = [
                running.enter_context(
                    Process(f'camera_{i}', _camera_command(options, name), environment, logs)
                )
                for i, name in enumerate(namespaces)
            ]
            processes = [node, *cameras]
            if _wait_for_frames(listener, processes, stopped):
                _sample(run, listener, node, processes, stopped)
                _finish(run, listener, node, cameras)
        except ProcessError as error:
            run.problem = str(error)
        run.stopped_early = stopped.is_set()
        run.take(listener)
    return run


def _camera_command(options: Options, namespace: str) -> list[str]:
    # Not before the node listens: every frame published is accounted for.
    parameters = {
        'source': 'synthetic',
        'rate': options.rate,
        'width': options.width,
        'height': options.height,
        'start_subscribers': 1,
    }
    return node_command('camera_publisher', parameters, ['-r', f'__ns:={namespace}'])


def _wait_for_frames(
    listener: Listener, processes: Sequence[Process], stopped: threading.Event
) -> bool:
    """Wait for the first explanation; False if the user ended it before.

    Raises:
        ProcessError: If a process ended, or the time is up.
    """
    deadline = time.monotonic() + _START_SECONDS
    while not stopped.wait(_POLL_SECONDS):
        for process in processes:
            process.check()
        if listener.arrivals:
            return True
        if time.monotonic() > deadline:
            raise ProcessError(f'no frame was explained within {_START_SECONDS:.0f} s')
    return False


def _sample(
    run: Run,
    listener: Listener,
    node: Process,
    processes: Sequence[Process],
    stopped: threading.Event,
) -> None:
    """Sample the node at even times until the run is over."""
    length = 60 * run.options.minutes
    low, high = _SAMPLE_SECONDS
    period = min(max(length / _SAMPLES, low), high)
    run.begun = shown = time.monotonic()
    for number in range(round(length / period) + 1):
        pause = run.begun + number * period - time.monotonic()
        if stopped.wait(max(pause, 0.0)):
            return
        for process in processes:
            process.check()
        now = time.monotonic()
        run.samples.append(sample(node, now - run.begun))
        if now - shown >= _PROGRESS_SECONDS:
            shown = now
            _show_progress(run.samples[-1], listener)


def _show_progress(sample: Sample, listener: Listener) -> None:
    latest = f'age {listener.ages[-1]:.0f} ms' if listener.ages else 'no explanation yet'
    print(
        f'{sample.seconds / 60:6.1f} min   {len(listener.ages)} explanations   {latest}   '
        f'{sample.resident_mb:.0f} MB',
        file=sys.stderr,
        flush=True,
    )


def _finish(run: Run, listener: Listener, node: Process, cameras: Sequence[Process]) -> None:
    """Stop the cameras and wait until the node has no frame left, so that its counts add up."""
    for camera in cameras:
        camera.stop()
    run.published = sum(camera.logged_number(r'published (\d+) images') for camera in cameras)
    # The next report may be on its way already, and be older than the last frame.
    enough = listener.reports() + 2
    deadline = time.monotonic() + _IDLE_SECONDS
    while time.monotonic() < deadline:
        node.check()
        if listener.reports() >= enough and not listener.counts()['waiting']:
            return
        time.sleep(_POLL_SECONDS)


def _report(run: Run, options: Options) -> None:
    figures = evaluate(run)
    print(format_table(figures))
    paths = [options.json] if options.json else []
    if options.output:
        paths.append(options.output / 'soak.json')
        plot(run, figures, options.output / 'soak.png')
    for path in paths:
        path.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')


if __name__ == '__main__':
    sys.exit(main())
