# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags that open anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

pytest.importorskip('rclpy')

from ament_index_python.packages import get_package_share_directory
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Reader

from smoe_msgs.msg import ScaleContribution, ScaleContributions
from smoe_ros.bags import BagWriter, typestore

DEFINITIONS = sorted((Path(__file__).parents[1] / 'smoe_msgs' / 'msg').glob('*.msg'))
TYPE = 'smoe_msgs/msg/ScaleContributions'


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    path = tmp_path / 'bag'
    with BagWriter(path, typestore(DEFINITIONS)) as writer:
        writer.add_topic('/smoe/contributions', TYPE)
        writer.add_topic('/silent', TYPE)
        for index in range(3):
            message = ScaleContributions(backbone=f'network {index}', class_id=index)
            message.scales = [ScaleContribution(layer='relu', contribution=0.25, width=7)]
            writer.write('/smoe/contributions', 10**18 + index, serialize_message(message))
    return path


def test_what_was_written_is_read_by_the_definitions_inside_it(bag: Path) -> None:
    with AnyReader([bag]) as reader:
        read = [(c.topic, time, reader.deserialize(d, TYPE)) for c, time, d in reader.messages()]
    assert [(topic, time) for topic, time, _ in read] == [
        ('/smoe/contributions', 10**18 + index) for index in range(3)
    ]
    assert [message.backbone for *_, message in read] == ['network 0', 'network 1', 'network 2']
    (scale,) = read[0][2].scales
    assert (scale.layer, scale.contribution, scale.width) == ('relu', 0.25, 7)


def test_bag_is_mcap_in_the_format_of_jazzy(bag: Path) -> None:
    content = yaml.safe_load((bag / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert content['version'] == 9
    assert content['storage_identifier'] == 'mcap'
    assert content['message_count'] == 3


def test_type_hash_is_the_one_that_ros_generated(bag: Path) -> None:
    generated = Path(get_package_share_directory('smoe_msgs'), 'msg', 'ScaleContributions.json')
    hashes = {entry['type_name']: entry['hash_string'] for entry in _hashes(generated)}
    with Reader(bag) as reader:
        assert reader.connections[0].digest == hashes[TYPE]


def _hashes(path: Path) -> list[dict[str, str]]:
    return json.loads(path.read_text())['type_hashes']
