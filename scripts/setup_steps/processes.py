# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Run pip and colcon quietly: output into a log, a heartbeat on the terminal."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HEARTBEAT_SECONDS = 15.0
# The lines of pip and colcon that say what they are at.
_MILESTONE = re.compile(r'Collecting |Downloading |Building |Installing |Starting >>> ')


class CommandError(Exception):
    """A command failed; its text is the line of the log that tells most."""


class Runner:
    """Runs commands in the repository, each with its output in a log of its own.

    Args:
        root: the repository; commands run there.
        logs: folder of the logs.
        lock: open descriptor of the lock file. Commands inherit it, so that the lock outlives a
            killed scripts/setup until its last command has ended too.
    """

    def __init__(self, root: Path, logs: Path, lock: int) -> None:
        self._root = root
        self._logs = logs
        self._lock = lock

    def run(self, command: Sequence[str | Path], log: str, env: dict[str, str]) -> None:
        """Run a command to its end.

        Args:
            command: program and arguments.
            log: name of the log within the folder of the logs; an older one is replaced.
            env: the whole environment of the command.

        Raises:
            CommandError: if the command exits with another code than 0.
        """
        path = self._logs / log
        with path.open('wb') as output:
            process = subprocess.Popen(
                command,
                cwd=self._root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[self._lock],
            )
        try:
            self._wait(process, path)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode != 0:
            raise CommandError(_telling_line(path))

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        """Wait for the process; show on the terminal that, and at what, it works."""
        started = last_beat = time.monotonic()
        free_before = shutil.disk_usage(self._root).free
        terminal = sys.stdout.isatty()
        while True:
            try:
                process.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                now = time.monotonic()
            if now - last_beat < (1.0 if terminal else HEARTBEAT_SECONDS):
                continue
            last_beat = now
            written = (free_before - shutil.disk_usage(self._root).free) / 1e9
            beat = f'      {duration(now - started)}  {_milestone(log)}'
            beat = beat[: shutil.get_terminal_size().columns - 20]
            beat += f'  ({written:.1f} GB written)' if written >= 0.1 else ''
            print(
                f'\r\033[K{beat}' if terminal else beat, end='' if terminal else '\n', flush=True
            )
        if terminal:
            print('\r\033[K', end='', flush=True)


def duration(seconds: float) -> str:
    """Return a duration as minutes and seconds, like 2:05."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'


def plain_environment(scratch: Path) -> dict[str, str]:
    """Return this process's environment without what would misdirect pip or colcon.

    Args:
        scratch: folder for temporary files. pip puts whole wheels there, 3 GB in all: more than
            many a /tmp holds.
    """
    overrides = {
        'TMPDIR': str(scratch),
        'PIP_USER': '0',
        'PIP_NO_INPUT': '1',
        'PIP_DISABLE_PIP_VERSION_CHECK': '1',
        'PIP_PROGRESS_BAR': 'off',
        'PYTHONUNBUFFERED': '1',
    }
    misleading = {'PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PIP_DRY_RUN', 'COLCON_DEFAULTS_FILE'}
    kept = {name: value for name, value in os.environ.items() if name not in misleading}
    return kept | overrides


def _lines(log: Path) -> list[str]:
    text = log.read_bytes()[-20_000:].decode(errors='replace')
    return [line.strip() for line in text.splitlines() if line.strip()]


def _milestone(log: Path) -> str:
    return next((line for line in reversed(_lines(log)) if _MILESTONE.match(line)), '')


def _telling_line(log: Path) -> str:
    """Return the last line that names an error, else the last line."""
    errors = [line for line in _lines(log) if re.search(r'(ERROR|[Ee]rror): \S', line)]
    return (errors or _lines(log) or [f'see {log}'])[-1]
