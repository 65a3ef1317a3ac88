# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A trial: a node, cameras of a rate before it, and what came out at its other end.

Node, cameras and listener talk over DDS, in a ROS domain and under names of their own, on this
host only.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ament_index_python.packages import get_package_share_directory
from process_samples import Sample, sample
from ros_listener import Listener

from smoe_ros.demo.processes import Process, ProcessError, node_command

Size = tuple[int, int]  # width and height, as cameras name them

_EXPLAIN_TIME = 'explain time p50 (ms)'  # in the node's diagnostics
# Loading torch and a network on a small machine takes some seconds, its first time longer.
_START_SECONDS = 120.0
_END_SECONDS = 15.0
_POLL_SECONDS = 0.02
_PROGRESS_SECONDS = 30.0
# The last frames are in the network when the cameras end.
_LAST_FRAME_SECONDS = 2.0
_SILENCE_SECONDS = 0.3
_IDLE_SECONDS = 20.0
_trial_numbers = itertools.count()


class Trial(NamedTuple):
    """What was seen of cameras at a steady rate, after they had settled."""

    seconds: float
    sent: int  # images that the cameras published
    arrivals: Sequence[float]  # of the explanations of these images, seconds since the beginning
    ages_ms: Sequence[float]  # of each where it was received
    samples: Sequence[Sample]  # of the node
    explain_ms: float | None  # the node's own median time with a frame; None before it reports
    counts: Mapping[str, int]  # the node's, of frames; see `ros_listener.COUNTS`
    facts: Mapping[str, str]  # what the node ran
    problem: str  # which process ended by itself, and why; empty if none did
    stopped: bool  # by the user

    @property
    def node_cpu_seconds(self) -> float:
        """CPU time of the node between the first sample and the last."""
        return self.samples[-1].cpu_seconds - self.samples[0].cpu_seconds


class Bench(NamedTuple):
    """A running node and the cameras before it."""

    node: Process
    namespaces: Sequence[str]  # of the cameras, fully resolved
    size: Size  # of the images
    logs: Path  # folder for what they say
    domain: int  # of ROS
    stopped: threading.Event  # set when the user ends the run

    def run(
        self,
        rate: float,
        renderings: Sequence[str],
        *,
        settle: float,
        seconds: float,
        sample_seconds: float = 0.25,
        lengthy: bool = False,
    ) -> Trial:
        """Show the node images of a rate and listen.

        Nobody subscribes to the node between two trials, so that it begins its figures anew.

        Args:
            rate: Images a second of each camera.
            renderings: Outputs to subscribe to beside the contributions.
            settle: Seconds before what counts.
            seconds: Length of what counts.
            sample_seconds: Between two samples of the node.
            lengthy: Whether to show progress, and to wait at the end for the node's counts.

        Raises:
            ProcessError: If a process ended by itself before what counts began.
            KeyboardInterrupt: If the user ended the run before.
        """
        name = f'cameras_{next(_trial_numbers)}'
        command = [sys.executable, str(Path(__file__).with_name('ros_cameras.py'))]
        command += ['--namespaces', *self.namespaces, '--size', *map(str, self.size)]
        command += ['--rate', f'{rate}', '--settle', f'{settle}', '--seconds', f'{seconds}']
        with Process(name, command, os.environ, self.logs) as cameras:
            self._wait_for('ready', _START_SECONDS, cameras)
            with Listener(self.namespaces, self.domain, renderings) as listener:
                self._wait_for('begin', _START_SECONDS + settle, cameras)
                begun, samples, problem = time.monotonic(), [], ''
                try:
                    for seen in self._samples(cameras, listener, seconds, sample_seconds, lengthy):
                        samples.append(seen)
                except ProcessError as error:
                    problem = str(error)
                explain_times = listener.figures(_EXPLAIN_TIME)
                cameras.stop()
                if not problem:
                    self._wait_for_last(listener, lengthy)
                report = cameras.latest_report()
                end = report.get('end', math.inf)
                all_heard = zip(listener.stamps, listener.arrivals, listener.ages, strict=False)
                heard = [
                    (at - begun, age) for t, at, age in all_heard if report['begin'] <= t <= end
                ]
                return Trial(
                    seconds=report.get('seconds', samples[-1].seconds if samples else 0.0),
                    sent=report['sent'],
                    arrivals=[at for at, _ in heard],
                    ages_ms=[age for _, age in heard],
                    samples=samples,
                    explain_ms=float(np.mean(explain_times)) if explain_times else None,
                    counts=listener.counts(),
                    facts=listener.facts(),
                    problem=problem,
                    stopped=self.stopped.is_set(),
                )

    def _samples(
        self, cameras: Process, listener: Listener, seconds: float, pause: float, progress: bool
    ) -> Iterator[Sample]:
        """Sample the node until the cameras end, or the user does."""
        begun, latest, ended = time.monotonic(), 0.0, False
        shown = begun - _PROGRESS_SECONDS
        yield sample(self.node, 0.0)
        while not ended:
            ended = self.stopped.wait(_POLL_SECONDS) or 'end' in cameras.latest_report()
            cameras.check()
            elapsed = time.monotonic() - begun
            if ended or elapsed - latest >= pause:
                latest = elapsed
                found = sample(self.node, elapsed)
                yield found
                if progress and time.monotonic() - shown >= _PROGRESS_SECONDS:
                    shown = time.monotonic()
                    _show_progress(found, listener)
            if elapsed > seconds + _END_SECONDS:
                raise ProcessError('the cameras did not come to their end in time')

    def _wait_for_last(self, listener: Listener, counting: bool) -> None:
        """Wait until no explanation has come for a while, and the node has counted all."""
        deadline = time.monotonic() + _LAST_FRAME_SECONDS
        latest = time.monotonic()
        while latest + _SILENCE_SECONDS > time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            latest = max([latest, *listener.arrivals[-1:]])
        # The next report may be on its way already, and be older than the last frame.
        enough = listener.reports() + 2
        deadline = time.monotonic() + _IDLE_SECONDS
        while counting and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            if listener.reports() >= enough and not listener.counts()['waiting']:
                return

    def _wait_for(self, word: str, seconds: float, cameras: Process) -> None:
        deadline = time.monotonic() + seconds
        while word not in cameras.latest_report():
            self.node.check()
            cameras.check()
            if time.monotonic() > deadline:
                raise ProcessError(f'no frame was explained within {seconds:.0f} s')
            if self.stopped.wait(_POLL_SECONDS):
                raise KeyboardInterrupt


