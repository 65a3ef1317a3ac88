# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The processes of the soak test, and what the kernel says of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ament_index_python.packages import get_package_prefix

_STOP_SECONDS = 20.0
_TICKS = os.sysconf('SC_CLK_TCK')


class ProcessEnded(RuntimeError):  # noqa: N818 - it may have ended in order
    """A process ended by itself; the text is its own last word."""


@dataclass(frozen=True)
class Sample:
    """What a process held at one moment.

    Attributes:
        seconds: Since the run began.
        resident_mb: Resident memory, in MB of 2^20 bytes, as the next two.
        anonymous_mb: The part that is the process's own: heap and stacks.
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
    shared_mb: float
    threads: int
    open_files: int
    cpu_seconds: float
    major_faults: int


class RosProcess:
    """One executable of smoe_ros; a context manager that never leaves it running."""

    def __init__(
        self,
        executable: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        """Start it.

        Args:
            executable: Its name.
            arguments: ROS arguments.
            environment: The whole environment.
            log: File for what it says.
        """
        self._executable, self._log = executable, log
        path = Path(get_package_prefix('smoe_ros'), 'lib', 'smoe_ros', executable)
        with log.open('w', encoding='utf-8') as output:
            # A session of its own: Ctrl-C reaches us, and we end it in order.
            self._popen = subprocess.Popen(
                [str(path), '--ros-args', *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise if it ended by itself.

        Raises:
            ProcessEnded: With the last line that it wrote.
        """
        code = self._popen.poll()
        if code is not None:
            lines = self._log.read_text(encoding='utf-8', errors='replace').strip().splitlines()
            last = lines[-1] if lines else 'it wrote nothing'
            raise ProcessEnded(f'{self._executable} ended with exit code {code}: {last}')

    def stop(self) -> None:
        """Ask it to end, and end it by force if it does not."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
            try:
                self._popen.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()

    def sample(self, seconds: float) -> Sample:
        """Return what it holds now.

        Args:
            seconds: Since the run began.

        Raises:
            ProcessEnded: If it ended by itself.
        """
        folder = Path('/proc', str(self._popen.pid))
        try:
            status = dict(
                line.split(':', 1) for line in (folder / 'status').read_text().splitlines()
            )
            # The name in parentheses may hold spaces. Field 12 is the major faults, 14 and 15 are
            # user and system time.
            fields = (folder / 'stat').read_text().rpartition(')')[2].split()
            faults, times = int(fields[9]), fields[11:13]
            open_files = len(os.listdir(folder / 'fd'))  # noqa: PTH208 - a count is enough
            resident, anonymous, shared = (
                int(status[name].split()[0]) / 1024 for name in ('VmRSS', 'RssAnon', 'RssShmem')
            )
        except (OSError, KeyError):  # a process that has ended has no memory, or no entry
            self._popen.wait(_STOP_SECONDS)
            self.check()
            raise
        return Sample(
            seconds,
            resident,
            anonymous,
            shared,
            int(status['Threads']),
            open_files,
            sum(map(int, times)) / _TICKS,
            faults,
        )

    def logged_number(self, pattern: str) -> int | None:
        """Return the number that a pattern's group matched last in its log, if any did."""
        found = re.findall(pattern, self._log.read_text(encoding='utf-8', errors='replace'))
        return int(found[-1]) if found else None

    def __enter__(self) -> RosProcess:
        """Return itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()
