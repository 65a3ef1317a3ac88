# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The bag that is being written: it gets its name when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from smoe_ros.bags import Message, Recording
from smoe_ros.errors import ConfigurationError

_SUFFIX = '.partial'
_BEFORE = 'before'
_JOURNAL = 'progress.jsonl'


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

    @classmethod
    def latest(cls, entries: Iterable[dict[str, int]], written: int) -> Place:
        """Return the last place of a journal that a number of written messages is enough for."""
        places = [cls(**entry) for entry in entries if entry['written'] <= written]
        return max(places, key=lambda place: place.read, default=cls())


class UnfinishedBag:
    """A folder beside the output that holds it, and how far it is, until it is complete.

    Attributes:
        path: Where the bag is written.
        journal: Where is noted how far it is.
    """

    def __init__(self, output: Path, *, resume: bool) -> None:
        """Look whether the output can be written; nothing is made before `begin`.

        Raises:
            ConfigurationError: If the output exists, or if there is an interrupted run that is not
                to be resumed.
        """
        self._output = output
        self._folder = output.with_name(output.name + _SUFFIX)
        self.path = self._folder / output.name
        self.journal = self._folder / _JOURNAL
        self._before = self._folder / _BEFORE
        if output.exists() or output.is_symlink():
            raise ConfigurationError(f"'{output}' exists already; name another bag, or move it")
        if self._folder.exists() and not resume:
            raise ConfigurationError(
                f"'{self._folder}' holds a run that was interrupted; go on with it by --resume, "
                'or delete it'
            )

    def begin(self) -> None:
        """Make the folder, or take up the one that an interrupted run left.

        Raises:
            ConfigurationError: If the folder cannot be made.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._set_aside()
        except OSError as error:
            raise ConfigurationError(
                f"'{self._output}' cannot be written: {error.strerror or error}"
            ) from None

    def count_before(self) -> int:
        """Return how many messages of the interrupted run can be read."""
        if not self._before.exists():
            return 0
        with Recording(self._before) as recording:
            return sum(topic.count or 0 for topic in recording.topics.values())

    def before(self) -> Iterator[Message]:
        """Yield the messages of the interrupted run, in their order."""
        with Recording(self._before) as recording:
            yield from recording.messages()

    def forget_before(self) -> None:
        """Delete what the interrupted run wrote: the new bag has it."""
        shutil.rmtree(self._before, ignore_errors=True)

    def complete(self) -> None:
        """Give the bag its name."""
        self.path.rename(self._output)
        shutil.rmtree(self._folder)

    def _set_aside(self) -> None:
        """Put what was written aside; what lies there already was still being copied."""
        if not self._before.exists() and any(self.path.glob('*.mcap')):
            self.path.rename(self._before)
        else:
            shutil.rmtree(self.path, ignore_errors=True)
