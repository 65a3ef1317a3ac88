# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags of explanations for tests, without a network that explains."""

from array import array
from pathlib import Path

import numpy as np
from bags_of_frames import record
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContribution, ScaleContributions
from smoe_ros.bags import Recording
from smoe_ros.offline.report.explained_bag import read_content
from smoe_ros.offline.serializing import type_name

START = 1_700_000_000 * 10**9
# From stamp to recorder, in seconds.
AGE = 0.15
USUAL = (0.2, 0.3, 0.5)
CONTRIBUTIONS = '/smoe/contributions'


def header(seconds):
    sec, nanosec = divmod(START + round(seconds * 1e9), 10**9)
    return Header(stamp=Time(sec=sec, nanosec=nanosec))


def explanation(seconds, shares=USUAL, label='street', backbone='resnet18', layers=()):
    names = layers or [f'layer{index}' for index in range(1, len(shares) + 1)]
    return ScaleContributions(
        header=header(seconds),
        backbone=backbone,
        statistic='smoe_scale',
        normalization='gaussian_cdf',
        scales=[
            ScaleContribution(
                layer=name,
                channels=64,
                height=7,
                width=9,
                contribution=share,
                information=float(index),
            )
            for index, (name, share) in enumerate(zip(names, shares, strict=True), 1)
        ],
        class_id=7 if label else -1,
        class_label=label,
        class_probability=0.25 if label else 0.0,
    )


def picture(seconds, grey, width=64, height=48):
    data = array('B', bytes([grey]) * (width * height))
    size = {'width': width, 'height': height, 'step': width}
    return Image(header=header(seconds), encoding='mono8', data=data, **size)


def diagnostics(seconds, topic='/image_raw', **values):
    pairs = [KeyValue(key=key.replace('_', ' '), value=value) for key, value in values.items()]
    status = DiagnosticStatus(name=f'/smoe: {topic}', hardware_id=topic, values=pairs)
    return DiagnosticArray(header=header(seconds), status=[status])


def wandering(count, seed=1):
    """Return contributions that wander, shape (count, 3)."""
    steps = np.random.default_rng(seed).normal(0, 0.01, (count, 3)).cumsum(axis=0)
    return (steps + USUAL).astype(np.float32)


class Recorder:
    """Collects messages, and writes them as a bag in the order in which they were received."""

    def __init__(self, path: Path):
        self.path = path
        self.messages = []

    def add(self, topic, message, received=None):
        """Record a message `AGE` seconds after its stamp, or at another time."""
        stamp = message.header.stamp
        time = stamp.sec * 10**9 + stamp.nanosec + round(AGE * 1e9)
        if received is not None:
            time = START + round(received * 1e9)
        self.messages.append((topic, type_name(type(message)), time, serialize_message(message)))

    def frames(self, seconds, shares=None, topic=CONTRIBUTIONS, late=None, **what):
        """Record frames: usual ones, or of those shares; received so late, if not after `AGE`."""
        shares = [USUAL] * len(seconds) if shares is None else np.asarray(shares).tolist()
        for second, row in zip(seconds, shares, strict=True):
            received = None if late is None else second + late
            self.add(topic, explanation(second, row, **what), received)

    def write(self):
        return record(self.path, sorted(self.messages, key=lambda one: one[2]))

    def camera(self):
        """Write the bag, and return what is read of its one camera."""
        with Recording(self.write()) as recording:
            (camera,) = read_content(recording).cameras
        return camera
