# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera: while it is wanted, with what its publishers offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rclpy.event_handler import QoSMessageLostInfo, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from smoe_ros.node.frame_counts import FrameCounts
from smoe_ros.node.qos_matching import unheard_publishers

AnyImage: TypeAlias = Image | CompressedImage

# The callback only stores the newest image, so nothing grows old here; with a depth of 1 the
# middleware would drop images that no figure of ours shows whenever the executor is late.
_QUEUE_DEPTH = 5


class CameraInput:
    """Subscribes to a camera and hands over its images.

    BEST_EFFORT matches every publisher, but loses most large images on an untuned machine;
    RELIABLE loses none, but does not match a BEST_EFFORT publisher. So ``auto`` is RELIABLE as
    long as every publisher of the topic offers it, and is decided again when they change.
    """

    def __init__(
        self,
        node: LifecycleNode,
        topic: str,
        receive: Callable[[AnyImage], None],
        counts: FrameCounts,
    ) -> None:
        """Stay unsubscribed until `follow` is called.

        Args:
            node: The node that subscribes.
            topic: The camera's image topic, of raw images, as the user gave it.
            receive: Called with every image, in the executor's thread.
            counts: Told about losses, and when images are to be expected.
        """
        self._node, self._given_topic = node, topic
        self._receive, self._counts = receive, counts
        self._subscription: Subscription | None = None
        self.configure('raw', 'auto')

    def configure(self, transport: str, reliability: str) -> None:
        """Say how to subscribe; ends the subscription until `follow` is called.

        Args:
            transport: ``'raw'``, or ``'compressed'``: images come on ``<topic>/compressed``.
            reliability: ``'auto'``, ``'reliable'`` or ``'best_effort'``.
        """
        self.close()
        # Compressed: as image_transport does, from the resolved name. Raw: by the name given,
        # for subscribing remaps it, and remapping twice undoes a swap.
        self._compressed = transport == 'compressed'
        self._topic = self._given_topic
        if self._compressed:
            self._topic = f'{self._node.resolve_topic_name(self._given_topic)}/compressed'
        self._forced = None if reliability == 'auto' else ReliabilityPolicy[reliability.upper()]
        self._policy = self._forced or ReliabilityPolicy.RELIABLE

    @property
    def reliability(self) -> str:
        """The reliability in force: ``'reliable'`` or ``'best_effort'``."""
        return self._policy.name.lower()

    @property
    def topic(self) -> str:
        """The topic that the images come on, resolved."""
        return self._node.resolve_topic_name(self._topic)

    def publisher_count(self) -> int:
        """Return how many publishers the camera's topic has."""
        return self._node.count_publishers(self.topic)  # which does not remap

    def mismatch(self) -> str:
        """Say which publishers cannot be heard, and what would help; empty if all can.

        Also while nobody wants the images: it is better known before.
        """
        policy = self._forced or self._offered() or self._policy
        return unheard_publishers(self._node, self._qos(policy), self._topic)

    def follow(self, *, wanted: bool) -> None:
        """Subscribe or unsubscribe, and follow the reliability that the publishers offer.

        To be called again and again.

        Args:
            wanted: Whether anybody wants the images.
        """
        if not wanted:
            self.close()
            return
        policy = self._forced or self._offered() or self._policy
        if self._subscription is not None and policy == self._policy:
            return
        if self._subscription is not None:
            self._node.get_logger().info(f'{self._topic}: now subscribed {policy.name}')
        self._policy = policy
        self.close()  # first the old one: no frame may come in by two ways
        self._subscribe()

    def close(self) -> None:
        """End the subscription, if there is one."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
            self._counts.stop_listening()

    def _subscribe(self) -> None:
        self._counts.listen()
        self._subscription = self._node.create_subscription(
            CompressedImage if self._compressed else Image,
            self._topic,
            self._receive,
            self._qos(self._policy),
            event_callbacks=SubscriptionEventCallbacks(
                message_lost=self._lose,
                incompatible_qos=_ignore,  # diagnostics name it for as long as it lasts
            ),
            # The reliability is the parameter input_reliability's.
            qos_overriding_options=QoSOverridingOptions(
                (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH)
            ),
        )

    @staticmethod
    def _qos(reliability: ReliabilityPolicy) -> QoSProfile:
        return QoSProfile(
            reliability=reliability,
            durability=DurabilityPolicy.VOLATILE,
            history=HistoryPolicy.KEEP_LAST,
            depth=_QUEUE_DEPTH,
        )

    def _lose(self, info: QoSMessageLostInfo) -> None:
        self._counts.lose(info.total_count_change)

    def _offered(self) -> ReliabilityPolicy | None:
        """Return RELIABLE if every publisher offers it, None if there is no publisher."""
        publishers = self._node.get_publishers_info_by_topic(self._topic)
        if not publishers:
            return None
        offered = {info.qos_profile.reliability for info in publishers}
        if offered == {ReliabilityPolicy.RELIABLE}:
            return ReliabilityPolicy.RELIABLE
        return ReliabilityPolicy.BEST_EFFORT


def _ignore(_event: object) -> None:
    """Take no notice of an event."""
