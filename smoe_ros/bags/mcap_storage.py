# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files with checksums, which the MCAP writer of rosbags leaves out.

Without them, nobody notices a bit that fell over on a disk.
"""

from __future__ import annotations

from pathlib import Path

from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinitionFormat
from rosbags.rosbag2 import CompressionMode, StoragePlugin, Writer

from smoe_ros.errors import ConfigurationError

try:
    from mcap.writer import CompressionType
    from mcap.writer import Writer as McapWriter
except ModuleNotFoundError as error:
    raise ConfigurationError(
        "bags need the Python package mcap, which is not installed: 'pip install mcap'"
    ) from error

# A damaged chunk costs its messages: a frame or two.
_CHUNK_BYTES = 2**20


class McapStorage:
    """One MCAP file, as rosbags wants its storages."""

    def __init__(self, path: Path, _compression: CompressionMode) -> None:
        """Create the file in the folder of the bag."""
        self.path = path / f'{path.name}.mcap'
        self._file = self.path.open('xb')
        self._writer = McapWriter(
            self._file,
            chunk_size=_CHUNK_BYTES,
            compression=CompressionType.NONE,
            enable_data_crcs=True,
        )
        self._writer.start(profile='ros2')
        self._schemas: dict[str, int] = {}
        self._channels: dict[int, int] = {}

    def add_msgtype(self, connection: Connection) -> None:
        """Write a message definition."""
        idl = connection.msgdef.format == MessageDefinitionFormat.IDL
        self._schemas[connection.msgtype] = self._writer.register_schema(
            connection.msgtype, 'ros2idl' if idl else 'ros2msg', connection.msgdef.data.encode()
        )

    def add_connection(self, connection: Connection, offered_qos_profiles: str) -> None:
        """Announce a topic."""
        assert isinstance(connection.ext, ConnectionExtRosbag2)
        self._channels[connection.id] = self._writer.register_channel(
            connection.topic,
            connection.ext.serialization_format,
            self._schemas[connection.msgtype],
            {
                'offered_qos_profiles': offered_qos_profiles,
                'topic_type_hash': connection.digest,
            },
        )

    def write(self, connection: Connection, timestamp: int, data: bytes | memoryview) -> None:
        """Append one message."""
        self._writer.add_message(
            self._channels[connection.id], timestamp, bytes(data), publish_time=timestamp
        )

    def close(self, _version: int, metadata: str) -> None:
        """Complete the file with rosbag2's metadata and the index."""
        self._writer.add_metadata('rosbag2', {'serialized_metadata': metadata})
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.close()

    def abort(self) -> None:
        """Close the file as it is, without an index."""
        self._file.close()


class CheckedWriter(Writer):
    """The writer of rosbags, whose MCAP files have checksums."""

    STORAGE_PLUGINS = {**Writer.STORAGE_PLUGINS, StoragePlugin.MCAP: McapStorage}  # noqa: RUF012
