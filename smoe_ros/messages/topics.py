# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where each camera's outputs lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rclpy.exceptions import NameValidationException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.validate_topic_name import validate_topic_name

from smoe_ros.errors import ConfigurationError


@dataclass(frozen=True)
class CameraTopics:
    """A camera's image topic and the namespace of its outputs, fully resolved."""

    image: str
    outputs: str


def resolve_topics(
    image_topics: Sequence[str],
    output_namespaces: Sequence[str],
    resolve: Callable[[str], str],
) -> list[CameraTopics]:
    """Resolve all cameras' names: outputs lie beside their camera unless namespaces are given.

    Args:
        image_topics: As the user gave them.
        output_namespaces: As the user gave them; empty puts the outputs beside the camera.
        resolve: Expands and remaps a name, as ``Node.resolve_topic_name`` does.

    Raises:
        ConfigurationError: If there is no camera, a name is not valid, a topic is given twice, or
            two cameras would publish under one namespace.
    """
    if not image_topics:
        raise ConfigurationError(
            'image_topics is empty; name at least one image topic, for example [image_raw]'
        )
    if output_namespaces and len(output_namespaces) != len(image_topics):
        raise ConfigurationError(
            f'output_namespaces has {len(output_namespaces)} entries for {len(image_topics)} '
            'image_topics; give one a topic, or none'
        )
    cameras: list[CameraTopics] = []
    for index, topic in enumerate(image_topics):
        image = _resolve('image_topics', topic, resolve)
        outputs = (
            _resolve('output_namespaces', output_namespaces[index], resolve)
            if output_namespaces
            else f'{image.rpartition("/")[0]}/smoe'
        )
        for other in cameras:
            if other.image == image:
                raise ConfigurationError(f"image_topics names '{image}' twice")
            if other.outputs == outputs:
                raise ConfigurationError(
                    f"'{other.image}' and '{image}' would both be explained under '{outputs}/'; "
                    'give each its own in output_namespaces'
                )
        cameras.append(CameraTopics(image, outputs))
    return cameras


def _resolve(parameter: str, name: str, resolve: Callable[[str], str]) -> str:
    try:
        validate_topic_name(name)
        return resolve(name)
    except (NameValidationException, rclpy_implementation.RCLError) as error:
        reason = without_places(error).splitlines()[0]  # below: a marker under the name
        raise ConfigurationError(f"{parameter} has '{name}': {reason}") from None


def without_places(error: Exception) -> str:
    """Return the text of an error of ROS without the places in its own source at the end."""
    return str(error).split(', at /')[0]
