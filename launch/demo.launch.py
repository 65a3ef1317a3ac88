# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Start a camera without hardware, the node smoe and RViz."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from smoe_ros.node.launching import CONFIG, params_file_argument, transport_profile


def generate_launch_description() -> LaunchDescription:
    # Not smoe.launch.py: its other arguments would part the node from the camera and RViz.
    node = Node(
        package='smoe_ros',
        executable='smoe_node',
        name='smoe',
        parameters=[LaunchConfiguration('params_file')],
        output='screen',
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
        arguments=['-d', PathJoinSubstitution([CONFIG, 'smoe.rviz'])],
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
            params_file_argument(),
            DeclareLaunchArgument(
                'rviz',
                default_value='true',
                choices=['true', 'false'],
                description='Whether to open RViz.',
            ),
            transport_profile(),
            node,
            camera,
            rviz,
        ]
    )
