# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A node as a process of its own: started, watched and ended."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_prefix

STOP_SECONDS = 20.0


class ProcessError(RuntimeError):
    """A process ended by itself; the text is its own last word."""


def node_command(
    executable: str, parameters: Mapping[str, object], arguments: Sequence[str] = ()
) -> list[str]:
    """Return the command that starts an executable of this package.

    The parameters are ROS's, by name; further arguments too, such as remappings.
    """
    command = [str(Path(get_package_prefix('smoe_ros'), 'lib', 'smoe_ros', executable))]
    command += ['--ros-args', *arguments]
    for name, value in parameters.items():
        # Quoted: text must not be read as YAML (source 0, weights null).
        text = isinstance(value, (str, Path))
        command += ['-p', f'{name}:={json.dumps(str(value)) if text else value}']
    return command


class Process(AbstractContextManager['Process']):
    """A running command; a context manager that never leaves it running."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path
    ) -> None:
        """Start it; what it says on standard error goes to ``<logs>/<name>.log``."""
        self._name = name
        self._log = logs / f'{name}.log'
        self._report: dict[str, Any] = {}
        self._stopping = False
        with self._log.open('w', encoding='utf-8') as log:
            # A session of its own: Ctrl-C reaches us, and we end it in order.
            self._popen = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read_reports, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def latest_report(self) -> dict[str, Any]:
        """Return the latest line of JSON that it printed, {} before the first."""
        return self._report

    def check(self) -> None:
        """Raise if it ended by itself.

        Raises:
            ProcessError: With the last line of its standard error.
        """
        code = self._popen.poll()
        if code is not None and not self._stopping:
            lines = self._logged().strip().splitlines()
            last = lines[-1] if lines else 'it wrote nothing'
            if code <= 0 or not lines:  # no error of its own explains these
                last = f'{self._name} ended with exit code {code}: {last}'
            prefix = '' if last.startswith(self._name) else f'{self._name}: '
            raise ProcessError(f'{prefix}{last}')

    def wait(self, seconds: float) -> bool:
        """Wait at most so many seconds for it to end by itself, and return whether it did."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask it to end, and end it by force if it does not within so many seconds."""
        self._stopping = True
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
            if not self.wait(seconds):
                self._popen.kill()
                self._popen.wait()
        self._reader.join()

    def logged_number(self, pattern: str) -> int:
        """Return the number that a pattern's group matched last in its log.

        Raises:
            ProcessError: If the log does not match.
        """
        found = re.findall(pattern, self._logged())
        if not found:
            raise ProcessError(f'{self._name} did not log how it ended')
        return int(found[-1])

    def __exit__(self, error_type: type[BaseException] | None, *_error: object) -> None:
        """Stop it, with little patience if something went wrong."""
        self.stop(STOP_SECONDS if error_type is None else 5.0)

    def _logged(self) -> str:
        return self._log.read_text(encoding='utf-8', errors='replace')

    def _read_reports(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            try:
                self._report = json.loads(line)
            except json.JSONDecodeError:
                continue  # a library's chatter
