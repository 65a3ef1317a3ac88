# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a camera's outputs lie, with the names and remappings of a real node."""

import pytest

pytest.importorskip('rclpy')

from smoe_ros.errors import ConfigurationError
from smoe_ros.messages.topics import CameraTopics, resolve_topics


@pytest.fixture
def resolver(ros_node):
    """Return what resolves names in a node that was started in a namespace with remappings."""

    def make(*arguments, namespace=''):
        cli_args = ['--ros-args', *arguments] if arguments else None
        return ros_node('smoe', namespace=namespace, cli_args=cli_args).resolve_topic_name

    return make


@pytest.mark.parametrize(
    ('namespace', 'topic', 'image', 'outputs'),
    [
        ('', 'image_raw', '/image_raw', '/smoe'),
        ('/robot', 'image_raw', '/robot/image_raw', '/robot/smoe'),
        ('/robot', '/image_raw', '/image_raw', '/smoe'),
        ('/robot', '~/image_raw', '/robot/smoe/image_raw', '/robot/smoe/smoe'),
    ],
)
def test_outputs_lie_beside_their_camera(resolver, namespace, topic, image, outputs):
    cameras = resolve_topics([topic], [], resolver(namespace=namespace))
    assert cameras == [CameraTopics(image, outputs)]


def test_outputs_lie_beside_the_topic_to_which_the_camera_is_remapped(resolver):
    resolve = resolver('-r', 'image_raw:=/front/camera/image_color')
    assert resolve_topics(['image_raw'], [], resolve) == [
        CameraTopics('/front/camera/image_color', '/front/camera/smoe')
    ]


def test_cameras_keep_their_order_and_their_namespaces(resolver):
    resolve = resolver('-r', 'seen:=/views/left', namespace='/robot')
    cameras = resolve_topics(['/b/image_raw', '/a/image_raw'], ['seen', 'right'], resolve)
    assert cameras == [
        CameraTopics('/b/image_raw', '/views/left'),
        CameraTopics('/a/image_raw', '/robot/right'),
    ]


@pytest.mark.parametrize(
    ('topics', 'namespaces', 'text'),
    [
        ([], [], 'image_topics is empty; name at least one image topic'),
        (['/image', 'image'], ['x', 'y'], "image_topics names '/image' twice"),
        (['/a/i', '/b/i'], ['x', 'x'], "'/a/i' and '/b/i' would both be explained under '/x/'"),
        (
            ['/front/left', '/front/right'],
            [],
            "'/front/left' and '/front/right' would both be explained under '/front/smoe/'; give "
            'each its own in output_namespaces',
        ),
        (['/a/i', '/b/i'], ['x'], 'output_namespaces has 1 entries for 2 image_topics'),
        (['/a/i'], ['x', 'y'], 'output_namespaces has 2 entries for 1 image_topics'),
        (['1st'], [], "image_topics has '1st': "),
        (['{camera}/image'], [], "image_topics has '{camera}/image': "),
        (['x' * 300], [], f"image_topics has '{'x' * 300}': "),
        (['/a/i'], [''], "output_namespaces has '': "),
    ],
    ids=lambda value: '+'.join(value)[:20] if isinstance(value, list) else '',
)
def test_names_that_cannot_work_are_refused_with_parameter_and_value(
    resolver, topics, namespaces, text
):
    with pytest.raises(ConfigurationError) as refused:
        resolve_topics(topics, namespaces, resolver())
    assert text in str(refused.value)
    assert '\n' not in str(refused.value)
    assert '.c:' not in str(refused.value)
