# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bag holds, as its storages hand it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Message(NamedTuple):
    """One message as it was recorded.

    Attributes:
        topic: Its topic.
        time: When it was received, in nanoseconds.
        data: The message as CDR, as it came over the wire.
    """

    topic: str
    time: int
    data: bytes


@dataclass(frozen=True)
class Topic:
    """One topic of a bag.

    Attributes:
        name: Its full name.
        type: Of its messages, for example ``sensor_msgs/msg/Image``.
        definition: Text of the message definition; empty if the bag does not hold it.
        type_hash: Of the definition, as ROS computes it; empty if the bag does not hold it.
        qos: Offered QoS profiles as rosbag2 writes them (YAML); empty if the bag has none.
        count: Number of its messages; None if that is not known without reading them all.
    """

    name: str
    type: str
    definition: str = ''
    type_hash: str = ''
    qos: str = ''
    count: int | None = None
