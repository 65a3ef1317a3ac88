# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node `smoe`: tells, for every camera frame, what the network looked at.

Subscribed: each of `image_topics` (sensor_msgs/Image).
Published beside each camera, under `smoe/`, only while somebody subscribes: `saliency`,
`saliency_float`, `lovi`, `heat_map`, `overlay`, `scales`, `mask` (sensor_msgs/Image),
`contributions` (smoe_msgs/ScaleContributions); and `/diagnostics` at 1 Hz.
Services: `~/enable` (std_srvs/SetBool), and those of a lifecycle node.
Parameters: see `smoe_parameters.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter as RosParameter
from rclpy.timer import Timer
from std_srvs.srv import SetBool

from smoe_ros.errors import ConfigurationError
from smoe_ros.node.camera_input import CameraInput
from smoe_ros.node.diagnostics import to_status
from smoe_ros.node.frame_worker import Camera, FrameWorker
from smoe_ros.node.outputs import CameraOutputs
from smoe_ros.node.parameters import declare, warn_of_misspelt
from smoe_ros.node.running import run_node
from smoe_ros.node.smoe_parameters import PARAMETERS, to_drawing, to_settings
from smoe_ros.node.topics import resolve_topics
from smoe_ros.pipeline import Pipeline

_WARM_UP_SIZE = (480, 640)


class SmoeNode(LifecycleNode):
    """Explains camera frames; a lifecycle node.

    Configuring loads the network, warms it up and creates the outputs; activating subscribes and
    starts the worker; deactivating lets the frame in the network finish.
    """

    def __init__(self) -> None:
        """Declare the parameters.

        Raises:
            ConfigurationError: If a parameter has a wrong type or value.
        """
        super().__init__('smoe')
        self._values = declare(self, PARAMETERS)
        self._starting = False
        self._refusal: Exception | None = None
        self._pipeline: Pipeline | None = None
        self._cameras: list[Camera] = []
        self._inputs: list[CameraInput] = []
        self._worker: FrameWorker | None = None
        self._diagnostics_timer: Timer | None = None
        self._enabled = True
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 1)
        self.create_service(SetBool, '~/enable', self._enable)
        self.add_on_set_parameters_callback(self._check)
        self.add_post_set_parameters_callback(self._apply)

    def start(self) -> None:
        """Configure and activate without a lifecycle manager.

        Raises:
            ConfigurationError: If the configuration cannot work.
        """
        self._starting = True  # a refusal is told by the exception, not logged as well
        if self.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
            raise self._refusal or RuntimeError('the transition to configured was refused')
        self._starting = False
        self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up the network, create the outputs; refuse what cannot work."""
        try:
            self._configure()
        except Exception as error:  # rclpy itself would swallow it without a word
            self._refusal = error
            self._release()
            if not self._starting:
                self.get_logger().error(f'not configured: {error}')
            expected = isinstance(error, ConfigurationError)
            return TransitionCallbackReturn.FAILURE if expected else TransitionCallbackReturn.ERROR
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the worker and subscribe to the cameras."""
        assert self._pipeline is not None, 'only a configured node is activated'
        worker = FrameWorker(self, self._pipeline, self._cameras, to_drawing(self._values))
        worker.enabled = self._enabled
        worker.max_rate = self._values['max_rate']
        self._worker = worker
        # By the names given, for subscribing remaps them, and remapping twice undoes a swap.
        self._inputs = [
            CameraInput(
                self,
                topic,
                self._values['input_reliability'],
                functools.partial(worker.put, index),
            )
            for index, topic in enumerate(self._values['image_topics'])
        ]
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe, and let the frame in the network finish."""
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the network and remove the outputs."""
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and free everything."""
        self._release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, so that the node can be configured again."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Stop and free everything before the node is destroyed."""
        self._release()

    def _configure(self) -> None:
        topics = resolve_topics(
            self._values['image_topics'],
            self._values['output_namespaces'],
            self.resolve_topic_name,
        )
        pipeline = Pipeline(to_settings(self._values))
        pipeline.explainer.probe()
        pipeline.warm_up(*_WARM_UP_SIZE)
        self._pipeline = pipeline
        self._cameras = [
            Camera(camera.image, CameraOutputs(self, camera.outputs)) for camera in topics
        ]
        self._diagnostics_timer = self.create_timer(1.0, self._publish_diagnostics)
        warn_of_misspelt(self)
        scales = ', '.join(str(scale) for scale in pipeline.explainer.scales)
        self.get_logger().info(
            f'{pipeline.backbone.name} on {pipeline.device}, {len(pipeline.explainer.scales)} '
            f'scales: {scales}'
        )
        for camera in topics:
            self.get_logger().info(f'{camera.image} is explained under {camera.outputs}/')

    def _stop(self) -> None:
        for camera_input in self._inputs:
            camera_input.close()
        self._inputs = []
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _release(self) -> None:
        self._stop()
        if self._diagnostics_timer is not None:
            self.destroy_timer(self._diagnostics_timer)
            self._diagnostics_timer = None
        for camera in self._cameras:
            camera.outputs.close()
        self._cameras = []
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None

    def _check(self, parameters: Sequence[RosParameter]) -> SetParametersResult:
        """Refuse what the network does not allow; it answers without running the network."""
        try:
            settings = to_settings(self._changed(parameters))
            if self._pipeline is not None:
                self._pipeline.explainer.check(settings.method)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, parameters: Sequence[RosParameter]) -> None:
        """Take over parameters that were set: they count from the next frame on."""
        self._values = self._changed(parameters)
        if self._worker is not None:
            self._worker.change(to_settings(self._values).method, to_drawing(self._values))
            self._worker.max_rate = self._values['max_rate']
        elif self._pipeline is not None:
            self._pipeline.explainer.method = to_settings(self._values).method

    def _changed(self, parameters: Sequence[RosParameter]) -> dict[str, Any]:
        changes = {one.name: one.value for one in parameters if one.name in self._values}
        return {**self._values, **changes}

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Answer the service ~/enable: whether frames are explained or dropped."""
        self._enabled = request.data
        if self._worker is not None:
            self._worker.enabled = request.data
        response.success = True
        response.message = 'frames are explained' if request.data else 'frames are dropped'
        return response

    def _publish_diagnostics(self) -> None:
        assert self._pipeline is not None, 'the timer lives only while configured'
        facts = {
            'backbone': self._pipeline.backbone.name,
            'device': str(self._pipeline.device),
        }
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        for index, camera in enumerate(self._cameras):
            if self._inputs:
                facts['input reliability'] = self._inputs[index].reliability
            name = f'{self.get_fully_qualified_name()}: {camera.topic}'
            message.status.append(to_status(name, camera.topic, camera.counts.summary(), facts))
        self._diagnostics.publish(message)


def _create() -> SmoeNode:
    node = SmoeNode()
    try:
        if node.get_parameter('autostart').value:
            node.start()
    except BaseException:
        node.close()
        node.destroy_node()
        raise
    return node


def main(args: Sequence[str] | None = None) -> int:
    """Run the node; see `run_node` for the exit codes."""
    return run_node(_create, args)
