# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Start the node smoe: explains the images of one camera, or of those in the params_file."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from smoe_ros.node.launching import smoe_arguments, smoe_node, transport_profile


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'image_topic',
                default_value='image_raw',
                description='What the topic image_raw is called on this robot; for several '
                'cameras see multi_camera.launch.py.',
            ),
            *smoe_arguments(),
            transport_profile(),
            OpaqueFunction(function=node_of_one_camera),
        ]
    )


def node_of_one_camera(context: LaunchContext) -> list[Node]:
    return [smoe_node(context, remappings=[('image_raw', LaunchConfiguration('image_topic'))])]
