# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Start one node smoe for several cameras: the network is loaded once."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from smoe_ros.errors import ConfigurationError
from smoe_ros.messages.topics import resolve_topics
from smoe_ros.node.launching import smoe_arguments, smoe_node, transport_profile


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'cameras',
                default_value='front,rear',
                description='Names of the cameras, with commas between; the images of front are '
                'explained under front/smoe/.',
            ),
            DeclareLaunchArgument(
                'image_name',
                default_value='image_raw',
                description="Each camera's image topic is <camera>/<image_name>.",
            ),
            *smoe_arguments(),
            transport_profile(),
            OpaqueFunction(function=node_of_all_cameras),
        ]
    )


def node_of_all_cameras(context: LaunchContext) -> list[Node]:
    cameras = LaunchConfiguration('cameras').perform(context)
    image_name = LaunchConfiguration('image_name').perform(context)
    return [smoe_node(context, {'image_topics': image_topics(cameras, image_name)})]


def image_topics(cameras: str, image_name: str) -> list[str]:
    """Return the image topic of each camera in a list with commas.

    Raises:
        ConfigurationError: If no camera is named, or one twice, or not as topics are named.
    """
    names = [name.strip() for name in cameras.strip().removesuffix(',').split(',')]
    if '' in names:
        raise ConfigurationError(
            f"cameras is '{cameras}'; name each camera, with commas between: front,rear"
        )
    topics = [f'{name}/{image_name}' for name in names]
    try:
        resolve_topics(topics, [], resolve=str)
    except ConfigurationError as error:
        raise ConfigurationError(f"cameras is '{cameras}': {error}") from None
    return topics
