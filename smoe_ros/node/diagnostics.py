# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the cameras are doing, once a second on /diagnostics: figures, and what is wrong."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ament_index_python.packages import get_package_share_directory
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.lifecycle import LifecycleNode
from rclpy.utilities import get_rmw_implementation_identifier

from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.node.camera import Camera
from smoe_ros.node.frame_counts import FrameSummary
from smoe_ros.options.parameters import NodeOptions

# One image in a hundred may get lost on a busy machine; more is a transport that does not fit.
_MAX_LOSS_SHARE = 0.01
_MAX_MISSING_SHARE = 0.1

_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def _milliseconds(seconds: float) -> str:
    return '' if math.isnan(seconds) else f'{seconds * 1000:.1f}'


class Figure(NamedTuple):
    """One of a camera's figures.

    Attributes:
        key: Its name in the status, with the unit.
        meaning: What it says.
        of: Writes it; empty if it is not known.
    """

    key: str
    meaning: str
    of: Callable[[FrameSummary], str]


FIGURES = (
    Figure('frames in', 'images that reached the node', lambda s: str(s.received)),
    Figure('frames explained', 'whose outputs were published', lambda s: str(s.explained)),
    Figure(
        'frames dropped',
        'let go: for a newer one, for `max_rate`, or because nobody subscribed any more',
        lambda s: str(s.dropped),
    ),
    Figure(
        'frames rejected',
        'that could not be explained: damaged, or the network failed',
        lambda s: str(s.rejected),
    ),
    Figure(
        'frames waiting',
        'in the slot or in the network now; in = explained + dropped + rejected + waiting',
        lambda s: str(s.waiting),
    ),
    Figure(
        'frames lost in transport',
        'that the middleware reports lost before they reached the node',
        lambda s: str(s.lost),
    ),
    Figure(
        'rate in (Hz)',
        'images a second that came in, over 10 s as all rates, shares and ages',
        lambda s: f'{s.rate_in:.2f}',
    ),
    Figure('rate out (Hz)', 'explanations a second', lambda s: f'{s.rate_out:.2f}'),
    Figure(
        'share dropped (%)',
        'of the images that came in, those dropped because the network was busy',
        lambda s: f'{100 * s.drop_share:.1f}',
    ),
    Figure(
        'share lost in transport (%)',
        'of the images that the camera sent',
        lambda s: f'{100 * s.loss_share:.1f}',
    ),
    Figure(
        'share missing by stamps (%)',
        'of the latest images of a camera of regular pace, those that its stamps leave out: what '
        'came in is below what was published',
        lambda s: f'{100 * s.missing_share:.1f}',
    ),
    Figure(
        'age p50 (ms)',
        "now − stamp by the node's clock, when the outputs were published",
        lambda s: _milliseconds(s.ages[0]),
    ),
    Figure('age p95 (ms)', 'likewise', lambda s: _milliseconds(s.ages[1])),
    Figure('age max (ms)', 'likewise', lambda s: _milliseconds(s.ages[2])),
    Figure(
        'explain time p50 (ms)',
        'from taking a frame to its last output',
        lambda s: _milliseconds(s.explain_time),
    ),
    Figure('last error', 'why the latest rejected frame was rejected', lambda s: s.last_error),
)


class Diagnostics:
    """Publishes one status a camera, and logs what is wrong with its topics when that begins."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 1)
        self._known: dict[str, list[str]] = {}

    def publish(
        self, cameras: Sequence[Camera], pipeline: Pipeline, limits: NodeOptions, *, active: bool
    ) -> None:
        """Publish the figures as of now.

        The limits say when one is worth a warning; a node that is not active expects no images.
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
            summary, problems = camera.counts.summary(), camera.outputs.mismatches()
            values = {figure.key: figure.of(summary) for figure in FIGURES} | facts
            if active:
                values |= camera.input_facts()
                problems += filter(None, [camera.input_problem()])
            self._log_new(camera.topic, problems)
            level, text = _judge(summary, limits, problems)
            message.status.append(
                DiagnosticStatus(
                    level=level,
                    name=f'{self._node.get_fully_qualified_name()}: {camera.topic}',
                    message=text,
                    hardware_id=camera.topic,
                    values=[KeyValue(key=key, value=value) for key, value in values.items()],
                )
            )
        self._publisher.publish(message)

    def _log_new(self, topic: str, problems: list[str]) -> None:
        for problem in problems:
            if problem not in self._known.get(topic, []):
                self._node.get_logger().warning(problem)
        self._known[topic] = problems


def _judge(
    summary: FrameSummary, limits: NodeOptions, problems: Sequence[str]
) -> tuple[bytes, str]:
    """Return a status's level and message; `problems` are warnings of the camera's topics."""
    warnings = [*problems, *_warnings(summary, limits)]
    if summary.failing:
        rejected = f'frames are rejected: {summary.last_error}'
        return DiagnosticStatus.ERROR, '; '.join([rejected, *warnings])
    if warnings:
        return DiagnosticStatus.WARN, '; '.join(warnings)
    if not summary.listening:
        return DiagnosticStatus.OK, 'not subscribed to the camera: nobody wants its explanations'
    return DiagnosticStatus.OK, f'{summary.rate_out:.1f} frames explained a second'


def _warnings(summary: FrameSummary, limits: NodeOptions) -> list[str]:
    if not summary.listening:
        return []
    found = []
    if summary.silence > limits.stall_timeout:
        found.append(f'no image for {summary.silence:.0f} s')
    if summary.loss_share > _MAX_LOSS_SHARE:
        found.append(
            f'{100 * summary.loss_share:.0f} % of the images are lost on their way from the '
            f'camera: {_loss_remedy()}'
        )
    elif summary.missing_share > _MAX_MISSING_SHARE:
        found.append(
            f'{100 * summary.missing_share:.0f} % of the images are missing between the stamps '
            'of those that come: left out by the camera, or overwritten before they were '
            'fetched; give the camera a deeper queue, or the computer less to do'
        )
    if summary.drop_share > limits.max_drop_share:
        taken = _milliseconds(summary.explain_time)
        found.append(
            f'{100 * summary.drop_share:.0f} % of the frames are dropped, for the network is busy'
            f'{f" {taken} ms with each" if taken else ""}: try a smaller short_side or backbone, '
            'or limit max_rate'
        )
    return found


def _loss_remedy() -> str:
    """Say in half a sentence what to do against the loss of large images."""
    if 'fastrtps' not in get_rmw_implementation_identifier():
        return 'let the camera offer reliable, or enlarge the buffers of the middleware'
    profile = Path(get_package_share_directory('smoe_ros'), 'config', 'fastdds.xml')
    given = next(filter(None, map(os.environ.get, _VARIABLES)), None)
    if given is None:
        return (
            f'set {_VARIABLES[0]}={profile} for this process and the camera, whose images do not '
            "fit into Fast DDS's shared memory otherwise"
        )
    return (
        f'this process uses the profile {given}; does the camera, too ({_VARIABLES[0]})? The '
        f'one for images is {profile}'
    )
