# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages as CDR bytes that are the same every time.

The middleware leaves what was in memory in the gaps between fields, so that two runs would write
two different bags.
"""

from __future__ import annotations

import functools
from array import array
from pathlib import Path
from typing import Any

import numpy as np
from ament_index_python.packages import get_package_share_directory
from rosbags.typesys.store import Typestore

from smoe_ros.bags import typestore


@functools.cache
def message_types() -> Typestore:
    """Return the message types of ROS 2 Jazzy and our own."""
    return typestore(sorted(Path(get_package_share_directory('smoe_msgs'), 'msg').glob('*.msg')))


def type_name(message_type: type) -> str:
    """Return a message type's name, as in ``sensor_msgs/msg/Image``."""
    return f'{message_type.__module__.partition(".")[0]}/msg/{message_type.__name__}'


def serialized(message: Any) -> bytes:
    """Serialise a message of rclpy's; gaps between its fields are 0."""
    return bytes(message_types().serialize_cdr(_converted(message), type_name(type(message))))


def _converted(value: Any) -> Any:
    """Return a value as rosbags has it, without a copy of its bytes."""
    if isinstance(value, array):
        return np.frombuffer(value, value.typecode)
    if isinstance(value, list):
        return [_converted(one) for one in value]
    if hasattr(value, 'get_fields_and_field_types'):
        fields = {
            name: _converted(getattr(value, name)) for name in value.get_fields_and_field_types()
        }
        return message_types().types[type_name(type(value))](**fields)
    return value
