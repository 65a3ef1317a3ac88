# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The frames of a bag in batches, decoded as the node decodes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from std_msgs.msg import Header

from smoe_ros.bags import Message
from smoe_ros.errors import FrameError
from smoe_ros.images import Rgb
from smoe_ros.offline.recorded_cameras import BagCamera
from smoe_ros.offline.recorded_images import COMPRESSED_TYPE, RAW_TYPE, decode_image

# Messages of other topics that may wait for a frame to come.
_MOST_MESSAGES = 256


@dataclass(frozen=True)
class Frame:
    """One image of a camera.

    Attributes:
        camera: Its camera.
        time: When it was recorded, in nanoseconds.
        header: Its header.
        rgb: The image, shape (H, W, 3), uint8.
    """

    camera: BagCamera
    time: int
    header: Header
    rgb: Rgb


@dataclass(frozen=True)
class Refusal:
    """An image that cannot be explained.

    Attributes:
        camera: Its camera.
        reason: Why not.
    """

    camera: BagCamera
    reason: str


@dataclass
class Batch:
    """Messages that follow each other, and the frames among them.

    Attributes:
        end: Number of messages read up to its end.
        items: Messages to be copied, frames and refusals, in their order.
        frames: The frames among them.
    """

    end: int = 0
    items: list[Message | Frame | Refusal] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


class Frames:
    """Cuts a bag's messages into batches."""

    def __init__(
        self, cameras: Mapping[str, BagCamera], copied: frozenset[str], every: int, size: int
    ) -> None:
        """Remember what is wanted.

        Args:
            cameras: By the topics of their images.
            copied: Topics to be copied.
            every: Explain each camera's first image and every so many-th after it.
            size: Frames of a batch.
        """
        self._cameras, self._copied = cameras, copied
        self._every, self._size = every, size
        self._seen: Counter[str] = Counter()

    def batches(self, messages: Iterator[Message], skip: int, warm: int) -> Iterator[Batch]:
        """Yield the batches of messages, read from the bag's beginning.

        The same messages give the same batches, and a batch may end where an earlier run ended.

        Args:
            messages: All messages of the cameras and of the topics to be copied.
            skip: Number of messages before which nothing is yielded.
            warm: Number of messages at which a new batch begins; what comes before is needed only
                for what it does to later frames.
        """
        batch = Batch()
        for number, message in enumerate(messages, 1):
            camera = self._cameras.get(message.topic)
            chosen = camera is not None and self._seen[message.topic] % self._every == 0
            self._seen[message.topic] += 1
            if number <= skip:
                continue
            if message.topic in self._copied:
                batch.items.append(message)
            if camera is not None and chosen:
                item = _decoded(camera, message)
                batch.items.append(item)
                if isinstance(item, Frame):
                    batch.frames.append(item)
            batch.end = number
            full = len(batch.frames) == self._size or len(batch.items) >= _MOST_MESSAGES
            if full or number == warm:
                yield batch
                batch = Batch()
        if batch.end:
            yield batch


def _decoded(camera: BagCamera, message: Message) -> Frame | Refusal:
    kind = COMPRESSED_TYPE if camera.compressed else RAW_TYPE
    try:
        header, rgb = decode_image(message.data, kind)
    except FrameError as error:
        return Refusal(camera, str(error))
    return Frame(camera, message.time, header, rgb)
