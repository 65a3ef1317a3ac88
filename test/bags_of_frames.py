# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags for tests: cameras, recorded raw or compressed, into both storages."""

from array import array
from pathlib import Path

import cv2
from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from ros_peers import image_of, small
from rosbags.rosbag2 import StoragePlugin, Writer
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String

from smoe_ros.bags import BagWriter, Recording, typestore
from smoe_ros.offline.serializing import message_types

RAW, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
BEGIN = 1_700_000_000 * 10**9
PERIOD = 50_000_000
# From stamp to recorder.
DELAY = 3_000_000


def stamp_at(index):
    """Return the stamp of a camera's image in nanoseconds."""
    return BEGIN + index * PERIOD


def message_at(index, rgb, *, compressed=False, frame_id='front'):
    """Return a camera's image as bytes."""
    image = image_of(rgb, frame_id)
    image.header.stamp = Time(sec=stamp_at(index) // 10**9, nanosec=stamp_at(index) % 10**9)
    if compressed:
        _, data = cv2.imencode('.jpg', rgb[..., ::-1])
        data = array('B', data.tobytes())
        image = CompressedImage(
            header=image.header, format='rgb8; jpeg compressed bgr8', data=data
        )
    return serialize_message(image)


def write_bag(
    path, count=8, cameras=None, *, storage='mcap', size=(48, 64), talk=True, pictures=None
):
    """Write a bag of cameras, and of a topic of text between their frames.

    Args:
        path: Its folder.
        count: Number of frames of each camera.
        cameras: Topics, and whether each is compressed.
        storage: ``'mcap'`` or ``'sqlite3'``.
        size: Height and width of the frames.
        talk: Whether there is text.
        pictures: Called with an index, returns its RGB picture.
    """
    cameras = {'/image_raw': False} if cameras is None else cameras
    pictures = pictures or (lambda index: small(index, *size))
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        types = typestore()
        topics = {
            name: writer.add_connection(name, COMPRESSED if packed else RAW, typestore=types)
            for name, packed in cameras.items()
        }
        if talk:
            text = writer.add_connection('/talk', 'std_msgs/msg/String', typestore=types)
        for index in range(count):
            rgb = pictures(index)
            for name, packed in cameras.items():
                data = message_at(index, rgb, compressed=packed)
                writer.write(topics[name], stamp_at(index) + DELAY, data)
            if talk:
                said = serialize_message(String(data=f'said {index}'))
                writer.write(text, stamp_at(index) + DELAY + 1, said)
    return path


def record(path, messages):
    """Write messages, each a topic, its type, a time and bytes, as a bag of ours."""
    with BagWriter(path, message_types()) as writer:
        for topic, kind in dict.fromkeys((topic, kind) for topic, kind, *_ in messages):
            writer.add_topic(topic, kind)
        for topic, _, time, data in messages:
            writer.write(topic, time, data)
    return path


def storage_of(bag):
    """Return the one file of a bag that holds its messages."""
    (file,) = [file for file in Path(bag).iterdir() if file.suffix in ('.mcap', '.db3')]
    return file


def messages_of(bag, *topics):
    """Return a bag's messages, of some topics or of all."""
    with Recording(bag) as recording:
        return list(recording.messages(topics or None))
