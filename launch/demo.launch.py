# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Start a camera without hardware, the node smoe and RViz."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare('smoe_ros')


def generate_launch_description() -> LaunchDescription:
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution([SHARE, 'launch', 'smoe.launch.py'])),
        launch_arguments={'params_file': LaunchConfiguration('params_file')}.items(),
    )
    camera = Node(
        package='smoe_ros',
        executable='camera_publisher',
        name='camera',
        parameters=[
            {
                'source': ParameterValue(LaunchConfiguration('source'), value_type=str),
                'rate': ParameterValue(LaunchConfiguration('rate'), value_type=float),
            }
        ],
        output='screen',
    )
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        name='rviz2',
        arguments=['-d', PathJoinSubstitution([SHARE, 'config', 'smoe.rviz'])],
        condition=IfCondition(LaunchConfiguration('rviz')),
        output='screen',
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'source',
                default_value='bikes',
                description='Video file, folder of images, webcam number, synthetic, or bikes.',
            ),
            DeclareLaunchArgument(
                'rate', default_value='0.0', description="Images a second; 0 is the source's own."
            ),
            DeclareLaunchArgument(
                'params_file',
                default_value=PathJoinSubstitution([SHARE, 'config', 'smoe.yaml']),
                description='Parameters of the node smoe (YAML).',
            ),
            DeclareLaunchArgument(
                'rviz',
                default_value='true',
                choices=['true', 'false'],
                description='Whether to open RViz.',
            ),
            # First the node: it sets the transport profile for all that follow.
            node,
            camera,
            rviz,
        ]
    )
