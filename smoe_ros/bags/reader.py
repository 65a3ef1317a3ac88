# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag read as it was recorded, sound or damaged: rosbag2 versions 4 to 9, both storages."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
import zstandard

from smoe_ros.bags import mcap_file, sqlite_file
from smoe_ros.bags.mcap_file import McapFile
from smoe_ros.bags.message import Message, Topic
from smoe_ros.bags.sqlite_file import SqliteFile
from smoe_ros.errors import ConfigurationError

__all__ = ['Message', 'Recording', 'Topic']

_METADATA = 'metadata.yaml'
_SUFFIXES = ('.mcap', '.db3')
_ZSTD = '.zstd'
_NEWEST_VERSION = 9


class Recording(AbstractContextManager['Recording']):
    """A bag, open for reading; a context manager.

    Messages come file by file in the order in which they were recorded, one at a time: memory does
    not grow with the bag. Damage does not end the reading; it is told in `flaws`.

    Attributes:
        path: The bag.
        topics: Its topics by their names.
        start: Time of the first message in nanoseconds; None if there is none.
        end: Time of the last message.
    """

    def __init__(self, path: Path) -> None:
        """Open a bag.

        Args:
            path: Its folder, or one of its files (MCAP or SQLite).

        Raises:
            ConfigurationError: If there is no bag at that path.
        """
        self.path = path
        self._flaws: dict[str, None] = {}  # each is told once
        self._open = ExitStack()
        self._compressed_messages = False
        if not path.exists():
            raise ConfigurationError(f"there is no bag at '{path}'")
        with self._open as opening:
            storages = [self._storage(file) for file in self._paths()]
            self._files = [storage for storage in storages if storage is not None]
            self._open = opening.pop_all()
        self.topics: dict[str, Topic] = {}
        for storage in self._files:
            for topic in storage.topics:
                self.topics[topic.name] = _merged(self.topics.get(topic.name), topic)
        self.start = min((f.start for f in self._files if f.start is not None), default=None)
        self.end = max((f.end for f in self._files if f.end is not None), default=None)

    @property
    def flaws(self) -> tuple[str, ...]:
        """What was found to be wrong so far, a sentence each."""
        return tuple(self._flaws)

    def messages(
        self, topics: Collection[str] | None = None, start: int = 0, end: int = 2**63 - 1
    ) -> Iterator[Message]:
        """Yield messages in the order in which they were recorded.

        Args:
            topics: Of these topics; None means all.
            start: Received at or after this time, in nanoseconds.
            end: Received before this time.
        """
        wanted = self.topics if topics is None else topics
        for storage in self._files:
            for message in storage.messages(wanted, start, end):
                if not self._compressed_messages:
                    yield message
                    continue
                try:
                    yield message._replace(data=zstandard.decompress(message.data))
                except zstandard.ZstdError:
                    self._flaw('a message does not decompress; it is left out')

    def __exit__(self, *_error: object) -> None:
        """Close all files."""
        self._open.close()

    def _flaw(self, sentence: str) -> None:
        self._flaws[sentence] = None

    def _paths(self) -> list[Path]:
        """Return the bag's files in their order."""
        if not self.path.is_dir():
            return [self.path]
        files = [file for file in self.path.iterdir() if _is_storage(file)]
        by_number = sorted(files, key=_natural)
        metadata = self._metadata()
        if metadata is None:
            if not files:
                raise ConfigurationError(
                    f"'{self.path}' is no bag: it has neither {_METADATA} nor a file "
                    f'{" or ".join(_SUFFIXES)}'
                )
            self._flaw(f"'{self.path}' has no readable {_METADATA}; its files are read without it")
            return by_number
        version = metadata.get('version', 0)
        if version > _NEWEST_VERSION:
            self._flaw(
                f"'{self.path}' is of version {version}, newer than {_NEWEST_VERSION}, the newest "
                'that is known; it is read as that'
            )
        self._compressed_messages = metadata.get('compression_mode', '').upper() == 'MESSAGE'
        # Old versions wrote paths that begin with the bag's folder.
        listed = [self.path / Path(name).name for name in metadata['relative_file_paths']]
        for file in listed:
            if not file.exists():
                self._flaw(f"'{file}' is missing, though {_METADATA} lists it")
        return [file for file in listed if file.exists()]

    def _metadata(self) -> dict[str, Any] | None:
        try:
            text = (self.path / _METADATA).read_text(encoding='utf-8')
            metadata = yaml.safe_load(text)['rosbag2_bagfile_information']
            return metadata if isinstance(metadata['relative_file_paths'], list) else None
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
            return None

    def _storage(self, path: Path) -> McapFile | SqliteFile | None:
        """Open a file, whichever storage it is of; None if it is of none."""
        try:
            if path.suffix == _ZSTD:
                path = self._decompressed(path)
            with path.open('rb') as file:
                magic = file.read(16)
        except (OSError, zstandard.ZstdError) as error:
            self._flaw(f"'{path.name}' cannot be read: {error}")
            return None
        storage: McapFile | SqliteFile
        if magic.startswith(mcap_file.MAGIC):
            storage = McapFile(path, self._flaw)
        elif magic.startswith(sqlite_file.MAGIC):
            storage = SqliteFile(path, self._flaw)
        else:
            what = 'is empty' if not magic else 'is neither an MCAP nor an SQLite file'
            self._flaw(f"'{path.name}' {what}")
            return None
        self._open.callback(storage.close)
        return storage

    def _decompressed(self, path: Path) -> Path:
        """Decompress a file into a folder that is gone when the bag is closed."""
        folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix='smoe_bag_'))
        whole = Path(folder, path.stem)
        with path.open('rb') as source, whole.open('wb') as target:
            zstandard.ZstdDecompressor().copy_stream(source, target)
        return whole


def _is_storage(path: Path) -> bool:
    return path.name.removesuffix(_ZSTD).endswith(_SUFFIXES)


def _natural(path: Path) -> list[str | int]:
    """Sort bag_10 behind bag_9."""
    return [int(part) if part.isdecimal() else part for part in re.split(r'(\d+)', path.name)]


def _merged(before: Topic | None, topic: Topic) -> Topic:
    """Add up the messages of a topic that lies in several files."""
    if before is None:
        return topic
    unknown = before.count is None or topic.count is None
    return replace(before, count=None if unknown else (before.count or 0) + (topic.count or 0))
