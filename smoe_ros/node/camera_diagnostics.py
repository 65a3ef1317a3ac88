# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the cameras are doing, once a second on /diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode

from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.node.camera import Camera
from smoe_ros.node.diagnostics import to_status
from smoe_ros.node.subscription import CameraInput
from smoe_ros.options.smoe_options import NodeOptions


class CameraDiagnostics:
    """Publishes one status a camera, and logs what is wrong with its topics when that begins."""

    def __init__(self, node: LifecycleNode) -> None:
        """Create the publisher; nothing is published before `publish`."""
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 1)
        self._known: dict[str, frozenset[str]] = {}

    def publish(
        self,
        cameras: Sequence[Camera],
        pipeline: Pipeline,
        limits: NodeOptions,
        *,
        active: bool,
    ) -> None:
        """Publish the figures as of now.

        Args:
            cameras: All cameras.
            pipeline: What explains their frames.
            limits: When a figure is worth a warning.
            active: Whether the node looks for images at all.
        """
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        facts = {
            'backbone': pipeline.backbone.name,
            'device': str(pipeline.device),
            'precision': str(pipeline.precision).removeprefix('torch.'),
            'engine': pipeline.engine,
        }
        for camera in cameras:
            problems = camera.outputs.mismatches()
            if active:
                problems += _examine(camera.input, facts)
            self._log_new(camera.topic, problems)
            message.status.append(
                to_status(
                    f'{self._node.get_fully_qualified_name()}: {camera.topic}',
                    camera.topic,
                    camera.counts.summary(),
                    limits,
                    facts,
                    problems,
                )
            )
        self._publisher.publish(message)

    def _log_new(self, topic: str, problems: Sequence[str]) -> None:
        for problem in problems:
            if problem not in self._known.get(topic, frozenset()):
                self._node.get_logger().warning(problem)
        self._known[topic] = frozenset(problems)


def _examine(camera_input: CameraInput, facts: dict[str, str]) -> list[str]:
    """Add an input's facts, and return what is wrong with it."""
    count = camera_input.publisher_count()
    facts['input topic'] = camera_input.topic
    facts['input reliability'] = camera_input.reliability
    facts['publishers'] = str(count)
    problem = camera_input.mismatch() if count else f'nobody publishes {camera_input.topic}'
    return [problem] if problem else []
