# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' subscriber: when explanations come, how old, and what the node counts."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from smoe_msgs.msg import ScaleContributions

COUNTS = ('in', 'explained', 'dropped', 'rejected', 'waiting', 'lost in transport')
# Deep enough for a machine that stalls for a second.
_QOS = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, depth=30)
_SPIN_SECONDS = 0.1


class Listener(AbstractContextManager['Listener']):
    """Subscribes in a thread of its own to `contributions`, renderings and `/diagnostics`.

    Its lists only grow, so that they may be read at any time.

    Args:
        namespaces: Of the cameras, fully resolved.
        domain: ROS domain.
        renderings: Image outputs to receive beside the contributions.
    """

    def __init__(
        self, namespaces: Sequence[str], domain: int, renderings: Sequence[str] = ()
    ) -> None:
        # Of each contributions message: when it came, in seconds of the steady clock; its age in
        # milliseconds; its stamp in nanoseconds.
        self.arrivals: list[float] = []
        self.ages: list[float] = []
        self.stamps: list[int] = []
        # By camera topic: how often the node has reported, and its last figures.
        self._reports: dict[str, tuple[int, dict[str, str]]] = {}
        self._topics = {f'{namespace}/image_raw' for namespace in namespaces}
        self._context = rclpy.Context()
        rclpy.init(
            args=[],
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node('listener', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        subscribe = functools.partial(self._node.create_subscription, qos_profile=_QOS)
        for namespace in namespaces:
            subscribe(
                ScaleContributions, f'{namespace}/smoe/contributions', self._take_contributions
            )
            for name in renderings:
                # Raw: only the node's work counts, not ours to unpack it.
                subscribe(Image, f'{namespace}/smoe/{name}', lambda _serialized: None, raw=True)
        subscribe(DiagnosticArray, '/diagnostics', self._take_diagnostics)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def reports(self) -> int:
        """Return how often the node has reported on every camera."""
        if len(self._reports) < len(self._topics):
            return 0
        return min(number for number, _ in self._reports.values())

    def counts(self) -> dict[str, int]:
        """Return the node's last counts of frames, summed over the cameras; see ``COUNTS``."""
        last = [values for _, values in self._reports.values()]
        return {name: sum(int(values[f'frames {name}']) for values in last) for name in COUNTS}

    def facts(self) -> dict[str, str]:
        """Return the node's last word on what it runs, and on its latest error."""
        names = ('backbone', 'device', 'precision', 'engine', 'last error')
        for _, values in self._reports.values():
            return {name: values.get(name, '') for name in names}
        return {}

    def figures(self, key: str) -> list[float]:
        """Return a figure of the node's last diagnostics for each camera where it is known."""
        found = [values.get(key, '') for _, values in self._reports.values()]
        return [float(value) for value in found if value]

    def __exit__(self, *_error: object) -> None:
        """Close, however the block ends."""
        self.close()

    def close(self) -> None:
        """Unsubscribe."""
        # The thread first: what it spins must not go away under it.
        self._stopping.set()
        self._executor.wake()
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def _spin(self) -> None:
        while not self._stopping.is_set():
            self._executor.spin_once(timeout_sec=_SPIN_SECONDS)

    def _take_contributions(self, message: ScaleContributions) -> None:
        stamp = message.header.stamp
        nanoseconds = stamp.sec * 10**9 + stamp.nanosec
        self.ages.append((time.time_ns() - nanoseconds) * 1e-6)
        self.stamps.append(nanoseconds)
        self.arrivals.append(time.monotonic())  # last: whoever sees it finds the rest, too

    def _take_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.hardware_id in self._topics:
                number, _ = self._reports.get(status.hardware_id, (0, {}))
                values = {value.key: value.value for value in status.values}
                self._reports[status.hardware_id] = (number + 1, values)
