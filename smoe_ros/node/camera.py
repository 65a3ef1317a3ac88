# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One camera: the subscription to its images, its outputs, and what became of its frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from smoe_ros.messages.stamp_order import StampOrder
from smoe_ros.messages.topics import CameraTopics
from smoe_ros.node.frame_counts import FrameCounts
from smoe_ros.node.publishers import CameraOutputs
from smoe_ros.node.qos_matching import unheard_publishers

AnyImage: TypeAlias = Image | CompressedImage

# The callback only stores the newest image, so nothing grows old here; with a depth of 1 the
# middleware would drop images that no figure of ours shows whenever the executor is late.
_QUEUE_DEPTH = 5


class Camera:
    """What belongs to one camera.

    BEST_EFFORT matches every publisher, but loses most large images on an untuned machine;
    RELIABLE loses none, but does not match a BEST_EFFORT publisher. So the reliability ``auto`` is
    RELIABLE as long as every publisher of the topic offers it, and decided again when they change.

    Attributes:
        topic: Its image topic, for messages to people.
        outputs: Where its explanations go.
        counts: What became of its frames.
        order: Of its stamps.
    """

    def __init__(
        self,
        node: LifecycleNode,
        name: str,
        topics: CameraTopics,
        receive: Callable[[AnyImage], None],
    ) -> None:
        """Create the outputs; `follow` subscribes.

        `name` is its image topic as the user gave it; `receive` gets every image, in the
        executor's thread.
        """
        self.topic = topics.image
        self.counts = FrameCounts()
        self.order = StampOrder()
        self.outputs = CameraOutputs(node, topics.outputs)
        self._node, self._name, self._receive = node, name, receive
        self._subscription: Subscription | None = None
        self.configure('raw', 'auto')

    def configure(self, transport: str, reliability: str) -> None:
        """Say how to subscribe; ends the subscription until `follow` is called.

        Args:
            transport: One of `TRANSPORTS`; compressed images come on ``<topic>/compressed``.
            reliability: One of `RELIABILITIES`.
        """
        self.unsubscribe()
        self._compressed = transport == 'compressed'
        # Compressed: as image_transport does, from the resolved name. Raw: by the name given,
        # for subscribing remaps it, and remapping twice undoes a swap.
        self._input = f'{self.topic}/compressed' if self._compressed else self._name
        self._forced = None if reliability == 'auto' else ReliabilityPolicy[reliability.upper()]
        self._policy = self._forced or ReliabilityPolicy.RELIABLE

    def follow(self, *, enabled: bool) -> None:
        """Be subscribed, with what the publishers offer, while somebody subscribes to an output.

        To be called again and again, with whether frames are explained at all.
        """
        if not (enabled and self.outputs.watched()):
            self.unsubscribe()
            return
        policy = self._matching_policy()
        if self._subscription is not None:
            if policy == self._policy:
                return
            self._node.get_logger().info(f'{self._input}: now subscribed {policy.name}')
        self._policy = policy
        self.unsubscribe()  # first the old one: no frame may come in by two ways
        self._subscribe()

    def unsubscribe(self) -> None:
        """End the subscription, if there is one."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
            self.counts.stop_listening()

    def input_facts(self) -> dict[str, str]:
        """Return the input's part of a diagnostic status: topic, reliability, publishers."""
        topic = self._node.resolve_topic_name(self._input)
        return {
            'input topic': topic,
            'input reliability': self._policy.name.lower(),
            'publishers': str(self._node.count_publishers(topic)),
        }

    def input_problem(self) -> str:
        """Say why images cannot come, and what would help; empty if they can.

        Also while nobody wants them: it is better known before.
        """
        topic = self._node.resolve_topic_name(self._input)
        if not self._node.count_publishers(topic):
            return f'nobody publishes {topic}'
        return unheard_publishers(self._node, _qos(self._matching_policy()), self._input)

    def restart_time(self) -> None:
        """Expect stamps and ages of a clock that has jumped."""
        self.order.restart()
        self.counts.forget_ages()

    def close(self) -> None:
        """Unsubscribe, and remove the outputs."""
        self.unsubscribe()
        self.outputs.close()

    def _subscribe(self) -> None:
        self.counts.listen()
        self._subscription = self._node.create_subscription(
            CompressedImage if self._compressed else Image,
            self._input,
            self._receive,
            _qos(self._policy),
            event_callbacks=SubscriptionEventCallbacks(
                message_lost=lambda info: self.counts.lose(info.total_count_change),
                incompatible_qos=lambda _event: None,  # diagnostics name it while it lasts
            ),
            # The reliability is the parameter input_reliability's.
            qos_overriding_options=QoSOverridingOptions(
                (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH)
            ),
        )

    def _matching_policy(self) -> ReliabilityPolicy:
        """Return what was asked for, or RELIABLE if every publisher offers it."""
        if self._forced is not None:
            return self._forced
        offered = {
            info.qos_profile.reliability
            for info in self._node.get_publishers_info_by_topic(self._input)
        }
        if not offered:
            return self._policy
        reliable = offered == {ReliabilityPolicy.RELIABLE}
        return ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT


def _qos(reliability: ReliabilityPolicy) -> QoSProfile:
    return QoSProfile(reliability=reliability, depth=_QUEUE_DEPTH)
