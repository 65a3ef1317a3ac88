# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The outputs beside one camera, each made only while somebody subscribes to it."""

from __future__ import annotations

import copy

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.lifecycle import LifecycleNode
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContributions
from smoe_ros.frame_explanation import FrameExplanation
from smoe_ros.node.compressed_images import to_compressed
from smoe_ros.node.messages import Method, to_contributions, to_image
from smoe_ros.node.outputs import IMAGE_OUTPUTS, Drawing, ExplainedFrame
from smoe_ros.node.qos_matching import unserved_subscribers
from smoe_ros.rendering import Rgb

# RELIABLE matches every subscriber, RViz's default included; depth 1 keeps the newest only.
OUTPUT_QOS = QoSProfile(
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
)


class CameraOutputs:
    """Publishers of one camera's explanations."""

    def __init__(self, node: LifecycleNode, namespace: str) -> None:
        """Create the publishers.

        Args:
            node: The node that publishes.
            namespace: Where the outputs lie, for example ``/front/smoe``.
        """
        self._node = node
        self._contributions = self._publisher(ScaleContributions, f'{namespace}/contributions')
        self._images = [
            (
                output,
                self._publisher(Image, f'{namespace}/{output.name}'),
                self._publisher(CompressedImage, f'{namespace}/{output.name}/compressed'),
            )
            for output in IMAGE_OUTPUTS
        ]

    def watched(self) -> bool:
        """Whether anybody subscribes to any output."""
        return any(_watched(publisher) for publisher in self._publishers())

    def mismatches(self) -> list[str]:
        """Say which subscriptions cannot be served, and what would help."""
        sentences = (unserved_subscribers(self._node, one) for one in self._publishers())
        return [sentence for sentence in sentences if sentence]

    def publish(
        self,
        header: Header,
        rgb: Rgb,
        explanation: FrameExplanation,
        method: Method,
        drawing: Drawing,
    ) -> None:
        """Make and publish every output that somebody subscribes to.

        Args:
            header: Header of the camera's image, given to every output.
            rgb: The camera's image, shape (H, W, 3), uint8.
            explanation: Its explanation.
            method: How it was explained.
            drawing: How it is drawn.
        """
        if _watched(self._contributions):
            self._contributions.publish(
                to_contributions(explanation, method, (rgb.shape[0], rgb.shape[1]), header)
            )
        frame = ExplainedFrame(rgb, explanation, method.weights, drawing)
        for output, raw, compressed in self._images:
            if _watched(raw):
                raw.publish(to_image(frame.pixels(output), output.encoding, header))
            if _watched(compressed):
                compressed.publish(
                    to_compressed(
                        frame.pixels(output), output.encoding, header, drawing.jpeg_quality
                    )
                )

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers():
            self._node.destroy_publisher(publisher)

    def _publishers(self) -> list[Publisher]:
        return [self._contributions, *(one for _, *pair in self._images for one in pair)]

    def _publisher(self, message_type: type, topic: str) -> Publisher:
        return self._node.create_publisher(
            message_type,
            topic,
            copy.copy(OUTPUT_QOS),  # overrides are written into it
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            # Mismatches are looked up; every event would make the executor slower.
            event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
        )


def _watched(publisher: Publisher) -> bool:
    return publisher.get_subscription_count() > 0
