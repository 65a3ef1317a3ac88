# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far an explained bag has come: what a run that was interrupted goes on from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from smoe_ros.errors import ConfigurationError


@dataclass(frozen=True)
class Place:
    """A place in both bags: what was read up to there gave what was written up to there.

    Explaining is the same every time, so every place that was ever noted stays true.

    Attributes:
        read: Number of messages read.
        written: Number of messages written.
        explained: Number of frames explained.
        rejected: Number of frames that could not be.
    """

    read: int = 0
    written: int = 0
    explained: int = 0
    rejected: int = 0


class Journal:
    """A file with the task of a run in its first line, and a place it came to in each other."""

    def __init__(self, path: Path, task: dict[str, Any]) -> None:
        """Begin it, or go on with it.

        Args:
            path: The file.
            task: What makes the run what it is: input, options.

        Raises:
            ConfigurationError: If it belongs to another task; the text says what differs.
        """
        self._places: list[Place] = []
        if path.exists():
            self._read(path, task)
        self._file = path.open('a', encoding='utf-8')
        if not self._file.tell():
            self._line(task)

    def note(self, place: Place) -> None:
        """Write down a place that was come to."""
        self._line(asdict(place))

    def latest(self, written: int) -> Place:
        """Return the last place that a number of messages is enough for."""
        return max(
            (place for place in self._places if place.written <= written),
            key=lambda place: place.read,
            default=Place(),
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Journal:
        """Return itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _line(self, content: dict[str, Any]) -> None:
        self._file.write(json.dumps(content) + '\n')
        # A killed process loses what it has not handed to the system.
        self._file.flush()

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
        self._places = [Place(**entry) for entry in entries[1:]]
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
