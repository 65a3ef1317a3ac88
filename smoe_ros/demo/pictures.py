# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Moving and still pictures of a recorded run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from smoe_ros.bags import read_bag
from smoe_ros.images import Rgb
from smoe_ros.rendering.overview import Bar, draw_overview, scale_bar

_STILLS = 3


def write_pictures(
    bag: Path, image_topic: str, outputs: str, count: int, rate: float, folder: Path
) -> None:
    """Write ``overview.mp4`` and ``overview.png`` (moments of the run below each other).

    Args:
        bag: The recorded bag.
        image_topic: Full name of the camera's topic.
        outputs: Full name of the namespace of its explanations.
        count: Number of explained frames in the bag.
        rate: Explained frames a second, so that the video plays in real time.
        folder: Where to write.
    """
    moments = {count * (2 * index + 1) // (2 * _STILLS) for index in range(_STILLS)}
    stills: list[Rgb] = []
    video: cv2.VideoWriter | None = None
    try:
        for index, frame in enumerate(_explained_frames(bag, image_topic, outputs)):
            picture = draw_overview(*frame)
            if video is None:
                height, width = picture.shape[:2]
                codec = cv2.VideoWriter.fourcc(*'mp4v')
                path = str(folder / 'overview.mp4')
                video = cv2.VideoWriter(path, codec, rate, (width, height))
            video.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            if index in moments:
                stills.append(picture)
    finally:
        if video is not None:
            video.release()
    sheet = cv2.cvtColor(np.vstack(stills), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / 'overview.png'), sheet)


_Overview = tuple[Rgb, Rgb, Rgb, list[Bar], str]


def _explained_frames(bag: Path, image_topic: str, outputs: str) -> Iterator[_Overview]:
    """Yield what the overview of each explained frame needs.

    A frame is complete when camera, overlay, LOVI and contributions of one stamp are together;
    frames never explained are forgotten as soon as a later one is complete.
    """
    names = {
        image_topic: 'camera',
        f'{outputs}/overlay': 'overlay',
        f'{outputs}/lovi': 'lovi',
        f'{outputs}/contributions': 'contributions',
    }
    pending: dict[int, dict[str, Any]] = {}
    for topic, _, message in read_bag(bag, list(names)):
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        parts = pending.setdefault(stamp, {})
        parts[names[topic]] = message
        if len(parts) == len(names):
            yield _overview(parts)
            pending = {later: rest for later, rest in pending.items() if later > stamp}


def _overview(parts: dict[str, Any]) -> _Overview:
    contributions = parts['contributions']
    bars = [scale_bar(scale, scale.contribution) for scale in contributions.scales]
    caption = f'{contributions.class_label} {contributions.class_probability:.2f}'
    return (
        _to_rgb(parts['camera']),
        _to_rgb(parts['overlay']),
        _to_rgb(parts['lovi']),
        bars,
        caption,
    )


def _to_rgb(image: Any) -> Rgb:
    """Read the encodings that the demo itself publishes."""
    pixels = np.asarray(image.data, np.uint8).reshape(image.height, image.width, 3)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if image.encoding == 'bgr8' else pixels
