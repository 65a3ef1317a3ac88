# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Start the node smoe: explains the images of one or more cameras."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

CONFIG = PathJoinSubstitution([FindPackageShare('smoe_ros'), 'config'])
PROFILE = 'FASTRTPS_DEFAULT_PROFILES_FILE'


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'params_file',
                default_value=PathJoinSubstitution([CONFIG, 'smoe.yaml']),
                description='Parameters of the node (YAML).',
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='Namespace of the node.'
            ),
            DeclareLaunchArgument(
                'image_topic',
                default_value='image_raw',
                description='What the topic image_raw is called on this robot; several cameras '
                'are named in image_topics of the params_file.',
            ),
            DeclareLaunchArgument(
                'log_level',
                default_value='info',
                choices=['debug', 'info', 'warn', 'error', 'fatal'],
                description='Log level of the node.',
            ),
            # Without it most large images are lost between processes; a profile of yours stays.
            SetEnvironmentVariable(
                PROFILE,
                EnvironmentVariable(
                    PROFILE, default_value=PathJoinSubstitution([CONFIG, 'fastdds.xml'])
                ),
            ),
            Node(
                package='smoe_ros',
                executable='smoe_node',
                name='smoe',
                namespace=LaunchConfiguration('namespace'),
                parameters=[LaunchConfiguration('params_file')],
                remappings=[('image_raw', LaunchConfiguration('image_topic'))],
                ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                output='screen',
            ),
        ]
    )
