# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishers and subscriptions that see each other, but whose quality of service keeps them apart.

Looked up in the middleware's graph, which knows when a mismatch ends, as events do not; and each
event would be one more thing to wait for.
"""

from __future__ import annotations

from collections.abc import Iterable

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible


def unheard_publishers(node: Node, requested: QoSProfile, topic: str) -> str:
    """Say which publishers a subscription cannot hear, and what would help; empty if none.

    The topic is as it was given, for asking after publishers remaps it.
    """
    publishers = node.get_publishers_info_by_topic(topic)
    reasons = _mismatches((info.qos_profile, requested) for info in publishers)
    if not reasons:
        return ''
    return (
        f'{len(reasons)} of {len(publishers)} publishers of {node.resolve_topic_name(topic)} '
        f'cannot be heard ({reasons[0]}): set input_reliability to auto or best_effort'
    )


def unserved_subscribers(node: Node, publisher: Publisher) -> str:
    """Say which subscriptions a publisher cannot serve, and what would help; empty if none."""
    topic, offered = publisher.topic_name, publisher.qos_profile
    # Cheap, and it tells: subscriptions that do not match are seen, but not served.
    if node.count_subscribers(topic) <= publisher.get_subscription_count():
        return ''
    subscriptions = node.get_subscriptions_info_by_topic(topic)
    reasons = _mismatches((offered, info.qos_profile) for info in subscriptions)
    if not reasons:
        return ''
    reliable = offered.reliability is ReliabilityPolicy.RELIABLE
    return (
        f'{len(reasons)} of {len(subscriptions)} subscriptions of {topic} cannot be served '
        f'({reasons[0]}): let them ask for durability volatile'
        f'{"" if reliable else " and reliability best_effort"}'
    )


def _mismatches(pairs: Iterable[tuple[QoSProfile, QoSProfile]]) -> list[str]:
    """Return why subscriptions do not hear publishers, of pairs of what is offered and asked."""
    checked = (qos_check_compatible(offered, requested) for offered, requested in pairs)
    return [
        reason.removeprefix('ERROR:').strip(' ;').lower()
        for compatibility, reason in checked
        if compatibility == QoSCompatibility.ERROR
    ]