@contextlib.contextmanager
def running(
    cameras: int, size: Size, domain: int, parameters: Sequence[str] = ()
) -> Iterator[Bench]:
    """Run a node for some cameras.

    Args:
        cameras: Their number.
        size: Of their images.
        domain: ROS domain.
        parameters: Of the node, as ``name:=value``.
    """
    namespaces = [f'/bench_{os.getpid()}/camera_{i}' for i in range(cameras)]
    topics = ', '.join(f'{namespace}/image_raw' for namespace in namespaces)
    warm_up = f'warm_up_size:=[{size[0]}, {size[1]}]'
    words = [f'image_topics:=[{topics}]', warm_up, *parameters]
    command = node_command('smoe_node', {}, [part for word in words for part in ('-p', word)])
    profile = Path(get_package_share_directory('smoe_ros'), 'config', 'fastdds.xml')
    os.environ.setdefault('FASTRTPS_DEFAULT_PROFILES_FILE', str(profile))
    os.environ.update(ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST', ROS_DOMAIN_ID=str(domain))
    with _stop_signal() as stopped, tempfile.TemporaryDirectory(prefix='smoe_bench_') as logs:
        os.environ['ROS_LOG_DIR'] = logs
        with Process('smoe_node', command, os.environ, Path(logs)) as node:
            yield Bench(node, namespaces, size, Path(logs), domain, stopped)


@contextlib.contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into an event, so that neither strikes amid a start or a stop."""
    stopped = threading.Event()
    stop: Callable[..., None] = lambda _number, _frame: stopped.set()  # noqa: E731 - a handler
    before = {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _show_progress(found: Sample, listener: Listener) -> None:
    latest = f'age {listener.ages[-1]:.0f} ms' if listener.ages else 'no explanation yet'
    print(
        f'{found.seconds / 60:6.1f} min   {len(listener.ages)} explanations   {latest}   '
        f'{found.resident_mb:.0f} MB',
        file=sys.stderr,
        flush=True,
    )
