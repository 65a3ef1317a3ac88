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
    contents_of,
)

# What ends so is depth in a form of its own, which is not read, or an explanation.
_NO_CAMERA = ('/compressedDepth', *(f'/smoe/{output}' for output in OUTPUT_TYPES))


@dataclass(frozen=True)
class BagCamera:
    """A camera of a bag.

    Attributes:
        topic: The topic that its images are on.
        kind: Their type, one of `IMAGE_TYPES`.
        outputs: The namespace of its explanations.
        count: Number of its images; None if it is not known.
    """

    topic: str
    kind: str
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
        parts = (entry.partition('=') for entry in wanted)
        pairs = [(topic, namespace.rstrip('/')) for topic, _, namespace in parts]
    else:
        pairs = [(name, '') for name in _unexplained(topics)]
        if not pairs:
            raise ConfigurationError(f'it has no image topic to explain; {contents_of(topics)}')
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
        BagCamera(name, topics[name].type, one.outputs, topics[name].count)
        for (name, _), one in zip(pairs, resolved, strict=True)
    ]


def _unexplained(topics: Mapping[str, Topic]) -> list[str]:
    explained = tuple(
        name.removesuffix(CONTRIBUTIONS)
        for name, topic in topics.items()
        if topic.type == CONTRIBUTIONS_TYPE
    )
    images = [
        name
        for name, topic in topics.items()
        if topic.type in IMAGE_TYPES
        and not name.endswith(_NO_CAMERA)
        and not name.startswith(explained)
    ]
    return [
        name
        for name in images
        if not name.endswith(COMPRESSED) or name.removesuffix(COMPRESSED) not in images
    ]


def _check(name: str, topics: Mapping[str, Topic]) -> None:
    if name not in topics:
        raise ConfigurationError(f"it has no topic '{name}'; {contents_of(topics)}")
    if topics[name].type not in IMAGE_TYPES:
        raise ConfigurationError(
            f"topic '{name}' is of type '{topics[name].type}', not images ({RAW_TYPE} or "
            f'{COMPRESSED_TYPE})'
        )


def _raw_name(topic: Topic) -> str:
    compressed = topic.type == COMPRESSED_TYPE
    return topic.name.removesuffix(COMPRESSED) if compressed else topic.name
