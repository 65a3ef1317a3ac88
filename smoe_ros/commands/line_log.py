# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A file to which a long run writes what it has done, a line each, so that it can go on."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from smoe_ros.errors import ConfigurationError


class LineLog(AbstractContextManager['LineLog']):
    """JSON lines: first what makes the run what it is, then its entries; a context manager.

    A killed process loses the line that it was writing, and no other.

    Attributes:
        entries: What an earlier run has written.
    """

    def __init__(self, path: Path, task: dict[str, Any]) -> None:
        """Begin it, or go on with it.

        Args:
            path: The file.
            task: What makes the run what it is: input, options; as JSON gives it back.

        Raises:
            ConfigurationError: If it belongs to another task; the text says what differs.
        """
        self.entries: list[dict[str, Any]] = []
        if path.exists():
            self._read(path, task)
        self._file = path.open('a', encoding='utf-8')
        if not self._file.tell():
            self.add(task)

    def add(self, entry: dict[str, Any]) -> None:
        """Write a line."""
        self._file.write(json.dumps(entry) + '\n')
        # A killed process loses what it has not handed to the system.
        self._file.flush()

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def _read(self, path: Path, task: dict[str, Any]) -> None:
        lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
        entries = [entry for line in lines if (entry := _parsed(line)) is not None]
        if not entries:
            path.unlink()
            return
        others = [key for key, value in task.items() if entries[0].get(key) != value]
        if others:
            before = ', '.join(f'{key} {entries[0].get(key)!r}' for key in others)
            now = ', '.join(f'{key} {task[key]!r}' for key in others)
            raise ConfigurationError(
                f'the interrupted run had {before}, this one has {now}; give it the same options, '
                f"or delete '{path.parent}' and begin again"
            )
        self.entries = entries[1:]
        if not path.read_bytes().endswith(b'\n'):
            # The process was killed while it wrote this line: the next must not be glued to it.
            with path.open('a', encoding='utf-8') as file:
                file.write('\n')


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None
