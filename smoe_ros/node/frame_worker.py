# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that explains frames, straight through from message to message."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image

from smoe_ros.errors import FrameError
from smoe_ros.methods import MethodOptions
from smoe_ros.node.frame_counts import FrameCounts
from smoe_ros.node.frame_slots import FrameSlots
from smoe_ros.node.image_conversion import to_rgb
from smoe_ros.node.messages import Method
from smoe_ros.node.outputs import CameraOutputs, Drawing
from smoe_ros.pipeline import FrameExplanation, Pipeline
from smoe_ros.preprocessing import Rgb


@dataclass(frozen=True)
class Camera:
    """What the worker needs of one camera.

    Attributes:
        topic: Its image topic, for messages to people.
        outputs: Where its explanations go.
        counts: What became of its frames.
    """

    topic: str
    outputs: CameraOutputs
    counts: FrameCounts = field(default_factory=FrameCounts)


class FrameWorker:
    """Takes the newest frame of every camera, explains them together and publishes.

    Attributes:
        enabled: Whether frames are explained; dropped otherwise.
        max_rate: Explanations a second of each camera at most; 0 is no limit.
    """

    def __init__(
        self,
        node: LifecycleNode,
        pipeline: Pipeline,
        cameras: Sequence[Camera],
        drawing: Drawing,
    ) -> None:
        """Start the thread.

        Args:
            node: For its clock, logger and context.
            pipeline: Explains the frames.
            cameras: All cameras, by index.
            drawing: How outputs are drawn.
        """
        self.enabled = True
        self.max_rate = 0.0
        self._stopping = threading.Event()
        self._node = node
        self._pipeline = pipeline
        self._changing = threading.Lock()
        self._options, self._drawing = pipeline.explainer.method, drawing
        self._cameras = cameras
        self._slots: FrameSlots[Image] = FrameSlots()
        self._thread = threading.Thread(target=self._work, name='frame_worker', daemon=True)
        self._thread.start()

    def put(self, camera: int, image: Image) -> None:
        """Store a camera's newest image for the worker; never blocks."""
        counts = self._cameras[camera].counts
        counts.receive()
        if not self.enabled or self._slots.put(camera, image):
            counts.drop()

    def change(self, options: MethodOptions, drawing: Drawing) -> None:
        """Explain and draw so from the next frame on.

        Args:
            options: How frames are explained; checked before.
            drawing: How outputs are drawn.
        """
        with self._changing:
            self._options, self._drawing = options, drawing

    def stop(self) -> None:
        """Let the frames in the network finish, drop those that wait, and end the thread."""
        self._stopping.set()
        for camera in self._slots.close():
            self._cameras[camera].counts.drop()
        self._thread.join()

    def _work(self) -> None:
        while taken := self._slots.take():
            started = time.monotonic()
            if self._explain(taken) and self.max_rate > 0:
                # Meanwhile newer frames take the place of those that wait.
                self._stopping.wait(started + 1 / self.max_rate - time.monotonic())

    def _explain(self, taken: dict[int, Image]) -> bool:
        """Explain frames and publish; return whether there was anything to explain."""
        started = time.monotonic()
        frames: dict[int, Rgb] = {}
        for index, image in taken.items():
            try:
                if self._cameras[index].outputs.watched():
                    frames[index] = to_rgb(image)
                else:
                    self._cameras[index].counts.drop()
            except Exception as error:  # whatever a driver sends, the thread goes on
                self._reject(index, error)
        if not frames:
            return False
        method, drawing = self._current_method()
        results: Sequence[FrameExplanation | Exception]
        try:
            results = self._pipeline.explain(list(frames.values()))
        except Exception as error:  # out of memory, a device that went away: these frames only
            results = [error] * len(frames)
        for (index, rgb), result in zip(frames.items(), results, strict=True):
            if isinstance(result, Exception):
                self._reject(index, result)
                continue
            camera, header = self._cameras[index], taken[index].header
            try:
                camera.outputs.publish(header, rgb, result, method, drawing)
            except Exception as error:  # the middleware's, or an output that cannot be made
                self._reject(index, error)
                continue
            # Not with rclpy's Time, which refuses a stamp before 1970.
            stamp = header.stamp.sec * 10**9 + header.stamp.nanosec
            age = (self._node.get_clock().now().nanoseconds - stamp) * 1e-9
            camera.counts.explain(age, time.monotonic() - started)
        return True

    def _current_method(self) -> tuple[Method, Drawing]:
        """Take over changes, between two frames: none is explained half the old way."""
        with self._changing:
            options, drawing = self._options, self._drawing
        explainer, backbone = self._pipeline.explainer, self._pipeline.backbone
        explainer.method = options
        method = Method(
            backbone=backbone.name,
            normalization=options.normalization,
            statistic=options.statistic,
            weights=explainer.weights,
            labels=backbone.labels,
        )
        return method, drawing

    def _reject(self, index: int, error: Exception) -> None:
        camera = self._cameras[index]
        if not self._node.context.ok():
            # A signal takes the context away at any moment; the frame is nobody's any more.
            camera.counts.drop()
            return
        text = str(error) if isinstance(error, FrameError) else f'{type(error).__name__}: {error}'
        reason = ' '.join(text.split())
        camera.counts.reject(reason)
        self._node.get_logger().warning(
            f'{camera.topic}: frame rejected: {reason}', throttle_duration_sec=1.0
        )
