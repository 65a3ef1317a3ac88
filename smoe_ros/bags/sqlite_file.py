# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""SQLite files of rosbag2, sound or damaged: what can be read is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from smoe_ros.bags.message import Message, Topic

MAGIC = b'SQLite format 3\x00'


class SqliteFile:
    """One SQLite file.

    Attributes:
        topics: Its topics.
        start: Time of its first message in nanoseconds; None if it has none.
        end: Time of its last message.
    """

    def __init__(self, path: Path, flaw: Callable[[str], None]) -> None:
        """Read its tables of topics; tell each flaw in a sentence."""
        self._name, self._flaw = path.name, flaw
        size, whole = path.stat().st_size, _size_by_header(path)
        if size < whole:
            flaw(f"'{path.name}' is cut off after {size} of {whole} bytes")
        # Immutable: nothing is made beside it, which may not be allowed. But a recorder that
        # crashed leaves the latest messages in a log beside the file, which is then to be read.
        how = 'mode=ro' if path.with_name(f'{path.name}-wal').exists() else 'immutable=1'
        self._database = sqlite3.connect(
            f'{path.resolve().as_uri()}?{how}',
            uri=True,
            check_same_thread=False,  # opened by one, read by another, never at a time
        )
        # Lets a file be read that is shorter than its first page says.
        self._database.execute('PRAGMA writable_schema = ON')
        self._names: dict[int, str] = {}
        definitions = {
            row['topic_type']: row['encoded_message_definition']
            for row in self._rows('SELECT * FROM message_definitions', optional=True)
        }
        counts = {
            row['topic_id']: row['count']
            for row in self._rows(
                'SELECT topic_id, COUNT(*) AS count FROM messages GROUP BY topic_id'
            )
        }
        self.topics: list[Topic] = []
        for row in self._rows('SELECT * FROM topics'):
            self._names[row['id']] = row['name']
            topic = Topic(
                row['name'],
                row['type'],
                definitions.get(row['type'], ''),
                row.get('type_description_hash') or '',
                row.get('offered_qos_profiles') or '',
                counts.get(row['id'], 0) if counts else None,
            )
            self.topics.append(topic)
        ends = 'SELECT MIN(timestamp) AS start, MAX(timestamp) AS end FROM messages'
        span = next(self._rows(ends), {'start': None, 'end': None})
        self.start: int | None = span['start']
        self.end: int | None = span['end']

    def messages(self, topics: Collection[str], start: int, end: int) -> Iterator[Message]:
        """Yield messages in the order in which they were recorded; see `Recording.messages`."""
        wanted = {number: name for number, name in self._names.items() if name in topics}
        places = ','.join(map(str, wanted))
        rows = self._rows(
            # The table's own order: no index, which may be damaged, and nothing to sort.
            'SELECT topic_id, timestamp, data FROM messages NOT INDEXED '
            f'WHERE topic_id IN ({places}) AND timestamp >= {start} '
            f'AND timestamp < {end} ORDER BY rowid'
        )
        for row in rows:
            yield Message(wanted[row['topic_id']], row['timestamp'], row['data'])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _rows(self, query: str, *, optional: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the rows of a query as far as they can be read."""
        try:
            cursor = self._database.execute(query)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))
        except sqlite3.ProgrammingError:
            raise  # ours, not the file's
        except sqlite3.DatabaseError as error:
            # Before version 8, there were no definitions.
            if not (optional and 'no such table' in str(error)):
                self._flaw(f"'{self._name}' is damaged ({error}); what can be read of it is read")


def _size_by_header(path: Path) -> int:
    """Return how many bytes the file should have (https://sqlite.org/fileformat.html, 1.3)."""
    with path.open('rb') as file:
        header = file.read(100)
    page_size = int.from_bytes(header[16:18], 'big')
    return (65536 if page_size == 1 else page_size) * int.from_bytes(header[28:32], 'big')
