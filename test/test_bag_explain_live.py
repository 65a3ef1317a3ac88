# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What smoe_bag explains is what the node explains."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from bags_of_frames import messages_of, write_bag
from forked_nodes import forked_nodes
from rclpy.serialization import deserialize_message
from ros_peers import Camera, Listener, image_of, stamp_of, street
from ros_processes import wait_until
from sensor_msgs.msg import CompressedImage, Image

from smoe_msgs.msg import ScaleContributions
from smoe_ros.offline.smoe_bag import main

PICTURES = ('saliency', 'saliency_float', 'lovi', 'scales', 'overlay', 'overlay/compressed')
OUTPUTS = ('contributions', *PICTURES)


def fields_of(message):
    """Return everything that a message holds but its numbers, and its numbers."""
    texts, numbers = [], []
    for name in message.get_fields_and_field_types():
        value = getattr(message, name)
        if name == 'scales':
            for scale in value:
                more = fields_of(scale)
                texts += more[0]
                numbers += more[1]
        elif isinstance(value, float):
            numbers.append(value)
        else:
            texts.append(str(value))
    return texts, numbers


@pytest.mark.parametrize(('count', 'smoothing_time'), [(200, 0.0), (30, 0.2)])
def test_frames_are_explained_live_as_in_a_bag(
    ros_node, ros_domain, tmp_path, count, smoothing_time
):
    frames = street(count)
    bag = write_bag(tmp_path / 'in', count, pictures=lambda index: frames[index], talk=False)
    out = tmp_path / 'out'
    options = ['--short-side', '64', '--outputs', ','.join(OUTPUTS)]
    options += ['--smoothing-time', str(smoothing_time)]
    assert main(['explain', str(bag), str(out), *options]) == 0
    recorded = messages_of(bag)
    node, compared = ros_node('camera_and_listener'), 0
    with forked_nodes(tmp_path / 'nodes') as start:
        start(
            parameters={
                'short_side': 64,
                'engine': 'torch',
                'smoothing_time': smoothing_time,
            }
        )
        camera, listener = Camera(node), Listener(node, outputs=OUTPUTS)
        earlier = image_of(frames[0])
        earlier.header.stamp.sec = 1
        wait_until(lambda: camera.publisher.publish(earlier) or listener.complete(), 60, node=node)
        # One after the other, so that none is dropped.
        offline = iter(messages_of(out))
        for message in recorded:
            image = deserialize_message(message.data, Image)
            listener.forget()
            camera.publisher.publish(image)
            stamp = stamp_of(image)
            wait_until(lambda stamp=stamp: stamp in listener.complete(), node=node)
            for name in OUTPUTS:
                live = listener.came[name][-1]
                mine = next(offline)
                assert mine.topic == f'/smoe/{name}'
                if name == 'contributions':
                    theirs = deserialize_message(mine.data, ScaleContributions)
                    (texts, numbers), (others, values) = fields_of(live), fields_of(theirs)
                    assert texts == others
                    np.testing.assert_allclose(numbers, values, rtol=0, atol=1e-6)
                else:
                    kind = CompressedImage if name.endswith('/compressed') else Image
                    assert deserialize_message(mine.data, kind) == live
                compared += 1
    assert compared == count * len(OUTPUTS)
