# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that explains frames, straight through from message to message."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rclpy.clock import ROSClock
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage

from smoe_ros.errors import FrameError, in_words
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.temporal_average import TemporalAverage
from smoe_ros.images import Rgb
from smoe_ros.machine.threads import give_back_free_memory
from smoe_ros.messages.decoding import decompress, to_rgb
from smoe_ros.messages.encoding import Method
from smoe_ros.messages.stamp_order import nanoseconds
from smoe_ros.node.camera import AnyImage, Camera
from smoe_ros.node.frame_slots import FrameSlots
from smoe_ros.options.parameters import NodeOptions
from smoe_ros.saliency.methods import MethodOptions


@dataclass(frozen=True)
class Plan:
    """How frames are explained and drawn: what the node's options, checked, are now."""

    pipeline: Pipeline
    method: MethodOptions
    options: NodeOptions


class FrameWorker:
    """Takes the newest frame of every camera, explains them together and publishes.

    Attributes:
        plan: How the next frames are explained; one pass keeps to one plan.
        sizes: Height and width of each camera's latest frame, in pixels, by the camera's index.
    """

    def __init__(self, node: LifecycleNode, plan: Plan, cameras: Sequence[Camera]) -> None:
        """Start the thread."""
        self.plan = plan
        self.sizes: dict[int, tuple[int, int]] = {}
        self._stopping = threading.Event()
        self._clock, self._context = node.get_clock(), node.context
        self._logger = node.get_logger()
        self._cameras = cameras
        self._slots: FrameSlots[AnyImage] = FrameSlots()
        self._averages: defaultdict[int, TemporalAverage] = defaultdict(TemporalAverage)
        self._thread = threading.Thread(target=self._work, name='frame_worker', daemon=True)
        self._thread.start()

    def put(self, camera: int, image: AnyImage) -> None:
        """Store a camera's newest image for the worker; never blocks."""
        counts = self._cameras[camera].counts
        counts.receive(nanoseconds(image.header.stamp))
        if self._slots.put(camera, image):
            counts.drop(overload=self.plan.options.max_rate == 0)

    def stop(self, timeout: float | None = None) -> None:
        """Let the frames in the network finish, drop those that wait, and end the thread.

        Args:
            timeout: How long to wait for the frames in the network, in seconds; what is not done
                then is left to the end of the process. None waits as long as it takes.
        """
        self._stopping.set()
        for camera in self._slots.close():
            self._cameras[camera].counts.drop()
        self._thread.join(timeout)
        if self._thread.is_alive():
            # What it holds would keep the middleware, and its shared memory, from being freed.
            self._cameras = ()

    def _work(self) -> None:
        threads, pipeline = self.plan.options.threads, self.plan.pipeline
        while taken := self._slots.take():
            started, plan = time.monotonic(), self.plan
            if plan.options.threads != threads:
                threads = plan.options.threads
                plan.pipeline.set_threads(threads)
            if plan.pipeline is not pipeline:
                self._averages.clear()  # they are the other network's
            explained = self._explain(taken, plan)
            if plan.pipeline is not pipeline:
                pipeline = plan.pipeline
                give_back_free_memory()  # now nobody holds the old network
            if explained and plan.options.max_rate > 0:
                # Meanwhile newer frames take the place of those that wait.
                self._stopping.wait(started + 1 / plan.options.max_rate - time.monotonic())

    def _explain(self, taken: dict[int, AnyImage], plan: Plan) -> bool:
        """Explain frames and publish; return whether there was anything to explain."""
        started = time.monotonic()
        frames = self._decoded(taken)
        if not frames:
            return False
        results: Sequence[FrameExplanation | Exception]
        plan.pipeline.use(plan.method)
        try:
            results = plan.pipeline.explain(list(frames.values()))
        except Exception as error:  # a device that went away: these frames only
            results = [error] * len(frames)
        if not self._cameras:
            return False  # nobody has waited for these frames
        method = Method.of(plan.pipeline, plan.options)
        for (index, rgb), result in zip(frames.items(), results, strict=True):
            if isinstance(result, Exception):
                self._reject(index, result)
                continue
            camera, header = self._cameras[index], taken[index].header
            stamp = nanoseconds(header.stamp)
            try:
                shown = self._averages[index].add(
                    result, plan.method, stamp or None, plan.options.smoothing_time
                )
                camera.outputs.publish(header, rgb, shown, method, plan.options)
                age = (self._clock.now().nanoseconds - stamp) * 1e-9
            except Exception as error:  # the middleware's, or an output that cannot be made
                self._reject(index, error)
                continue
            # Without a stamp, or with a clock that has jumped back, there is no age.
            known = stamp != 0 and age >= 0
            camera.counts.explain(age if known else None, time.monotonic() - started)
        return True

    def _decoded(self, taken: dict[int, AnyImage]) -> dict[int, Rgb]:
        """Return the frames that are to be explained; apart, so that no camera is held longer."""
        frames: dict[int, Rgb] = {}
        # Time is simulated when a recording is played.
        replayed = isinstance(self._clock, ROSClock) and self._clock.ros_time_is_active
        for index, image in taken.items():
            camera = self._cameras[index]
            try:
                if not camera.outputs.watched():
                    camera.counts.drop()
                    continue
                camera.order.check(image.header.stamp, replayed=replayed)
                compressed = isinstance(image, CompressedImage)
                frames[index] = decompress(image) if compressed else to_rgb(image)
                self.sizes[index] = frames[index].shape[0], frames[index].shape[1]
            except Exception as error:  # whatever a driver sends, the thread goes on
                self._reject(index, error)
        return frames

    def _reject(self, index: int, error: Exception) -> None:
        camera = self._cameras[index]
        if not self._context.ok():
            # A signal takes the context away at any moment; the frame is nobody's any more.
            camera.counts.drop()
            return
        expected = isinstance(error, FrameError)
        reason = ' '.join(str(error).split()) if expected else in_words(error)
        camera.counts.reject(reason)
        self._logger.warning(
            f'{camera.topic}: frame rejected: {reason}', throttle_duration_sec=1.0
        )
