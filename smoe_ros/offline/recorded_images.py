# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images of a bag, decoded as the node decodes them; and what such topics are called."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from smoe_ros.bags import Topic
from smoe_ros.errors import FrameError, in_words
from smoe_ros.images import Rgb
from smoe_ros.messages.decoding import decompress, to_rgb
from smoe_ros.offline.serializing import message_types

RAW_TYPE = 'sensor_msgs/msg/Image'
COMPRESSED_TYPE = 'sensor_msgs/msg/CompressedImage'
IMAGE_TYPES = (RAW_TYPE, COMPRESSED_TYPE)
CONTRIBUTIONS_TYPE = 'smoe_msgs/msg/ScaleContributions'


def decode_image(data: bytes, kind: str) -> tuple[Header, Rgb]:
    """Decode an image message, given as CDR, of one of `IMAGE_TYPES`.

    Returns:
        Its header and its picture, shape (H, W, 3), uint8, which may share the message's memory.

    Raises:
        FrameError: If it is no picture; the text says why.
    """
    try:
        # By rosbags, whose images are views of the message's bytes: rclpy's are copies.
        image: Any = message_types().deserialize_cdr(data, kind)
        rgb = decompress(image) if kind == COMPRESSED_TYPE else to_rgb(image)
    except FrameError:
        raise
    except Exception as error:  # whatever a message holds, it costs no more than itself
        raise FrameError(f'the message cannot be read ({in_words(error)})') from None
    stamp = Time(sec=image.header.stamp.sec, nanosec=image.header.stamp.nanosec)
    return Header(stamp=stamp, frame_id=image.header.frame_id), rgb


def stamp_of(data: bytes) -> int:
    """Return the stamp at the begin of a message, given as CDR, without reading what follows.

    Returns:
        Nanoseconds; -1, which no stamp is, if the message is too short for one.
    """
    if len(data) < 12:
        return -1
    # The second byte of the encapsulation tells the byte order.
    seconds, nanoseconds = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return int(seconds) * 10**9 + int(nanoseconds)


def contents_of(topics: Mapping[str, Topic]) -> str:
    """Return a clause that tells what a bag has, for an error's text."""
    named = ', '.join(f'{name} ({topic.type})' for name, topic in sorted(topics.items()))
    return f'it has {named}' if named else 'it has no topics at all'
