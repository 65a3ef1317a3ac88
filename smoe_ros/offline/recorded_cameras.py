# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag are cameras, and where their explanations go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smoe_ros.bags import Topic
from smoe_ros.errors import ConfigurationError
from smoe_ros.messages.outputs import COMPRESSED, CONTRIBUTIONS, OUTPUT_TYPES
from smoe_ros.messages.topics import resolve_topics
from smoe_ros.offline.recorded_images import (
    COMPRESSED_TYPE,
    CONTRIBUTIONS_TYPE,
    IMAGE_TYPES,
    RAW_TYPE,
    in_words,
)

# Depth in a form of its own, which is not read.
_DEPTH = '/compressedDepth'


@dataclass(frozen=True)
class BagCamera:
    """A camera of a bag.

    Attributes:
        topic: The topic that its images are on.
        compressed: Whether they are compressed.
        outputs: The namespace of its explanations.
        count: Number of its images; None if it is not known.
    """

    topic: str
    compressed: bool
    outputs: str
    count: int | None


def choose_cameras(topics: Mapping[str, Topic], wanted: Sequence[str]) -> list[BagCamera]:
    """Return the cameras to explain.

    Args:
        topics: Of the bag, by name.
        wanted: What the user chose: ``TOPIC`` or ``TOPIC=NAMESPACE`` for its outputs. Empty takes
            every image topic that is no explanation itself, and of a camera that was recorded raw
            and compressed the raw images.

    Raises:
        ConfigurationError: If a topic is not there or no image topic, none is left, or two would
            be explained under one namespace.
    """
    if wanted:
        pairs = [_pair(entry) for entry in wanted]
    else:
        pairs = [(name, '') for name in _unexplained(topics)]
        if not pairs:
            raise ConfigurationError(f'it has no image topic to explain; {in_words(topics)}')
    for name, _ in pairs:
        _check(name, topics)
    names = [_raw_name(topics[name]) for name, _ in pairs]
    namespaces = [
        given or f'{name.rpartition("/")[0]}/smoe'
        for name, (_, given) in zip(names, pairs, strict=True)
    ]
    try:
        resolved = resolve_topics(names, namespaces, lambda name: name)
    except ConfigurationError as error:
        reason = str(error).replace('output_namespaces', '--topics, as TOPIC=NAMESPACE')
        raise ConfigurationError(reason.replace('image_topics', '--topics')) from None
    return [
        BagCamera(name, topics[name].type == COMPRESSED_TYPE, one.outputs, topics[name].count)
        for (name, _), one in zip(pairs, resolved, strict=True)
    ]


def _unexplained(topics: Mapping[str, Topic]) -> list[str]:
    explained = {
        name.removesuffix(CONTRIBUTIONS)
        for name, topic in topics.items()
        if topic.type == CONTRIBUTIONS_TYPE
    }
    images = [
        name
        for name, topic in topics.items()
        if topic.type in IMAGE_TYPES
        and not name.endswith(_DEPTH)
        and not _is_explanation(name)
        and not any(name.startswith(place) for place in explained)
    ]
    return [
        name
        for name in images
        if name.removesuffix(COMPRESSED) == name or (name.removesuffix(COMPRESSED) not in images)
    ]


def _is_explanation(name: str) -> bool:
    return any(name.endswith(f'/smoe/{output}') for output in OUTPUT_TYPES)


def _pair(entry: str) -> tuple[str, str]:
    topic, _, namespace = entry.partition('=')
    return topic, namespace.rstrip('/')


def _check(name: str, topics: Mapping[str, Topic]) -> None:
    if name not in topics:
        raise ConfigurationError(f"it has no topic '{name}'; {in_words(topics)}")
    if topics[name].type not in IMAGE_TYPES:
        raise ConfigurationError(
            f"topic '{name}' is of type '{topics[name].type}', not images ({RAW_TYPE} or "
            f'{COMPRESSED_TYPE})'
        )


def _raw_name(topic: Topic) -> str:
    compressed = topic.type == COMPRESSED_TYPE
    return topic.name.removesuffix(COMPRESSED) if compressed else topic.name
