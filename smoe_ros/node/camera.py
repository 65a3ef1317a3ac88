# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One camera: its images, its explanations, and what became of its frames."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.lifecycle import LifecycleNode

from smoe_ros.messages.stamp_order import StampOrder
from smoe_ros.messages.topics import CameraTopics
from smoe_ros.node.frame_counts import FrameCounts
from smoe_ros.node.publishers import CameraOutputs
from smoe_ros.node.subscription import AnyImage, CameraInput


class Camera:
    """What belongs to one camera.

    Attributes:
        topic: Its image topic, for messages to people.
        outputs: Where its explanations go.
        counts: What became of its frames.
        order: Of its stamps.
        input: Where its images come from.
    """

    def __init__(
        self,
        node: LifecycleNode,
        name: str,
        topics: CameraTopics,
        receive: Callable[[AnyImage], None],
    ) -> None:
        """Create the outputs; `follow` subscribes.

        Args:
            node: The node that publishes and subscribes.
            name: The image topic as the user gave it.
            topics: The camera's resolved names.
            receive: Called with every image, in the executor's thread.
        """
        self.topic = topics.image
        self.counts = FrameCounts()
        self.order = StampOrder()
        self.outputs = CameraOutputs(node, topics.outputs)
        self.input = CameraInput(node, name, receive, self.counts)

    def follow(self, *, enabled: bool) -> None:
        """Be subscribed to the images as long as somebody subscribes to an output."""
        self.input.follow(wanted=enabled and self.outputs.watched())

    def restart_time(self) -> None:
        """Expect stamps and ages of a clock that has jumped."""
        self.order.restart()
        self.counts.forget_ages()

    def close(self) -> None:
        """Unsubscribe, and remove the outputs."""
        self.input.close()
        self.outputs.close()
