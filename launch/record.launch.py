# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Record one camera and its explanations into a bag (MCAP)."""

from pathlib import Path

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution

from smoe_ros.errors import ConfigurationError
from smoe_ros.messages.topics import CameraTopics, resolve_topics
from smoe_ros.node.launching import CONFIG, transport_profile

PICTURES = ('overlay', 'lovi', 'saliency')
# Of the camera's images, what follows its topic; none is recorded of `none`.
CAMERA = {'compressed': ['/compressed'], 'raw': [''], 'none': []}
# Seconds. What the recorder holds when it is interrupted, up to 200 MB, must reach the disk before
# launch goes on to SIGTERM and SIGKILL, or the bag is cut off.
TIME_TO_FINISH = '60'


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'bag',
                default_value='',
                description='Folder of the bag to write; must not exist. Empty: a new one here, '
                'named after the time.',
            ),
            DeclareLaunchArgument(
                'image_topic', default_value='/image_raw', description="The camera's image topic."
            ),
            DeclareLaunchArgument(
                'outputs',
                default_value='',
                description="Namespace of the camera's explanations; empty is where the node "
                'puts them: beside the camera, /smoe for /image_raw.',
            ),
            DeclareLaunchArgument(
                'camera',
                default_value='compressed',
                choices=list(CAMERA),
                description="Which form of the camera's images is recorded; compressed is what "
                'its driver publishes as <image_topic>/compressed.',
            ),
            DeclareLaunchArgument(
                'pictures',
                default_value='true',
                choices=['true', 'false'],
                description='Whether overlay, LOVI and saliency are recorded, compressed, beside '
                'contributions and diagnostics. The node makes what is recorded.',
            ),
            DeclareLaunchArgument(
                'qos_file',
                default_value=PathJoinSubstitution([CONFIG, 'record_qos.yaml']),
                description='How the recorder subscribes to each topic (YAML).',
            ),
            DeclareLaunchArgument(
                'use_sim_time',
                default_value='false',
                # Other packages' launch files hand on Python's spelling.
                choices=['true', 'false', 'True', 'False'],
                description='Whether messages are stamped by /clock; without it, none is written.',
            ),
            transport_profile(),
            OpaqueFunction(function=recorder_of_one_camera),
        ]
    )


def recorder_of_one_camera(context: LaunchContext) -> list[Action]:
    bag = LaunchConfiguration('bag').perform(context)
    qos_file = LaunchConfiguration('qos_file').perform(context)
    use_sim_time = LaunchConfiguration('use_sim_time').perform(context).lower() == 'true'
    pictures = LaunchConfiguration('pictures').perform(context) == 'true'
    topics = camera_topics(
        LaunchConfiguration('image_topic').perform(context),
        LaunchConfiguration('outputs').perform(context),
    )
    if not Path(qos_file).is_file():
        raise ConfigurationError(f"qos_file is '{qos_file}', which is not a file")
    contributions = f'{topics.outputs}/contributions'
    recorder = ExecuteProcess(
        cmd=[
            *('ros2', 'bag', 'record', '-s', 'mcap'),
            *(['-o', bag] if bag else []),
            *('--qos-profile-overrides-path', qos_file),
            *(['--use-sim-time'] if use_sim_time else []),
            '--disable-keyboard-controls',  # the keyboard is launch's
            '--topics',  # takes all words that follow, so it is the last
            *(
                topics.image + form
                for form in CAMERA[LaunchConfiguration('camera').perform(context)]
            ),
            *(f'{topics.outputs}/{picture}/compressed' for picture in PICTURES if pictures),
            contributions,
            '/diagnostics',
        ],
        sigterm_timeout=TIME_TO_FINISH,
        output='screen',
    )
    if f'{contributions}:' in Path(qos_file).read_text():
        return [recorder]
    hint = f'qos_file does not name {contributions}: rosbag2 queues 10 messages of each topic'
    return [LogInfo(msg=hint), recorder]


def camera_topics(image_topic: str, outputs: str) -> CameraTopics:
    """Return the absolute names of a camera's topics, by which qos_file names them, too.

    Raises:
        ConfigurationError: If a name is not as topics are named.
    """
    (topics,) = resolve_topics(
        [image_topic], [outputs] if outputs else [], resolve=lambda name: f'/{name.lstrip("/")}'
    )
    return topics
