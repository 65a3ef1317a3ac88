# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One trial: cameras of a rate before a running node, and what came out at its other end."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from soak_listener import Listener
from soak_processes import Sample, sample

from smoe_ros.demo.processes import Process, ProcessError

Size = tuple[int, int]  # width and height, as cameras name them

RENDERINGS = ('overlay', 'lovi')
_EXPLAIN_TIME = 'explain time p50 (ms)'  # in the node's diagnostics
# Loading torch and a network on a small machine takes some seconds, its first time longer.
_START_SECONDS = 120.0
_END_SECONDS = 15.0
_POLL_SECONDS = 0.02
_SAMPLE_SECONDS = 0.25
# The last frames are in the network when the cameras end.
_LAST_FRAME_SECONDS = 2.0
_SILENCE_SECONDS = 0.3
_trial_numbers = itertools.count()


@dataclass(frozen=True)
class Trial:
    """What was seen of cameras at a steady rate, after they had settled.

    Attributes:
        seconds: Length.
        sent: Images that the cameras published.
        ages_ms: Age of each explanation of these images where it was received, in the order of
            arrival.
        samples: Of the node.
        camera_cpu_seconds: CPU time of the cameras.
        listener_cpu_seconds: CPU time of the listener, with that of its watching the node.
        explain_ms: The node's own median time with a frame; None before its first report of one.
        facts: What the node ran.
    """

    seconds: float
    sent: int
    ages_ms: tuple[float, ...]
    samples: tuple[Sample, ...]
    camera_cpu_seconds: float
    listener_cpu_seconds: float
    explain_ms: float | None
    facts: Mapping[str, str]

    @property
    def drop_share(self) -> float:
        """Share of the sent images that were not explained, 0..1."""
        return 1 - len(self.ages_ms) / max(self.sent, 1)

    @property
    def node_cpu_seconds(self) -> float:
        """CPU time of the node between the first sample and the last."""
        return self.samples[-1].cpu_seconds - self.samples[0].cpu_seconds


@dataclass(frozen=True)
class Bench:
    """A running node and the cameras before it.

    Attributes:
        node: The node's process.
        namespaces: Of the cameras, fully resolved.
        size: Of the images.
        environment: Of all processes.
        logs: Folder for what they say.
        domain: ROS domain.
        stopped: Set when the user ends the run.
    """

    node: Process
    namespaces: Sequence[str]
    size: Size
    environment: Mapping[str, str]
    logs: Path
    domain: int
    stopped: threading.Event

    def run(self, rate: float, *, rendering: bool, settle: float, seconds: float) -> Trial:
        """Show the node images of a rate and listen.

        Nobody subscribes to the node between two trials, so that it begins its figures anew.

        Args:
            rate: Images a second of each camera.
            rendering: Whether to subscribe to `RENDERINGS` beside the contributions.
            settle: Seconds before what counts.
            seconds: Length of what counts.

        Raises:
            ProcessError: If a process ended by itself, or did not come to its end in time.
            KeyboardInterrupt: If the user ends the run.
        """
        name = f'camera_{next(_trial_numbers)}'
        command = [sys.executable, str(Path(__file__).with_name('through_ros_camera.py'))]
        command += ['--namespaces', *self.namespaces, '--size', *map(str, self.size)]
        command += ['--rate', f'{rate}', '--settle', f'{settle}', '--seconds', f'{seconds}']
        with Process(name, command, self.environment, self.logs) as camera:
            self._wait(lambda: 'ready' in camera.latest_report(), _START_SECONDS, camera)
            renderings = RENDERINGS if rendering else ()
            with Listener(self.namespaces, self.domain, renderings) as listener:
                begun = lambda: 'begin' in camera.latest_report()  # noqa: E731 - a condition
                self._wait(begun, _START_SECONDS + settle, camera)
                samples, cpu = self._watch(camera, seconds)
                report, explain_times = camera.latest_report(), listener.figures(_EXPLAIN_TIME)
                self._wait_for_last(listener)
                heard = zip(list(listener.stamps), listener.ages, strict=False)
                begin, end = report['begin'], report['end']
                return Trial(
                    seconds=report['seconds'],
                    sent=report['sent'],
                    ages_ms=tuple(age for stamp, age in heard if begin <= stamp <= end),
                    samples=tuple(samples),
                    camera_cpu_seconds=report['cpu_seconds'],
                    listener_cpu_seconds=cpu,
                    explain_ms=float(np.mean(explain_times)) if explain_times else None,
                    facts=listener.facts(),
                )

    def _watch(self, camera: Process, seconds: float) -> tuple[list[Sample], float]:
        """Sample the node until the cameras end; also return our own CPU time."""
        begun, cpu = time.monotonic(), time.process_time()
        samples = [sample(self.node, 0.0)]
        ended = False
        while not ended:
            self._pause(_POLL_SECONDS)
            camera.check()
            ended = 'end' in camera.latest_report()
            elapsed = time.monotonic() - begun
            if ended or elapsed - samples[-1].seconds >= _SAMPLE_SECONDS:
                samples.append(sample(self.node, elapsed))
            if elapsed > seconds + _END_SECONDS:
                raise ProcessError('the cameras did not come to their end in time')
        return samples, time.process_time() - cpu

    def _wait_for_last(self, listener: Listener) -> None:
        """Wait until no explanation has come for a while."""
        deadline = time.monotonic() + _LAST_FRAME_SECONDS
        latest = time.monotonic()
        while latest + _SILENCE_SECONDS > time.monotonic() < deadline:
            self._pause(_POLL_SECONDS)
            latest = max([latest, *listener.arrivals[-1:]])

    def _wait(self, condition: Callable[[], bool], seconds: float, camera: Process) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.node.check()
            camera.check()
            if time.monotonic() > deadline:
                raise ProcessError(f'no frame was explained within {seconds:.0f} s')
            self._pause(_POLL_SECONDS)

    def _pause(self, seconds: float) -> None:
        if self.stopped.wait(seconds):
            raise KeyboardInterrupt


def percentiles(ages_ms: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p95 and p99 of ages, interpolated linearly; None without any."""
    names = ('p50', 'p95', 'p99')
    if not ages_ms:
        return dict.fromkeys(names)
    levels = np.percentile(ages_ms, (50, 95, 99))
    return dict(zip(names, map(float, levels), strict=True))


def row(trials: Sequence[Trial]) -> dict[str, Any]:
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
