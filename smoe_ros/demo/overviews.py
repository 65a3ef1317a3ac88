# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorded run as a film, and as moments of it below each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rclpy.serialization import deserialize_message

from smoe_msgs.msg import ScaleContributions
from smoe_ros.bags import Recording
from smoe_ros.commands.film import Film
from smoe_ros.images import Rgb
from smoe_ros.offline.recorded_images import RAW_TYPE, decode_image, stamp_of
from smoe_ros.rendering.overview import History, draw_overview, scale_bar

_STILLS = 3


def write_overviews(
    bag: Path, image_topic: str, outputs: str, count: int, rate: float, folder: Path
) -> None:
    """Write ``overview.mp4`` and ``overview.png`` of a recorded bag.

    Topic and namespace of the outputs are full names; count and rate (Hz) are those of the
    explained frames, so that the film plays in real time.
    """
    moments = {count * (2 * index + 1) // (2 * _STILLS) for index in range(_STILLS)}
    stills: list[Rgb] = []
    with Recording(bag) as recording, Film(folder / 'overview.mp4', rate) as film:
        for index, picture in enumerate(_overviews(recording, image_topic, outputs)):
            film.add(picture)
            if index in moments:
                stills.append(picture)
    sheet = cv2.cvtColor(np.vstack(stills), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / 'overview.png'), sheet)


def _overviews(recording: Recording, image_topic: str, outputs: str) -> Iterator[Rgb]:
    """Draw each explained frame of which camera, overlay, LOVI and contributions were recorded."""
    images = image_topic, f'{outputs}/overlay', f'{outputs}/lovi'
    contributions = f'{outputs}/contributions'
    history = History()
    pending: dict[int, dict[str, bytes]] = {}
    for message in recording.messages((*images, contributions)):
        stamp = stamp_of(message.data)
        parts = pending.setdefault(stamp, {})
        parts[message.topic] = message.data
        if len(parts) <= len(images):
            continue
        explained = deserialize_message(parts[contributions], ScaleContributions)
        bars = [scale_bar(scale, scale.contribution) for scale in explained.scales]
        history.add(stamp * 1e-9, [bar.contribution for bar in bars])
        camera, overlay, lovi = (decode_image(parts[topic], RAW_TYPE)[1] for topic in images)
        caption = f'{explained.class_label} {explained.class_probability:.2f}'
        yield draw_overview(camera, overlay, lovi, bars, caption, history)
        # Frames that are never explained are forgotten with the next one that is.
        pending = {later: rest for later, rest in pending.items() if later > stamp}
