# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera, with the reliability that its publishers offer."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

RELIABILITIES = ('auto', 'reliable', 'best_effort')
# How often the publishers are looked at again; discovery itself takes about as long.
_RECHECK_SECONDS = 0.5
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
        reliability: str,
        callback: Callable[[Image], None],
    ) -> None:
        """Subscribe.

        Args:
            node: The node that subscribes.
            topic: The camera's image topic.
            reliability: ``'auto'``, ``'reliable'`` or ``'best_effort'``.
            callback: Called with every image, in the executor's thread.
        """
        self.topic = topic
        self._node = node
        self._callback = callback
        self._subscription: Subscription | None = None
        self._automatic = reliability == 'auto'
        self._policy = (
            self._offered() or ReliabilityPolicy.RELIABLE
            if self._automatic
            else ReliabilityPolicy[reliability.upper()]
        )
        self._subscribe()
        self._timer = (
            node.create_timer(_RECHECK_SECONDS, self._follow_publishers)
            if self._automatic
            else None
        )

    @property
    def reliability(self) -> str:
        """The reliability in force: ``'reliable'`` or ``'best_effort'``."""
        return self._policy.name.lower()

    def close(self) -> None:
        """End the subscription."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _subscribe(self) -> None:
        qos = QoSProfile(
            reliability=self._policy,
            durability=DurabilityPolicy.VOLATILE,
            history=HistoryPolicy.KEEP_LAST,
            depth=_QUEUE_DEPTH,
        )
        if self._subscription is not None:
            # First the old one: no frame may come in by two ways.
            self._node.destroy_subscription(self._subscription)
        events = SubscriptionEventCallbacks()
        if self._automatic:
            # The recheck mends a mismatch; the default callback would warn of it first.
            events.incompatible_qos = _ignore
        self._subscription = self._node.create_subscription(
            Image, self.topic, self._callback, qos, event_callbacks=events
        )

    def _offered(self) -> ReliabilityPolicy | None:
        """Return RELIABLE if every publisher offers it, None if there is no publisher."""
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        if not publishers:
            return None
        offered = {info.qos_profile.reliability for info in publishers}
        if offered == {ReliabilityPolicy.RELIABLE}:
            return ReliabilityPolicy.RELIABLE
        return ReliabilityPolicy.BEST_EFFORT

    def _follow_publishers(self) -> None:
        policy = self._offered()
        if policy is not None and policy != self._policy:
            self._policy = policy
            self._subscribe()
            self._node.get_logger().info(f'{self.topic}: now subscribed {policy.name}')


def _ignore(_event: object) -> None:
    """Take no notice of an event."""
