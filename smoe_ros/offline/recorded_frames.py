# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The frames of a bag in batches, decoded as the node decodes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from std_msgs.msg import Header

from smoe_ros.bags import Message
from smoe_ros.errors import FrameError
from smoe_ros.images import Rgb
from smoe_ros.offline.recorded_cameras import BagCamera
from smoe_ros.offline.recorded_images import decode_image
from smoe_ros.offline.task import Task

# Messages of other topics that may wait for a frame to come.
_MOST_MESSAGES = 256


@dataclass(frozen=True)
class Frame:
    """One image of a camera.

    Attributes:
        time: When it was recorded, in nanoseconds.
        rgb: The image, shape (H, W, 3), uint8.
    """

    camera: BagCamera
    time: int
    header: Header
    rgb: Rgb


@dataclass(frozen=True)
class Refusal:
    """An image that cannot be explained, and why not."""

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


def batches(task: Task, skip: int, warm: int) -> Iterator[Batch]:
    """Yield the messages of a task in batches.

    The same messages give the same batches, and a batch may end where an earlier run ended.

    Args:
        task: What is to be explained and copied.
        skip: Number of messages before which nothing is yielded.
        warm: Number of messages at which a new batch begins; what comes before is needed only for
            what it does to later frames.
    """
    seen: Counter[str] = Counter()
    batch = Batch()
    for number, message in enumerate(task.messages(), 1):
        camera = task.cameras.get(message.topic)
        chosen = seen[message.topic] % task.options.every == 0
        seen[message.topic] += 1
        if number <= skip:
            continue
        if message.topic in task.copied:
            batch.items.append(message)
        if camera is not None and chosen:
            item = _decoded(camera, message)
            batch.items.append(item)
            if isinstance(item, Frame):
                batch.frames.append(item)
        batch.end = number
        full = len(batch.frames) == task.options.batch or len(batch.items) >= _MOST_MESSAGES
        if full or number == warm:
            yield batch
            batch = Batch()
    if batch.end:
        yield batch


def _decoded(camera: BagCamera, message: Message) -> Frame | Refusal:
    try:
        header, rgb = decode_image(message.data, camera.kind)
    except FrameError as error:
        return Refusal(camera, str(error))
    return Frame(camera, message.time, header, rgb)
