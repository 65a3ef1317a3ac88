# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of a process of the benchmarks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from smoe_ros.demo.processes import STOP_SECONDS, Process

_TICKS = os.sysconf('SC_CLK_TCK')


class Sample(NamedTuple):
    """What a process held at one moment; MB are of 2^20 bytes."""

    seconds: float  # since the run began
    resident_mb: float
    anonymous_mb: float  # the part that is the process's own: heap and stacks
    proportional_mb: float  # resident, but pages that others hold, too, by their share (PSS)
    threads: int
    open_files: int
    cpu_seconds: float  # used since the process started


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
        # The name in parentheses may hold spaces. Fields 14 and 15 are user and system time.
        fields = (folder / 'stat').read_text().rpartition(')')[2].split()
        return Sample(
            seconds,
            resident_mb=_megabytes(status['VmRSS']),
            anonymous_mb=_megabytes(status['RssAnon']),
            proportional_mb=_megabytes(_table(folder / 'smaps_rollup')['Pss']),
            threads=int(status['Threads']),
            open_files=len(os.listdir(folder / 'fd')),  # noqa: PTH208 - a count is enough
            cpu_seconds=sum(map(int, fields[11:13])) / _TICKS,
        )
    except (OSError, KeyError):  # a process that has ended has no memory, or no entry
        process.wait(STOP_SECONDS)
        process.check()
        raise


def _table(path: Path) -> dict[str, str]:
    """Read a file of lines ``key: value``; one without a colon counts for nothing."""
    lines = (line.partition(':') for line in path.read_text().splitlines())
    return {key: value for key, _, value in lines}


def _megabytes(kilobytes: str) -> float:
    return int(kilobytes.split(maxsplit=1)[0]) / 1024
