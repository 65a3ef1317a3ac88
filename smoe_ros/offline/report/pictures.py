# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Small pictures of chosen frames, found in the bag by the frames' stamps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2

from smoe_ros.bags import Recording, Topic
from smoe_ros.errors import FrameError
from smoe_ros.images import Rgb
from smoe_ros.offline.recorded_images import COMPRESSED_TYPE, RAW_TYPE, decode_image, stamp_of

# What shows a frame, the best first.
_OUTPUTS = ('overlay', 'overview', 'heat_map', 'lovi', 'saliency')
_WIDTH, _HEIGHT = 320, 640
_QUALITY = 75
# Pictures of this aspect ratio lie above each other, others side by side.
_WIDE = 1.6


@dataclass(frozen=True)
class Picture:
    """A small picture: the file, the topic that it comes from, and its size in pixels."""

    jpeg: bytes
    topic: str
    width: int
    height: int

    @property
    def tall(self) -> bool:
        """Whether two of them belong side by side, not above each other."""
        return self.width < _WIDE * self.height


@dataclass(frozen=True)
class Wish:
    """A picture that is looked for.

    Attributes:
        stamp: Of its frame in nanoseconds.
        time: When the frame's explanation was received: of several pictures with that stamp (a
            recording that was played in a loop), the nearest one is taken.
        topics: Where to look, the best first.
    """

    stamp: int
    time: int
    topics: tuple[str, ...]


def main_topics(topics: Mapping[str, Topic], namespace: str) -> tuple[str, ...]:
    """Return a bag's topics that may show the frames of the camera explained in a namespace.

    The best come first.
    """
    outputs = [topic for name in _OUTPUTS for topic in _both(topics, f'{namespace}/{name}')]
    above = namespace.rpartition('/')[0]
    images = [
        name
        for name, topic in topics.items()
        if name.removesuffix('/compressed').rpartition('/')[0] == above and _is_image(topic)
    ]
    # image_raw before what else lies there, such as depth.
    return (*outputs, *sorted(images, key=lambda name: ('/image' not in name, name)))


def lovi_topics(topics: Mapping[str, Topic], namespace: str) -> tuple[str, ...]:
    """Return the topics of LOVI, to be shown beside the overlay; none without both."""
    has_overlay = bool(_both(topics, f'{namespace}/overlay'))
    return tuple(_both(topics, f'{namespace}/lovi')) if has_overlay else ()


def find_pictures(
    recording: Recording, wishes: Sequence[Wish]
) -> tuple[dict[Wish, Picture], list[str]]:
    """Read the pictures of chosen frames, and nothing else of them.

    Returns:
        The pictures that were found; why others could not be used, a sentence each.
    """
    found: dict[Wish, Picture] = {}
    problems: dict[str, None] = {}
    for choice in range(max((len(wish.topics) for wish in wishes), default=0)):
        wanted: dict[tuple[str, int], list[Wish]] = defaultdict(list)
        for wish in wishes:
            if wish not in found and choice < len(wish.topics):
                wanted[wish.topics[choice], wish.stamp].append(wish)
        if not wanted:
            continue
        nearest: dict[Wish, int] = {}
        for message in recording.messages({topic for topic, _ in wanted}):
            for wish in wanted.get((message.topic, stamp_of(message.data)), ()):
                off = abs(message.time - wish.time)
                if off >= nearest.get(wish, off + 1):
                    continue
                try:
                    kind = recording.topics[message.topic].type
                    found[wish] = _shrunk(decode_image(message.data, kind)[1], message.topic)
                    nearest[wish] = off
                except FrameError as error:
                    problems[f"a picture of '{message.topic}' cannot be shown: {error}"] = None
    return found, list(problems)


def _both(topics: Mapping[str, Topic], name: str) -> list[str]:
    """Return the compressed and the raw topic of an output, as far as the bag has them."""
    names = (f'{name}/compressed', name)
    return [each for each in names if each in topics and _is_image(topics[each])]


def _is_image(topic: Topic) -> bool:
    kind = COMPRESSED_TYPE if topic.name.endswith('/compressed') else RAW_TYPE
    return topic.type == kind and topic.count != 0


def _shrunk(rgb: Rgb, topic: str) -> Picture:
    """Return a small JPEG of a picture.

    Raises:
        FrameError: If it cannot be written.
    """
    height, width = rgb.shape[:2]
    shrink = max(width / _WIDTH, height / _HEIGHT)
    if shrink > 1:
        height, width = max(round(height / shrink), 1), max(round(width / shrink), 1)
        rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    try:
        written, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    except cv2.error:
        written = False
    if not written:
        raise FrameError(f'{width}x{height} pixels cannot be written as JPEG')
    return Picture(data.tobytes(), topic, width, height)
