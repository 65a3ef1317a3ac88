# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags (rosbag2, MCAP) written without ROS; custom messages travel inside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError, StoragePlugin
from rosbags.rosbag2.metadata import parse_qos
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from smoe_ros.bags.mcap_storage import CheckedWriter
from smoe_ros.bags.message import Topic
from smoe_ros.errors import ConfigurationError


def typestore(definitions: Sequence[Path] = ()) -> Typestore:
    """Return the message types of ROS 2 Jazzy and those of further ``.msg`` files.

    Args:
        definitions: Paths such as ``…/smoe_msgs/msg/ScaleContribution.msg``; the package is the
            folder above ``msg``.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for path in definitions:
        name = f'{path.parents[1].name}/msg/{path.stem}'
        types.update(get_types_from_msg(path.read_text(encoding='utf-8'), name))
    store.register(types)
    return store


class BagWriter(AbstractContextManager['BagWriter']):
    """Writes one bag; a context manager. Nothing is kept in memory.

    Attributes:
        types: The message types of its own topics.
    """

    def __init__(self, path: Path, store: Typestore) -> None:
        """Create the bag, a folder that must not exist; the store has the types of all topics."""
        self.types = store
        self._connections: dict[str, Connection] = {}
        # Version 9 is the format of Jazzy's rosbag2.
        self._writer = CheckedWriter(path, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()

    def add_topic(self, topic: str, message_type: str) -> None:
        """Announce a topic by its full name and type, for example ``sensor_msgs/msg/Image``."""
        self._connections[topic] = self._writer.add_connection(
            topic, message_type, typestore=self.types
        )

    def copy_topic(self, topic: Topic) -> None:
        """Announce a topic of another bag, by the definition that came with it.

        Raises:
            ConfigurationError: If its messages' definition is not known, so that nobody could
                read them.
        """
        known: dict[str, Any] = {'typestore': self.types}
        if topic.definition:
            known = {'msgdef': topic.definition, 'rihs01': topic.type_hash or _hash_of(topic)}
        elif topic.type not in self.types.types:
            raise ConfigurationError(
                f"topic '{topic.name}' is not copied: the bag does not hold the definition of "
                f"its type '{topic.type}'"
            )
        try:
            qos = parse_qos(topic.qos)
        except ReaderError:
            qos = []  # played with rosbag2's default, as bags without it are
        self._connections[topic.name] = self._writer.add_connection(
            topic.name, topic.type, offered_qos_profiles=qos, **known
        )

    def write(self, topic: str, time: int, serialized: bytes) -> None:
        """Append a message of an announced topic: when received (nanoseconds), and its CDR."""
        self._writer.write(self._connections[topic], time, serialized)

    def close(self) -> None:
        """Complete the bag with its index and metadata."""
        self._writer.close()

    def __exit__(self, error_type: type[BaseException] | None, *_error: object) -> None:
        """Complete the bag; after an error, leave it without an index."""
        if error_type is None:
            self.close()
        else:
            self._writer.abort()


def _hash_of(topic: Topic) -> str:
    """Return the hash of a topic's type, which not every bag holds.

    Raises:
        ConfigurationError: If its definition does not parse.
    """
    try:
        if topic.definition.startswith('=' * 80 + '\nIDL: '):
            raise ConfigurationError('definitions in IDL are copied only with their hash')
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(topic.definition, topic.type))
        return store.hash_rihs01(topic.type)
    except Exception as error:  # of the parser, which has no class of its own for all
        reason = ' '.join(str(error).split())
        raise ConfigurationError(
            f"topic '{topic.name}' is not copied: the definition of its type '{topic.type}' "
            f'cannot be read ({reason})'
        ) from None
