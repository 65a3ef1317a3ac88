# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files, sound or damaged: what can be read is read, and every checksum is looked at."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.reader import SeekingReader
from mcap.records import Channel, Chunk, ChunkIndex, McapRecord, Schema
from mcap.records import Message as McapMessage
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.summary import Summary

from smoe_ros.bags.message import Message, Topic

MAGIC = b'\x89MCAP0\r\n'
# A length beyond comes from damage, and would be read into memory.
_LARGEST_RECORD = 2**30
_OPCODE_AND_LENGTH = 9
# What the libraries raise on bytes that make no sense; zstandard's and lz4's errors are not among
# public classes, but are these.
_DAMAGE = (McapError, struct.error, ValueError, KeyError, IndexError, EOFError, RuntimeError)


class McapFile:
    """One MCAP file.

    Attributes:
        topics: Its topics.
        start: Time of its first message in nanoseconds; None if it has none.
        end: Time of its last message.
    """

    def __init__(self, path: Path, flaw: Callable[[str], None]) -> None:
        """Read its index, or, where it is missing, the whole file; tell each flaw in a sentence.

        Raises:
            OSError: If it cannot be opened.
        """
        self._name, self._flaw = path.name, flaw
        self._file = path.open('rb')
        self._channels: dict[int, Channel] = {}
        self._chunks: list[ChunkIndex] = []
        schemas: dict[int, Schema] = {}
        counts: Counter[int] = Counter()
        self.start: int | None = None
        self.end: int | None = None
        summary = self._summary()
        if summary is not None and summary.statistics is not None:
            statistics = summary.statistics
            schemas, self._channels = summary.schemas, summary.channels
            self._chunks = sorted(summary.chunk_indexes, key=lambda one: one.chunk_start_offset)
            counts.update(statistics.channel_message_counts)
            if statistics.message_count:
                self.start = statistics.message_start_time
                self.end = statistics.message_end_time
        else:
            for record in self._sequence():
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    self._channels[record.id] = record
                elif isinstance(record, McapMessage):
                    counts[record.channel_id] += 1
                    time = record.log_time
                    self.start = time if self.start is None else min(time, self.start)
                    self.end = time if self.end is None else max(time, self.end)
        self.topics = [
            _topic_of(channel, schemas.get(channel.schema_id), counts[channel.id])
            for channel in self._channels.values()
        ]

    def messages(self, topics: Collection[str], start: int, end: int) -> Iterator[Message]:
        """Yield messages in the order in which they were recorded; see `Recording.messages`."""
        wanted = {
            number: channel.topic
            for number, channel in self._channels.items()
            if channel.topic in topics
        }
        for record in self._records_within(start, end, wanted):
            if not isinstance(record, McapMessage) or record.channel_id not in wanted:
                continue
            if start <= record.log_time < end:
                yield Message(wanted[record.channel_id], record.log_time, record.data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _summary(self) -> Summary | None:
        try:
            summary = SeekingReader(self._file).get_summary()
        except _DAMAGE:
            summary = None
        if summary is None:
            self._flaw(
                f"'{self._name}' has no index: it was not closed, or is cut off; what can be read "
                'of it is read'
            )
        return summary

    def _records_within(
        self, start: int, end: int, wanted: dict[int, str]
    ) -> Iterator[McapRecord]:
        """Yield records that may be wanted: by the index, if there is one."""
        if not self._chunks:
            yield from self._sequence()
            return
        for index in self._chunks:
            outside = index.message_end_time < start or index.message_start_time >= end
            # Without an index of its messages, a chunk may hold anything.
            held = index.message_index_offsets.keys() or wanted.keys()
            if outside or wanted.keys().isdisjoint(held):
                continue
            self._file.seek(index.chunk_start_offset + _OPCODE_AND_LENGTH)
            try:
                chunk = Chunk.read(ReadDataStream(self._file))
            except _DAMAGE:
                self._lose_chunk(index.chunk_start_offset)
            else:
                yield from self._content(chunk, index.chunk_start_offset)

    def _sequence(self) -> Iterator[McapRecord]:
        """Yield the records one after the other, as far as they can be read."""
        self._file.seek(0)
        records = StreamReader(
            self._file, emit_chunks=True, record_size_limit=_LARGEST_RECORD
        ).records
        while True:
            place = self._file.tell()
            try:
                record = next(records)
            except StopIteration:
                return
            except _DAMAGE:
                size = self._file.seek(0, 2)
                self._flaw(f"'{self._name}' cannot be read beyond byte {place} of {size}")
                return
            if isinstance(record, Chunk):
                yield from self._content(record, place)
            else:
                yield record

    def _content(self, chunk: Chunk, place: int) -> list[McapRecord]:
        try:
            return breakup_chunk(chunk, validate_crc=True)
        except (*_DAMAGE, zlib.error):
            self._lose_chunk(place)
            return []

    def _lose_chunk(self, place: int) -> None:
        self._flaw(
            f"'{self._name}' is damaged at byte {place}: the checksum is wrong; the messages "
            'around there are left out'
        )


def _topic_of(channel: Channel, schema: Schema | None, count: int) -> Topic:
    return Topic(
        channel.topic,
        schema.name if schema is not None else '',
        schema.data.decode('utf-8', 'replace') if schema is not None else '',
        channel.metadata.get('topic_type_hash', ''),
        channel.metadata.get('offered_qos_profiles', ''),
        count,
    )
