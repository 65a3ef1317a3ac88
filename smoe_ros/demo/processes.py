# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A node as a process of its own: started, watched and ended."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ament_index_python.packages import get_package_prefix


class ProcessError(RuntimeError):
    """A process ended by itself; the text is its own last word."""


class Process:
    """One executable of this package; a context manager that never leaves it running."""

    def __init__(
        self,
        executable: str,
        parameters: Mapping[str, object],
        environment: Mapping[str, str],
        logs: Path,
    ) -> None:
        """Start it.

        Args:
            executable: Its name.
            parameters: ROS parameters by name.
            environment: The whole environment.
            logs: Folder for what it says on standard error.
        """
        self._executable = executable
        self._log = logs / f'{executable}.log'
        self._report: dict[str, Any] = {}
        self._stopping = False
        path = Path(get_package_prefix('smoe_ros'), 'lib', 'smoe_ros', executable)
        command = [str(path), '--ros-args']
        for name, value in parameters.items():
            command += ['-p', f'{name}:={json.dumps(str(value)) if _is_text(value) else value}']
        with self._log.open('w', encoding='utf-8') as log:
            # A session of its own: Ctrl-C reaches us, and we end it in order.
            self._popen = subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read_reports, daemon=True)
        self._reader.start()

    def latest_report(self) -> dict[str, Any]:
        """Return the latest line of JSON that it printed, {} before the first."""
        return self._report

    def check(self) -> None:
        """Raise if it ended by itself.

        Raises:
            ProcessError: With the last line of its standard error.
        """
        if self._popen.poll() is not None and not self._stopping:
            lines = self._log.read_text(encoding='utf-8').strip().splitlines()
            last = lines[-1] if lines else f'exit code {self._popen.returncode}'
            prefix = '' if last.startswith(self._executable) else f'{self._executable}: '
            raise ProcessError(f'{prefix}{last}')

    def stop(self, seconds: float) -> None:
        """Ask it to end, and end it by force if it does not within so many seconds."""
        self._stopping = True
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        self._reader.join()

    def logged_number(self, pattern: str) -> int:
        """Return the number that a pattern's group matches in its log.

        Raises:
            ProcessError: If the log does not match.
        """
        found = re.findall(pattern, self._log.read_text(encoding='utf-8'))
        if not found:
            raise ProcessError(f'{self._executable} did not log how it ended')
        return int(found[-1])

    def __enter__(self) -> Process:
        """Return itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it, with little patience if something went wrong."""
        self.stop(20.0 if error is None else 5.0)

    def _read_reports(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            try:
                self._report = json.loads(line)
            except json.JSONDecodeError:
                continue  # a library's chatter


def _is_text(value: object) -> bool:
    """Whether a parameter is text, which must not be read as YAML (source 0, weights null)."""
    return isinstance(value, (str, Path))
