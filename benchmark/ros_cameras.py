#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that cost next to nothing: one prepared image, again and again, with new stamps.

usage: benchmark/ros_cameras.py --help

`camera_publisher` draws or decodes each image, which a machine of two cores feels. Here a message
is composed once a camera. The cameras take turns at even distances, as cameras without a common
trigger do. An image whose successor is due already is left out, not caught up on.

Prints a line of JSON when the cameras are ready, when their settling is over, and at the end,
which SIGINT may bring forward.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import sys
import time
from array import array
from collections.abc import Iterator, Sequence

import numpy as np
import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

# As camera_publisher has it.
_QOS = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, depth=5)
_POLL_SECONDS = 0.02


def main() -> int:
    """Publish until the time is up, then wait for SIGINT."""
    parser = argparse.ArgumentParser(description='Publish prepared images at an exact rate.')
    add = parser.add_argument
    add('--namespaces', nargs='+', required=True, help='one camera each')
    add('--size', nargs=2, type=int, required=True, metavar=('WIDTH', 'HEIGHT'))
    add('--rate', type=float, required=True, help='images a second of each camera')
    add('--settle', type=float, required=True, help='seconds before the counted images')
    add('--seconds', type=float, required=True, help='seconds of the counted images')
    options = parser.parse_args()
    # A shell ignores SIGINT in what it starts in the background, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = Node('cameras')
    try:
        publishers = [
            node.create_publisher(Image, f'{namespace}/image_raw', _QOS)
            for namespace in options.namespaces
        ]
        messages = [prepared_image(*options.size, seed) for seed in range(len(publishers))]
        report: dict[str, float] = {'ready': True}
        _say(report)
        while not all(publisher.get_subscription_count() for publisher in publishers):
            time.sleep(_POLL_SECONDS)
        for _ in _publish(publishers, messages, options.rate, options.settle):
            pass
        report['begin'], report['sent'] = time.time_ns(), 0
        _say(report)
        started = time.monotonic()
        try:
            for sent in _publish(publishers, messages, options.rate, options.seconds):
                report['sent'] = sent
        finally:
            report['seconds'] = time.monotonic() - started
            report['end'] = time.time_ns()
            for publisher in publishers:  # the last images arrive before their publisher leaves
                publisher.wait_for_all_acked(Duration(seconds=1.0))
            _say(report)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def prepared_image(width: int, height: int, seed: int) -> Image:
    """Compose a message of coarse noise in bgr8: shapes for the network."""
    noise = np.random.default_rng(seed).integers(0, 256, (-(-height // 16), -(-width // 16), 3))
    pixels = noise.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    message = Image(height=height, width=width, encoding='bgr8', step=3 * width)
    message.header.frame_id = 'camera'
    # rclpy would check every element of anything but an array.
    message.data = array('B', pixels.astype(np.uint8).tobytes())
    return message


def _publish(
    publishers: Sequence[Publisher], messages: Sequence[Image], rate: float, seconds: float
) -> Iterator[int]:
    """Publish in turn for so many seconds; give how many images that are, at each."""
    period = 1 / (rate * len(publishers))
    turns = itertools.cycle(zip(publishers, messages, strict=True))
    started = time.monotonic()
    sent = 0
    for number in range(round(seconds / period)):
        publisher, message = next(turns)
        wait = started + number * period - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        elif -wait >= period * len(publishers):  # this camera's next image is due
            continue
        stamp = message.header.stamp
        stamp.sec, stamp.nanosec = divmod(time.time_ns(), 10**9)
        publisher.publish(message)
        sent += 1
        yield sent
    time.sleep(max(started + seconds - time.monotonic(), 0.0))


def _say(report: dict[str, float]) -> None:
    print(json.dumps(report), flush=True)


if __name__ == '__main__':
    sys.exit(main())
