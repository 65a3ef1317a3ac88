# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bag says about its cameras, as numbers: its first reading, without any picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message

from smoe_msgs.msg import ScaleContributions
from smoe_ros.bags import Message, Recording
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.messages.stamp_order import nanoseconds
from smoe_ros.offline.recorded_images import CONTRIBUTIONS_TYPE, contents_of
from smoe_ros.rendering.overview import scale_bar

_DIAGNOSTICS = '/diagnostics'
_DIAGNOSTICS_TYPE = 'diagnostic_msgs/msg/DiagnosticArray'
# A status that has it is one of ours.
_OWN_FIGURE = 'frames in'
# rclpy raises its RMWError, a RuntimeError, on bytes that are no such message.
_NO_MESSAGE = (RuntimeError, ValueError, TypeError)


@dataclass(frozen=True)
class Group:
    """Frames that one network explained at one set of scales.

    Attributes:
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
        labels: Class of each frame, empty without a classifier.
        probabilities: Of those classes, shape (N,).
        groups: One a network and set of scales, in the order of their first frames.
        statistics: Statistics over channels that occur.
        normalizations: Normalisations that occur.
    """

    name: str
    namespace: str
    stamps: NDArray[np.int64]
    times: NDArray[np.int64]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    groups: tuple[Group, ...]
    statistics: tuple[str, ...]
    normalizations: tuple[str, ...]

    @property
    def clock(self) -> NDArray[np.int64]:
        """Stamps in nanoseconds, shape (N,); of a frame without one (0), when it was received."""
        return np.where(self.stamps == 0, self.times, self.stamps)


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

    def counts_of(self, camera: Camera) -> dict[str, str]:
        """Return the node's last figures of a camera, empty if the bag does not hold them."""
        if len(self.cameras) == len(self.counts) == 1:
            return next(iter(self.counts.values()))
        above = camera.namespace.rpartition('/')[0]
        found = (v for topic, v in self.counts.items() if topic.rpartition('/')[0] == above)
        return next(found, {})


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
            f'{reasons}; {contents_of(known)}'
        )
    frames: dict[str, list[_Frame]] = {topic: [] for topic in sorted(topics)}
    names: dict[Any, Any] = {}
    counts: dict[str, dict[str, str]] = {}
    lost: Counter[str] = Counter()
    told = known.get(_DIAGNOSTICS)
    diagnostics = {_DIAGNOSTICS} if told and told.type == _DIAGNOSTICS_TYPE else set()
    for message in recording.messages(topics | diagnostics):
        try:
            if message.topic in topics:
                frames[message.topic].append(_frame_of(message, names))
            else:
                _take_counts(deserialize_message(message.data, DiagnosticArray), counts)
        except FrameError as error:
            lost[f"of '{message.topic}' {error}"] += 1
        except _NO_MESSAGE:
            lost[f"of '{message.topic}' that cannot be deserialised"] += 1
    sentences = [f'messages {what}: {number}' for what, number in lost.items()]
    cameras = [_camera(topic, found) for topic, found in frames.items() if found]
    if not cameras or recording.start is None or recording.end is None:
        reasons = '; '.join(['', *sentences, *recording.flaws])
        raise ConfigurationError(
            f"'{recording.path}' has no explanation: {', '.join(sorted(topics))} "
            f'{"has" if len(topics) == 1 else "have"} no message that can be used{reasons}; '
            f'{contents_of(known)}'
        )
    return BagContent(recording.start, recording.end, tuple(cameras), counts, tuple(sentences))


class _Frame(NamedTuple):
    """The numbers of one frame; names that recur are kept once."""

    stamp: int
    time: int
    label: str
    probability: float
    network: tuple[str, tuple[str, ...], tuple[str, ...]]
    method: tuple[str, str]
    contributions: tuple[float, ...]
    information: tuple[float, ...]


def _frame_of(message: Message, names: dict[Any, Any]) -> _Frame:
    """Return a frame's numbers.

    Raises:
        FrameError: If its contributions are no numbers.
    """
    found = deserialize_message(message.data, ScaleContributions)
    shares = tuple(scale.contribution for scale in found.scales)
    if not shares or not np.isfinite(shares).all():
        raise FrameError('without finite contributions')
    bars = [scale_bar(scale, 0) for scale in found.scales]
    label = found.class_label or (f'class {found.class_id}' if found.class_id >= 0 else '')
    network = (
        found.backbone,
        tuple(bar.label for bar in bars),
        tuple(bar.note.replace('x', '×') for bar in bars),
    )
    method = found.statistic, found.normalization
    return _Frame(
        nanoseconds(found.header.stamp),
        message.time,
        names.setdefault(label, label),
        found.class_probability,
        names.setdefault(network, network),
        names.setdefault(method, method),
        shares,
        tuple(scale.information for scale in found.scales),
    )


def _camera(topic: str, frames: Sequence[_Frame]) -> Camera:
    namespace = topic.rpartition('/')[0]
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for index, frame in enumerate(frames):
        groups.setdefault(frame.network[:2], []).append(index)
    return Camera(
        name=namespace.rpartition('/')[0] or 'camera',
        namespace=namespace,
        stamps=np.array([frame.stamp for frame in frames]),
        times=np.array([frame.time for frame in frames]),
        labels=tuple(frame.label for frame in frames),
        probabilities=np.array([frame.probability for frame in frames]),
        groups=tuple(
            Group(
                *frames[indices[0]].network,
                np.array(indices),
                np.array([frames[index].contributions for index in indices]),
                np.mean([frames[index].information for index in indices], axis=0),
            )
            for indices in groups.values()
        ),
        statistics=tuple(dict.fromkeys(frame.method[0] for frame in frames)),
        normalizations=tuple(dict.fromkeys(frame.method[1] for frame in frames)),
    )


def _take_counts(message: Any, counts: dict[str, dict[str, str]]) -> None:
    for status in message.status:
        values = {value.key: value.value for value in status.values}
        if _OWN_FIGURE in values:
            # Of bags from before the hardware id, the name: "node: topic".
            counts[status.hardware_id or status.name.rpartition(': ')[2]] = values
