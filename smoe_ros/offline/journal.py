# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far an explained bag has come: what a run that was interrupted goes on from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smoe_ros.commands.line_log import LineLog


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


class Journal(AbstractContextManager['Journal']):
    """Places that a run came to; a context manager."""

    def __init__(self, path: Path, task: dict[str, Any]) -> None:
        """Begin it, or go on with it.

        Args:
            path: The file.
            task: What makes the run what it is: input, options.

        Raises:
            ConfigurationError: If it belongs to another task; the text says what differs.
        """
        self._log = LineLog(path, task)
        self._places = [Place(**entry) for entry in self._log.entries]

    def note(self, place: Place) -> None:
        """Write down a place that was come to."""
        self._log.add(asdict(place))

    def latest(self, written: int) -> Place:
        """Return the last place that a number of messages is enough for."""
        return max(
            (place for place in self._places if place.written <= written),
            key=lambda place: place.read,
            default=Place(),
        )

    def __exit__(self, *_error: object) -> None:
        """Close, however the block ends."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._log.close()
