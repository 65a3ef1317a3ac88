# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bag says about its cameras, as numbers: its first reading, without any picture."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message

from smoe_msgs.msg import ScaleContributions
from smoe_ros.bags import Message, Recording
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.recorded_images import CONTRIBUTIONS_TYPE, in_words
from smoe_ros.rendering.overview import scale_bar

_DIAGNOSTICS = '/diagnostics'
_DIAGNOSTICS_TYPE = 'diagnostic_msgs/msg/DiagnosticArray'
# A status that has it is one of ours.
_OWN_FIGURE = 'frames in'
# rclpy raises its RMWError, a RuntimeError, on bytes that are no such message.
NO_MESSAGE = (RuntimeError, ValueError, TypeError)


@dataclass(frozen=True)
class Group:
    """Frames that one network explained at one set of scales.

    Attributes:
        backbone: Name of the network.
        layers: Name of each scale, finest first.
        sizes: Size of each scale's activation, for people.
        frames: Which frames of the camera these are, shape (N,).
        contributions: Shape (N, S).
        information: Mean information of each scale in its own units, shape (S,).
    """

    backbone: str
    layers: tuple[str, ...]
    sizes: tuple[str, ...]
    frames: NDArray[np.int64]
    contributions: NDArray[np.float64]
    information: NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """One camera's explained frames in the order in which they were recorded.

    Attributes:
        name: What a person calls it: the namespace of its image.
        namespace: Of its outputs, for example ``/front/smoe``.
        stamps: Of the frames in nanoseconds, shape (N,).
        times: When the explanations were received in nanoseconds, shape (N,).
        label_names: Every class that occurs.
        labels: Index of each frame's class in `label_names`, -1 without a classifier; shape (N,).
        probabilities: Of those classes, shape (N,).
        groups: One a network and set of scales, in the order of their first frames.
        statistics: Statistics over channels that occur.
        normalizations: Normalisations that occur.
    """

    name: str
    namespace: str
    stamps: NDArray[np.int64]
    times: NDArray[np.int64]
    label_names: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    groups: tuple[Group, ...]
    statistics: tuple[str, ...]
    normalizations: tuple[str, ...]

    @property
    def clock(self) -> NDArray[np.int64]:
        """Stamps in nanoseconds, shape (N,); of a frame without one (0), when it was received."""
        return np.where(self.stamps == 0, self.times, self.stamps)

    def label(self, frame: int) -> str:
        """Return a frame's class, empty without a classifier."""
        number = int(self.labels[frame])
        return self.label_names[number] if number >= 0 else ''


