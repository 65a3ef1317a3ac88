# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One diagnostic status a camera, from its counts."""

from __future__ import annotations

import math

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from smoe_ros.node.frame_counts import FrameSummary

# A camera that was heard before and is silent for longer than this has stalled.
STALL_SECONDS = 2.0


def to_status(
    name: str, hardware_id: str, summary: FrameSummary, facts: dict[str, str]
) -> DiagnosticStatus:
    """Write one camera's figures as a diagnostic status.

    Args:
        name: Name of the status: node and topic.
        hardware_id: The camera's topic.
        summary: The camera's figures.
        facts: Further values, such as the device.
    """
    level, message = _judge(summary)
    values = {
        'frames in': str(summary.received),
        'frames explained': str(summary.explained),
        'frames dropped': str(summary.dropped),
        'frames rejected': str(summary.rejected),
        'frames waiting': str(summary.waiting),
        'rate in (Hz)': f'{summary.rate_in:.2f}',
        'rate out (Hz)': f'{summary.rate_out:.2f}',
        'age p50 (ms)': _milliseconds(summary.ages[0]),
        'age p95 (ms)': _milliseconds(summary.ages[1]),
        'age max (ms)': _milliseconds(summary.ages[2]),
        'explain time p50 (ms)': _milliseconds(summary.explain_time),
        **facts,
        'last error': summary.last_error,
    }
    return DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=hardware_id,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )


def _judge(summary: FrameSummary) -> tuple[bytes, str]:
    if summary.failing:
        return DiagnosticStatus.ERROR, f'frames are rejected: {summary.last_error}'
    if summary.received == 0:
        return DiagnosticStatus.WARN, 'no image received yet; is the topic right?'
    if summary.silence > STALL_SECONDS:
        return DiagnosticStatus.WARN, f'no image for {summary.silence:.0f} s'
    return DiagnosticStatus.OK, f'{summary.rate_out:.1f} frames explained a second'


def _milliseconds(seconds: float) -> str:
    return '' if math.isnan(seconds) else f'{seconds * 1000:.1f}'
