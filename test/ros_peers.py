# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a test itself puts on DDS opposite the node: a camera, and listeners to what comes back."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from numpy.typing import NDArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from ros_processes import RosProcess, ros_nodes, wait_until
from sensor_msgs.msg import CompressedImage, Image

from smoe_msgs.msg import ScaleContributions
from smoe_ros.images.footage import footage_path
from smoe_ros.messages.outputs import IMAGE_OUTPUTS

OUTPUTS = (*(output.name for output in IMAGE_OUTPUTS), 'contributions')
COMPRESSED_OUTPUTS = tuple(f'{name}/compressed' for name in OUTPUTS[:-1])
# As many as any test makes: what is missing then was lost on the way, not here.
KEEP_ALL_HERE = 400


@contextmanager
def peer(name: str) -> Iterator[Node]:
    """Give a node with an executor of its own, for what outlives one test; see ``ros_node``."""
    with ros_nodes() as make:
        yield make(name)


@functools.cache
def street(count: int) -> list[NDArray[np.uint8]]:
    """Return the first frames of the street video: RGB, shape (272, 640, 3) each."""
    video = cv2.VideoCapture(str(footage_path('bikes')))
    return [np.ascontiguousarray(video.read()[1][..., ::-1]) for _ in range(count)]


def small(seed: int = 0, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Return a small RGB picture of coarse noise, another one for each seed."""
    cells = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)


def image_of(rgb: NDArray[np.uint8], frame_id: str = 'front') -> Image:
    """Return a picture as a message, without a stamp."""
    image = Image(height=rgb.shape[0], width=rgb.shape[1], encoding='rgb8', step=3 * rgb.shape[1])
    image.header.frame_id = frame_id
    image.data = array('B', rgb.tobytes())
    return image


def array_of(image: Image) -> NDArray[np.generic]:
    """Return a tightly packed image message's pixels: (H, W) or (H, W, 3)."""
    if image.encoding == '32FC1':
        return np.frombuffer(image.data, np.float32).reshape(image.height, image.width)
    shape = (image.height, image.width) + ((3,) if image.encoding in ('rgb8', 'bgr8') else ())
    return np.frombuffer(image.data, np.uint8).reshape(shape)


def stamp_of(message: Image | ScaleContributions) -> int:
    """Return a message's stamp in nanoseconds."""
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def answer_of(ask: Callable[[], Future], node: Node, message: str = 'an answer') -> Any:
    """Ask a service until it answers, and return the answer.

    A service that is ready for us may not know our reader yet, and then drops its answer. For
    requests that change nothing; readers are announced in order, so that clients which were made
    before this one are known as well when it has its answer.

    Args:
        ask: Sends the request.
        node: Spun meanwhile.
        message: What was waited for, for the failure's text.
    """
    for _ in range(8):
        answer = ask()
        with suppress(AssertionError):
            wait_until(answer.done, 5, node=node)
            return answer.result()
    raise AssertionError(f'not within 40 s: {message}')


class Camera:
    """A camera whose every frame the test decides."""

    def __init__(
        self,
        node: Node,
        topic: str = 'image_raw',
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        message_type: type = Image,
    ):
        """Offer images on a topic."""
        self.node = node
        self.publisher = node.create_publisher(
            message_type, topic, QoSProfile(depth=5, reliability=reliability)
        )
        self.sent: list[int] = []

    def send(self, image: Image | CompressedImage | NDArray[np.uint8]) -> int:
        """Publish an image (an array: as RGB), stamped now, and return its stamp."""
        if isinstance(image, np.ndarray):
            image = image_of(image)
        image.header.stamp = self.node.get_clock().now().to_msg()
        self.publisher.publish(image)
        self.sent.append(stamp_of(image))
        return self.sent[-1]

    def send_until(
        self,
        condition: Callable[[], object],
        image: Image | NDArray[np.uint8],
        timeout: float = 20.0,
        period: float = 0.1,
        message: str = '',
    ) -> object:
        """Publish an image again and again until a condition holds, and return its value."""
        timer = self.node.create_timer(period, lambda: self.send(image))
        try:
            return wait_until(condition, timeout, node=self.node, message=message)
        finally:
            self.node.destroy_timer(timer)

    def close(self) -> None:
        """Go away."""
        self.node.destroy_publisher(self.publisher)


class Listener:
    """Everything that came on some outputs beside one camera."""

    def __init__(
        self,
        node: Node,
        namespace: str = 'smoe',
        outputs: Iterable[str] = OUTPUTS,
        qos: QoSProfile | int = KEEP_ALL_HERE,
    ):
        """Subscribe to some outputs of the node."""
        self.node = node
        self.came: dict[str, list[Image | ScaleContributions]] = {name: [] for name in outputs}
        self._subscriptions = [
            node.create_subscription(
                _type_of(name),
                f'{namespace}/{name}',
                functools.partial(self.receive, name),
                qos,
            )
            for name in self.came
        ]

    def receive(self, output: str, message: Image | CompressedImage | ScaleContributions) -> None:
        """Keep what came on an output."""
        self.came[output].append(message)

    def of(self, stamp: int) -> dict[str, Image | ScaleContributions]:
        """Return the outputs that belong to the frame of a stamp."""
        return {
            name: message
            for name, came in self.came.items()
            for message in came
            if stamp_of(message) == stamp
        }

    def complete(self) -> list[int]:
        """Return the stamps of the frames of which every output came, in order."""
        stamps = [{stamp_of(message) for message in came} for came in self.came.values()]
        return sorted(set.intersection(*stamps))

    def forget(self) -> None:
        """Forget what came."""
        for came in self.came.values():
            came.clear()

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self.node.destroy_subscription(subscription)


def _type_of(output: str) -> type:
    if output == 'contributions':
        return ScaleContributions
    return CompressedImage if output.endswith('/compressed') else Image


class Figures(dict[str, str]):
    """One camera's values of one diagnostic message."""

    def __init__(self, status: DiagnosticStatus):
        """Keep the values, and the status's level and message."""
        super().__init__((pair.key, pair.value) for pair in status.values)
        self.level = status.level
        self.message = status.message

    def count(self, what: str) -> int:
        """Return a number of frames: in, explained, dropped, rejected or waiting."""
        return int(self[f'frames {what}'])

    def adds_up(self) -> bool:
        """Whether every frame that came in is accounted for."""
        parts = ('explained', 'dropped', 'rejected', 'waiting')
        return self.count('in') == sum(self.count(part) for part in parts)


class Diagnostics:
    """The node's own figures on one camera, as they come on /diagnostics."""

    def __init__(self, node: Node, topic: str = '/image_raw'):
        """Subscribe."""
        self.node = node
        self.topic = topic
        self.arrays: list[DiagnosticArray] = []
        node.create_subscription(DiagnosticArray, '/diagnostics', self._receive, 10)

    def _receive(self, array_: DiagnosticArray) -> None:
        if any(status.hardware_id == self.topic for status in array_.status):
            self.arrays.append(array_)

    def latest(self) -> Figures | None:
        """Return the latest figures, None if none came yet."""
        if not self.arrays:
            return None
        status = self.arrays[-1].status
        return next(Figures(one) for one in status if one.hardware_id == self.topic)

    def next(self, timeout: float = 20.0) -> Figures:
        """Wait for figures that are yet to come, and return them."""
        count = len(self.arrays)
        wait_until(lambda: len(self.arrays) > count, timeout, node=self.node)
        return self.latest()

    def settled(self, timeout: float = 20.0) -> Figures:
        """Wait for figures made from now on while no frame was waiting, and return them.

        A frame is counted after it is published: what was made in between lacks it.
        """
        since = self.node.get_clock().now().nanoseconds
        return self.until(
            lambda figures: stamp_of(self.arrays[-1]) >= since and figures.count('waiting') == 0,
            timeout,
            'figures of a node at rest',
        )

    def until(
        self, condition: Callable[[Figures], object], timeout: float = 20.0, message: str = ''
    ) -> Figures:
        """Wait until the latest figures fulfil a condition, and return them."""

        def fulfilled() -> Figures | None:
            figures = self.latest()
            return figures if figures is not None and condition(figures) else None

        try:
            return wait_until(fulfilled, timeout, node=self.node, message=message)
        except AssertionError as error:
            raise AssertionError(f'{error}; the latest figures are {self.latest()}') from None


class Stream:
    """A camera, the node that explains it, all that comes of it, and the node's parameters."""

    def __init__(
        self, ros: Node, node: RosProcess, namespace: str = '', outputs: Iterable[str] = OUTPUTS
    ):
        """Wait until the node explains the camera."""
        self.ros, self.node = ros, node
        self.camera = Camera(ros, f'{namespace}/image_raw')
        self.listener = Listener(ros, f'{namespace}/smoe', outputs)
        self.diagnostics = Diagnostics(ros, f'{namespace}/image_raw')
        self.client = AsyncParameterClient(ros, f'{namespace}/smoe')
        self.camera.send_until(self.listener.complete, small(), 40)
        wait_until(self.client.services_are_ready, 40, node=ros)
        answer_of(lambda: self.client.get_parameters(['backbone']), ros)

    def explained(
        self, image: Image | NDArray[np.uint8]
    ) -> dict[str, Image | CompressedImage | ScaleContributions]:
        """Return the outputs of a frame that is sent now."""
        stamp = self.camera.send(image)
        wait_until(lambda: stamp in self.listener.complete(), node=self.ros)
        return self.listener.of(stamp)

    def ask(self, *, atomically: bool = False, **values: object) -> Future:
        """Ask for parameters, and return the future answer."""
        method = 'set_parameters_atomically' if atomically else 'set_parameters'
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        return getattr(self.client, method)(parameters)

    def set(self, name: str, value: object) -> SetParametersResult:
        """Set a parameter, and return the result."""
        answer = self.ask(**{name: value})
        wait_until(answer.done, 90, node=self.ros)  # a network may have to be exported first
        return answer.result().results[0]

    def set_together(self, **values: object) -> None:
        """Set parameters that belong together."""
        answer = self.ask(atomically=True, **values)
        wait_until(answer.done, 40, node=self.ros)
        assert answer.result().result.successful, answer.result()

    def get(self, name: str) -> object:
        """Return a parameter's value."""
        answer = self.client.get_parameters([name])
        wait_until(answer.done, node=self.ros)
        return parameter_value_to_python(answer.result().values[0])