@dataclass(frozen=True)
class BagContent:
    """What the first reading found.

    Attributes:
        start: Time of the bag's first message in nanoseconds.
        end: Time of its last message.
        cameras: The cameras that have explained frames, by name.
        counts: The node's last figures of each camera: image topic to values by their keys.
        lost: What could not be used, a sentence each.
    """

    start: int
    end: int
    cameras: tuple[Camera, ...]
    counts: dict[str, dict[str, str]]
    lost: tuple[str, ...]

    def seconds(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return when times (nanoseconds) were, in seconds since the bag's first message."""
        return np.divide(times - self.start, 1e9, dtype=np.float64)


def read_content(recording: Recording) -> BagContent:
    """Read the contributions and diagnostics of a bag; of each frame, numbers are kept only.

    Raises:
        ConfigurationError: If the bag has no contributions.
    """
    known = recording.topics
    topics = {name for name, topic in known.items() if topic.type == CONTRIBUTIONS_TYPE}
    if not topics:
        reasons = ''.join(f'; {flaw}' for flaw in recording.flaws)
        raise ConfigurationError(
            f"'{recording.path}' has no explanation: no topic of type {CONTRIBUTIONS_TYPE}"
            f'{reasons}; {in_words(known)}'
        )
    frames = {topic: _Frames() for topic in sorted(topics)}
    counts: dict[str, dict[str, str]] = {}
    lost: Counter[str] = Counter()
    told = known.get(_DIAGNOSTICS)
    diagnostics = {_DIAGNOSTICS} if told and told.type == _DIAGNOSTICS_TYPE else set()
    for message in recording.messages(topics | diagnostics):
        try:
            if message.topic in topics:
                frames[message.topic].add(message, lost)
            else:
                _take_counts(deserialize_message(message.data, DiagnosticArray), counts)
        except NO_MESSAGE:
            lost[f"of '{message.topic}' that cannot be deserialised"] += 1
    sentences = [f'messages {what}: {number}' for what, number in lost.items()]
    cameras = [_camera(topic, found) for topic, found in frames.items() if found.stamps]
    if not cameras or recording.start is None or recording.end is None:
        reasons = '; '.join(['', *sentences, *recording.flaws])
        raise ConfigurationError(
            f"'{recording.path}' has no explanation: {', '.join(sorted(topics))} "
            f'{"has" if len(topics) == 1 else "have"} no message that can be used{reasons}; '
            f'{in_words(known)}'
        )
    return BagContent(recording.start, recording.end, tuple(cameras), counts, tuple(sentences))


@dataclass
class _Numbers:
    """Growing numbers of one group."""

    sizes: tuple[str, ...]
    frames: array[int] = field(default_factory=lambda: array('q'))
    contributions: array[float] = field(default_factory=lambda: array('d'))
    information: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass
class _Frames:
    """Growing numbers of one camera."""

    stamps: array[int] = field(default_factory=lambda: array('q'))
    times: array[int] = field(default_factory=lambda: array('q'))
    labels: array[int] = field(default_factory=lambda: array('q'))
    probabilities: array[float] = field(default_factory=lambda: array('d'))
    numbers: dict[str, int] = field(default_factory=dict)
    groups: dict[tuple[str, tuple[str, ...]], _Numbers] = field(default_factory=dict)
    # Dictionaries for sets that keep their order.
    statistics: dict[str, None] = field(default_factory=dict)
    normalizations: dict[str, None] = field(default_factory=dict)

    def add(self, message: Message, lost: Counter[str]) -> None:
        """Take the numbers of a frame."""
        found = deserialize_message(message.data, ScaleContributions)
        shares = [scale.contribution for scale in found.scales]
        if not shares or not np.isfinite(shares).all():
            lost[f"of '{message.topic}' without finite contributions"] += 1
            return
        bars = [scale_bar(scale, 0) for scale in found.scales]
        group = self.groups.setdefault(
            (found.backbone, tuple(bar.label for bar in bars)),
            _Numbers(
                tuple(bar.note.replace('x', '×') for bar in bars),
                information=np.zeros(len(bars)),
            ),
        )
        group.frames.append(len(self.stamps))
        group.contributions.extend(shares)
        group.information += [scale.information for scale in found.scales]
        stamp = found.header.stamp
        self.stamps.append(stamp.sec * 10**9 + stamp.nanosec)
        self.times.append(message.time)
        self.labels.append(self._label(found))
        self.probabilities.append(found.class_probability)
        self.statistics[found.statistic] = None
        self.normalizations[found.normalization] = None

    def _label(self, found: Any) -> int:
        if found.class_id < 0 and not found.class_label:
            return -1
        name = found.class_label or f'class {found.class_id}'
        return self.numbers.setdefault(name, len(self.numbers))


def _camera(topic: str, frames: _Frames) -> Camera:
    namespace = topic.rpartition('/')[0]
    return Camera(
        name=namespace.rpartition('/')[0] or 'camera',
        namespace=namespace,
        stamps=np.array(frames.stamps, np.int64),
        times=np.array(frames.times, np.int64),
        label_names=tuple(frames.numbers),
        labels=np.array(frames.labels, np.int64),
        probabilities=np.array(frames.probabilities, np.float64),
        groups=tuple(
            Group(
                backbone,
                layers,
                numbers.sizes,
                np.array(numbers.frames, np.int64),
                np.array(numbers.contributions).reshape(-1, len(layers)),
                numbers.information / len(numbers.frames),
            )
            for (backbone, layers), numbers in frames.groups.items()
        ),
        statistics=tuple(frames.statistics),
        normalizations=tuple(frames.normalizations),
    )


def _take_counts(message: Any, counts: dict[str, dict[str, str]]) -> None:
    for status in message.status:
        values = {value.key: value.value for value in status.values}
        if _OWN_FIGURE in values:
            # Of bags from before the hardware id, the name: "node: topic".
            counts[status.hardware_id or status.name.rpartition(': ')[2]] = values


def counts_of(camera: Camera, cameras: Sequence[Camera], content: BagContent) -> dict[str, str]:
    """Return the node's last figures of a camera, empty if the bag does not hold them."""
    if len(cameras) == len(content.counts) == 1:
        return next(iter(content.counts.values()))
    above = camera.namespace.rpartition('/')[0]
    for topic, values in content.counts.items():
        if topic.rpartition('/')[0] == above:
            return values
    return {}
