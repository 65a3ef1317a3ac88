# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: the arguments and the action that start the node `smoe`.

Imported by launch files only: `launch` comes with a ROS installation, not with the node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from smoe_ros.errors import ConfigurationError
from smoe_ros.options.choices import TRANSPORTS

CONFIG = PathJoinSubstitution([FindPackageShare('smoe_ros'), 'config'])
PROFILE = 'FASTRTPS_DEFAULT_PROFILES_FILE'


def params_file_argument() -> DeclareLaunchArgument:
    """Declare `params_file`, which is config/smoe.yaml unless the user names another."""
    return DeclareLaunchArgument(
        'params_file',
        default_value=PathJoinSubstitution([CONFIG, 'smoe.yaml']),
        description='Parameters of the node smoe (YAML).',
    )


def smoe_arguments() -> list[DeclareLaunchArgument]:
    """Declare the arguments that `smoe_node` reads."""
    return [
        params_file_argument(),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of the node.'),
        DeclareLaunchArgument(
            'image_transport',
            default_value='',
            choices=['', *TRANSPORTS],
            description='How the images come; empty is as in the params_file.',
        ),
        DeclareLaunchArgument(
            'use_sim_time',
            default_value='',
            # Other packages' launch files hand on Python's spelling.
            choices=['', 'true', 'false', 'True', 'False'],
            description='Whether time comes from /clock; empty is as in the params_file.',
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='Log level of the node.',
        ),
    ]


def transport_profile() -> SetEnvironmentVariable:
    """Set the Fast DDS profile for what is started afterwards; a profile of the user's stays.

    Without it most large images are lost between processes.
    """
    return SetEnvironmentVariable(
        PROFILE,
        EnvironmentVariable(PROFILE, default_value=PathJoinSubstitution([CONFIG, 'fastdds.xml'])),
    )


def smoe_node(
    context: LaunchContext,
    parameters: Mapping[str, Any] | None = None,
    remappings: Iterable[tuple[str, LaunchConfiguration]] = (),
) -> Node:
    """Return the action that starts the node, as the arguments of `smoe_arguments` want it.

    Args:
        context: Where the arguments' values are found.
        parameters: Go before those of the params_file.
        remappings: Of topics: the node's own name for it, and the robot's.

    Raises:
        ConfigurationError: If there is no such params_file.
    """
    params_file = LaunchConfiguration('params_file').perform(context)
    if not Path(params_file).is_file():  # launch_ros would warn, and start with the defaults
        raise ConfigurationError(f"params_file is '{params_file}', which is not a file")
    given = dict(parameters or {})
    if image_transport := LaunchConfiguration('image_transport').perform(context):
        given['image_transport'] = image_transport
    if use_sim_time := LaunchConfiguration('use_sim_time').perform(context):
        given['use_sim_time'] = use_sim_time.lower() == 'true'
    return Node(
        package='smoe_ros',
        executable='smoe_node',
        name='smoe',
        namespace=LaunchConfiguration('namespace'),
        parameters=[params_file, given] if given else [params_file],
        remappings=list(remappings),
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        output='screen',
    )
