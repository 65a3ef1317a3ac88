# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node `smoe`: tells, for every camera frame, what the network looked at.

Subscribed: each of `image_topics` (sensor_msgs/Image, or sensor_msgs/CompressedImage), while
somebody subscribes to an output beside it.
Published beside each camera, under `smoe/`, only while somebody subscribes: `saliency`,
`saliency_float`, `lovi`, `heat_map`, `overlay`, `scales`, `mask` (sensor_msgs/Image, and each
as sensor_msgs/CompressedImage), `contributions` (smoe_msgs/ScaleContributions); and
`/diagnostics` at 1 Hz.
Services: `~/enable` (std_srvs/SetBool), and those of a lifecycle node.
Parameters: see `smoe_ros.options.parameters.NodeOptions`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType, JumpHandle, JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter as RosParameter
from rclpy.timer import Timer
from std_srvs.srv import SetBool

from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.machine.threads import give_back_free_memory
from smoe_ros.messages.topics import resolve_topics
from smoe_ros.node.camera import AnyImage, Camera
from smoe_ros.node.declaring import changed, declare, warn_of_misspelt
from smoe_ros.node.diagnostics import Diagnostics
from smoe_ros.node.network_swap import NetworkSwap
from smoe_ros.node.running import run_node, uninterrupted
from smoe_ros.node.worker import FrameWorker, Plan
from smoe_ros.options.parameters import NodeOptions

# How soon a new subscriber of an output, or a publisher's reliability, is noticed.
_FOLLOW_SECONDS = 0.2
_DIAGNOSTICS_SECONDS = 1.0
# What a frame in the network may take at the end of the process, which has 2 s in all.
_LAST_FRAME_SECONDS = 1.0
_BACKWARD = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1))


