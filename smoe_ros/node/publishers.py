# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The outputs beside one camera, each made only while somebody subscribes to it."""

from __future__ import annotations

import copy

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.lifecycle import LifecycleNode
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import Header

from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.images import Rgb
from smoe_ros.messages.encoding import Method
from smoe_ros.messages.outputs import OUTPUT_TYPES, ExplainedFrame, output_message
from smoe_ros.messages.stamp_order import nanoseconds
from smoe_ros.node.qos_matching import unserved_subscribers
from smoe_ros.options.parameters import DrawingOptions
from smoe_ros.rendering.overview import History

# RELIABLE matches every subscriber, RViz's default included; depth 1 keeps the newest only.
OUTPUT_QOS = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, depth=1)


class CameraOutputs:
    """Publishers of one camera's explanations."""

    def __init__(self, node: LifecycleNode, namespace: str) -> None:
        """Create the publishers below a namespace, for example ``/front/smoe``."""
        self._node = node
        self._history = History()
        self._publishers = {
            name: node.create_publisher(
                message_type,
                f'{namespace}/{name}',
                copy.copy(OUTPUT_QOS),  # overrides are written into it
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
                # Mismatches are looked up; every event would make the executor slower.
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
            )
            for name, message_type in OUTPUT_TYPES.items()
        }

    def watched(self) -> bool:
        """Whether anybody subscribes to any output."""
        return any(map(_watched, self._publishers.values()))

    def mismatches(self) -> list[str]:
        """Say which subscriptions cannot be served, and what would help."""
        sentences = (unserved_subscribers(self._node, one) for one in self._publishers.values())
        return list(filter(None, sentences))

    def publish(
        self,
        header: Header,
        rgb: Rgb,
        explanation: FrameExplanation,
        method: Method,
        drawing: DrawingOptions,
    ) -> None:
        """Make and publish every output that somebody subscribes to.

        All get the header of the camera's image; `rgb` is that image, shape (H, W, 3), uint8.
        """
        self._history.add(nanoseconds(header.stamp) * 1e-9, explanation.contributions.tolist())
        frame = ExplainedFrame(rgb, explanation, method, drawing, self._history)
        for name, publisher in self._publishers.items():
            if _watched(publisher):
                publisher.publish(output_message(name, frame, header))

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)


def _watched(publisher: Publisher) -> bool:
    return publisher.get_subscription_count() > 0
