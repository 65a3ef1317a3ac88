# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags (rosbag2) written and read without ROS; custom messages travel inside."""

from smoe_ros.bags.reader import Message, Recording, Topic
from smoe_ros.bags.writer import BagWriter, typestore

__all__ = ['BagWriter', 'Message', 'Recording', 'Topic', 'typestore']