class SmoeNode(LifecycleNode):
    """Explains camera frames; a lifecycle node.

    Configuring loads the network, warms it up and creates the outputs; activating starts the
    worker and subscribes to each camera that somebody wants explained; deactivating lets the
    frame in the network finish.
    """

    def __init__(self) -> None:
        """Declare the parameters; raises ConfigurationError for a wrong type or value."""
        super().__init__('smoe')
        self._options = declare(self, NodeOptions)
        self._starting = False
        self._refusal: Exception | None = None
        self._pipeline: Pipeline | None = None
        self._cameras: list[Camera] = []
        self._worker: FrameWorker | None = None
        self._timers: list[Timer] = []
        self._jump_handle: JumpHandle | None = None
        self._enabled = True
        self._diagnostics = Diagnostics(self)
        self._swap = NetworkSwap(self, lambda: self._pipeline, self._wished, self._sizes)
        self.create_service(SetBool, '~/enable', self._enable)
        self.add_on_set_parameters_callback(self._check)
        self.add_post_set_parameters_callback(self._apply)

    def start(self) -> None:
        """Configure and activate without a lifecycle manager, if `autostart` says so.

        Raises:
            ConfigurationError: If the configuration cannot work.
        """
        if not self._options.autostart:
            return
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
        """Start the worker, and subscribe to the cameras whose outputs somebody wants."""
        with uninterrupted():  # else a thread might start that nobody knows of, nor ends
            self._worker = FrameWorker(self, self._plan(), self._cameras)
        self._listen()
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
        self._stop(_LAST_FRAME_SECONDS)
        self._release()

    def _configure(self) -> None:
        names = self._options.image_topics
        topics = resolve_topics(names, self._options.output_namespaces, self.resolve_topic_name)
        pipeline = Pipeline(Settings.of(self._options), warn=self.get_logger().warning)
        pipeline.explainer.probe()
        pipeline.warm_up(self._sizes())
        give_back_free_memory()  # of loading, and of the engines that were tried
        self._pipeline = pipeline
        self._cameras = [
            Camera(self, name, camera, functools.partial(self._receive, index))
            for index, (name, camera) in enumerate(zip(names, topics, strict=True))
        ]
        # Simulated time may stand still, and a recording that begins again turn it back.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers = [
            self.create_timer(_FOLLOW_SECONDS, self._follow, clock=steady),
            self.create_timer(_DIAGNOSTICS_SECONDS, self._publish_diagnostics, clock=steady),
        ]
        self._jump_handle = self.get_clock().create_jump_callback(
            _BACKWARD, post_callback=self._time_jumped
        )
        warn_of_misspelt(self)
        self._tell_network(pipeline)
        for camera in topics:
            self.get_logger().info(f'{camera.image} is explained under {camera.outputs}/')

    def _plan(self) -> Plan:
        assert self._pipeline is not None, 'only a configured node explains'
        return Plan(self._pipeline, Settings.of(self._options).method, self._options)

    def _receive(self, camera: int, image: AnyImage) -> None:
        if self._worker is not None:
            self._worker.put(camera, image)

    def _listen(self) -> None:
        """Subscribe as the parameters of the input say now."""
        transport, reliability = self._options.image_transport, self._options.input_reliability
        for camera in self._cameras:
            camera.configure(transport, reliability)
        self._follow()

    def _follow(self) -> None:
        if self._worker is not None:
            for camera in self._cameras:
                camera.follow(enabled=self._enabled)

    def _time_jumped(self, _jump: object) -> None:
        for camera in self._cameras:
            camera.restart_time()

    def _stop(self, timeout: float | None = None) -> None:
        for camera in self._cameras:
            camera.unsubscribe()
        if self._worker is not None:
            self._worker.stop(timeout)
            self._worker = None

    def _release(self) -> None:
        self._stop()
        for timer in self._timers:
            self.destroy_timer(timer)
        self._timers = []
        if self._jump_handle is not None:
            self._jump_handle.unregister()
            self._jump_handle = None
        for camera in self._cameras:
            camera.close()
        self._cameras = []
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None

    def _check(self, parameters: Sequence[RosParameter]) -> SetParametersResult:
        """Refuse what the network does not allow."""
        try:
            settings = self._wished(parameters)
            if self._pipeline is not None:
                self._swap.choose(self._pipeline, settings).explainer.check(settings.method)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, parameters: Sequence[RosParameter]) -> None:
        """Take over parameters that were set: they count from the next frame on."""
        self._options = changed(self._options, parameters)
        if self._pipeline is None:
            return
        pipeline = self._swap.choose(self._pipeline, Settings.of(self._options))
        if pipeline is not self._pipeline:
            self._pipeline = pipeline
            self._tell_network(pipeline)
        if self._worker is not None:
            self._worker.plan = self._plan()
            if any(one.name in ('input_reliability', 'image_transport') for one in parameters):
                self._listen()
        self._swap.forget()

    def _wished(self, parameters: Sequence[RosParameter]) -> Settings:
        """Return the settings that parameters lead to, or refuse them."""
        return Settings.of(changed(self._options, parameters))

    def _sizes(self) -> list[tuple[int, int]]:
        """Return height and width of the frames that may come together."""
        width, height = self._options.warm_up_size
        sizes = {} if self._worker is None else dict(self._worker.sizes)
        cameras = range(len(self._options.image_topics))
        return [sizes.get(camera, (height, width)) for camera in cameras]

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Answer the service ~/enable: whether frames are explained."""
        self._enabled = request.data
        self._follow()
        response.success = True
        response.message = 'frames are explained' if request.data else 'no frame is explained'
        return response

    def _publish_diagnostics(self) -> None:
        assert self._pipeline is not None, 'the timer lives only while configured'
        active = self._worker is not None
        self._diagnostics.publish(self._cameras, self._pipeline, self._options, active=active)

    def _tell_network(self, pipeline: Pipeline) -> None:
        scales = ', '.join(str(scale) for scale in pipeline.explainer.scales)
        self.get_logger().info(
            f'{pipeline.backbone.name} on {pipeline.device} by {pipeline.engine}, '
            f'{len(pipeline.explainer.scales)} scales: {scales}'
        )


def main(args: Sequence[str] | None = None) -> int:
    """Run the node; see `run_node` for the exit codes."""
    return run_node(SmoeNode, args)
