# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What processes of the benchmarks live in, and what the kernel says of them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

from smoe_ros.demo.processes import STOP_SECONDS, Process

_TICKS = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class Sample:
    """What a process held at one moment.

    Attributes:
        seconds: Since the run began.
        resident_mb: Resident memory, in MB of 2^20 bytes, as the next three.
        anonymous_mb: The part that is the process's own: heap and stacks.
        proportional_mb: Resident, but pages that other processes hold, too, by their share (PSS).
        shared_mb: The part in shared memory, such as the middleware's.
        threads: Number of threads.
        open_files: Number of open file descriptors.
        cpu_seconds: CPU time used since the process started.
        major_faults: Pages that it had to wait for from disk since it started: many a second say
            that the machine is short of memory.
    """

    seconds: float
    resident_mb: float
    anonymous_mb: float
    proportional_mb: float
    shared_mb: float
    threads: int
    open_files: int
    cpu_seconds: float
    major_faults: int


def sample(process: Process, seconds: float) -> Sample:
    """Return what a process holds now.

    Args:
        process: A running one.
        seconds: Since the run began.

    Raises:
        ProcessError: If it ended by itself.
    """
    folder = Path('/proc', str(process.pid))
    try:
        status = _table(folder / 'status')
        # The name in parentheses may hold spaces. Field 12 is the major faults, 14 and 15 are
        # user and system time.
        fields = (folder / 'stat').read_text().rpartition(')')[2].split()
        return Sample(
            seconds,
            resident_mb=_megabytes(status['VmRSS']),
            anonymous_mb=_megabytes(status['RssAnon']),
            proportional_mb=_megabytes(_table(folder / 'smaps_rollup')['Pss']),
            shared_mb=_megabytes(status['RssShmem']),
            threads=int(status['Threads']),
            open_files=len(os.listdir(folder / 'fd')),  # noqa: PTH208 - a count is enough
            cpu_seconds=sum(map(int, fields[11:13])) / _TICKS,
            major_faults=int(fields[9]),
        )
    except (OSError, KeyError):  # a process that has ended has no memory, or no entry
        process.wait(STOP_SECONDS)
        process.check()
        raise


def ros_environment(domain: int, logs: Path) -> dict[str, str]:
    """Return an environment on this host only, with the transport profile of this package.

    Args:
        domain: ROS domain.
        logs: Folder for the logs of ROS.
    """
    profile = Path(get_package_share_directory('smoe_ros'), 'config', 'fastdds.xml')
    return {
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(profile),  # another one of the user's goes first
        **os.environ,
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'ROS_DOMAIN_ID': str(domain),
        'ROS_LOG_DIR': str(logs),
    }


@contextlib.contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into an event, so that neither strikes amid a start or a stop."""
    stopped = threading.Event()
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda _number, _frame: stopped.set()) for kind in kinds]
    try:
        yield stopped
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def _table(path: Path) -> dict[str, str]:
    """Read a file of lines ``key: value``; one without a colon counts for nothing."""
    lines = (line.partition(':') for line in path.read_text().splitlines())
    return {key: value for key, _, value in lines}


def _megabytes(kilobytes: str) -> float:
    return int(kilobytes.split(maxsplit=1)[0]) / 1024
