# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Records one camera and its explanations into a bag, and says on standard output how it goes.

Twice a second it prints a line of JSON: frames of the camera and explanations so far, the age of
the latest explanation in milliseconds, how often the node gave its diagnostics, and how many
frames waited in it at the last of them. SIGINT completes the bag.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.time import Time
from sensor_msgs.msg import Image

from smoe_msgs.msg import ScaleContributions
from smoe_ros.bags import BagWriter
from smoe_ros.errors import ConfigurationError
from smoe_ros.node.declaring import declare
from smoe_ros.node.running import run_node
from smoe_ros.offline.serializing import message_types, type_name
from smoe_ros.options.option import option

# Deep enough for a disk that stalls for some seconds.
_QOS = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, depth=100)
_REPORT_SECONDS = 0.5


@dataclass(frozen=True)
class RecorderOptions:
    """The parameters of the node `smoe_recorder`."""

    bag: str = option('bag', 'Folder of the bag to write; must not exist.')
    image_topic: str = option('image_raw', "The camera's image topic.")
    outputs: str = option('smoe', "Namespace of the camera's explanations.")


class Recorder(Node):
    """Writes serialised messages as they come; only the small ones are looked into."""

    def __init__(self) -> None:
        """Subscribe and create the bag; raises ConfigurationError if that cannot be."""
        super().__init__('recorder')
        options = declare(self, RecorderOptions)
        outputs = options.outputs
        self._camera_topic = self.resolve_topic_name(options.image_topic)
        topics: dict[str, type] = {
            options.image_topic: Image,
            f'{outputs}/saliency': Image,
            f'{outputs}/lovi': Image,
            f'{outputs}/overlay': Image,
            f'{outputs}/contributions': ScaleContributions,
            '/diagnostics': DiagnosticArray,
        }
        try:
            self._bag = BagWriter(Path(options.bag), message_types())
        except Exception as error:  # rosbags' errors, and the disk's
            raise ConfigurationError(f"bag '{options.bag}' cannot be written: {error}") from None
        self._said = {'camera': 0, 'explained': 0, 'age_ms': 0.0, 'diagnostics': 0, 'waiting': 0}
        for topic, message_type in topics.items():
            name = self.resolve_topic_name(topic)
            self._bag.add_topic(name, type_name(message_type))
            callback = functools.partial(self._record, name, message_type)
            self.create_subscription(message_type, topic, callback, _QOS, raw=True)
        self.create_timer(_REPORT_SECONDS, self._report)

    def close(self) -> None:
        """Complete the bag."""
        self._report()
        self._bag.close()

    def _record(self, topic: str, message_type: type, serialized: bytes) -> None:
        now = self.get_clock().now()
        self._bag.write(topic, now.nanoseconds, serialized)
        if topic == self._camera_topic:
            self._said['camera'] += 1
        elif message_type is ScaleContributions:
            stamp = Time.from_msg(deserialize_message(serialized, message_type).header.stamp)
            self._said['explained'] += 1
            self._said['age_ms'] = round((now.nanoseconds - stamp.nanoseconds) * 1e-6, 1)
        elif message_type is DiagnosticArray:
            for status in deserialize_message(serialized, message_type).status:
                values = {value.key: value.value for value in status.values}
                if status.hardware_id == self._camera_topic and 'frames waiting' in values:
                    self._said['diagnostics'] += 1
                    self._said['waiting'] = int(values['frames waiting'])

    def _report(self) -> None:
        print(json.dumps(self._said), flush=True)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node; see `run_node` for the exit codes."""
    return run_node(Recorder, args)
