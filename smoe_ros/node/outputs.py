# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The outputs beside one camera, each made only while somebody subscribes to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContributions
from smoe_ros.node.messages import Method, to_contributions, to_image
from smoe_ros.pipeline import FrameExplanation
from smoe_ros.rendering import Rgb, heat_map, lovi, overlay, salient_mask

# RELIABLE matches every subscriber, RViz's default included; depth 1 keeps the newest only.
OUTPUT_QOS = QoSProfile(
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
)


@dataclass(frozen=True)
class Drawing:
    """How outputs are drawn.

    Attributes:
        overlay_alpha: Share of the heat map in the overlay, 0..1.
        salient_fraction: Share of the pixels in the mask, above 0 and up to 1.
    """

    overlay_alpha: float = 0.5
    salient_fraction: float = 0.1


class _Frame:
    """One explained frame; the heat map is drawn once for both pictures that show it."""

    def __init__(
        self,
        rgb: Rgb,
        explanation: FrameExplanation,
        weights: tuple[float, ...],
        drawing: Drawing,
    ) -> None:
        self.rgb = rgb
        self.explanation = explanation
        self.weights = weights
        self.drawing = drawing

    @cached_property
    def heat_map(self) -> Rgb:
        return heat_map(self.explanation.class_scale_maps, self.weights)

    def saliency_mono8(self) -> NDArray[np.uint8]:
        return _to_mono8(self.explanation.saliency)

    def scales(self) -> NDArray[np.uint8]:
        return _to_mono8(np.hstack(list(self.explanation.scale_maps)))

    def mask(self) -> NDArray[np.uint8]:
        mask = salient_mask(self.explanation.saliency, self.drawing.salient_fraction)
        return mask.astype(np.uint8) * 255


@dataclass(frozen=True)
class ImageOutput:
    """One image output.

    Attributes:
        name: Its topic, below the camera's output namespace.
        encoding: Of ``sensor_msgs/Image``.
        description: What it shows.
        make: Makes its pixels.
    """

    name: str
    encoding: str
    description: str
    make: Callable[[_Frame], NDArray[np.generic]]


IMAGE_OUTPUTS = (
    ImageOutput(
        'saliency',
        'mono8',
        'fused saliency, fixed scale 0..1 → 0..255',
        lambda frame: frame.saliency_mono8(),
    ),
    ImageOutput(
        'saliency_float',
        '32FC1',
        'the same, unquantised',
        lambda frame: frame.explanation.saliency,
    ),
    ImageOutput(
        'lovi',
        'rgb8',
        'which scale of the network saw what',
        lambda frame: lovi(frame.explanation.class_scale_maps),
    ),
    ImageOutput('heat_map', 'rgb8', 'how salient, as colours', lambda frame: frame.heat_map),
    ImageOutput(
        'overlay',
        'rgb8',
        'the heat map on the camera image, in its size',
        lambda frame: overlay(frame.rgb, frame.heat_map, frame.drawing.overlay_alpha),
    ),
    ImageOutput(
        'scales',
        'mono8',
        'the map of each scale, side by side, finest left',
        lambda frame: frame.scales(),
    ),
    ImageOutput(
        'mask',
        'mono8',
        '255 on the most salient pixels (salient_fraction), 0 elsewhere',
        lambda frame: frame.mask(),
    ),
)


class CameraOutputs:
    """Publishers of one camera's explanations."""

    def __init__(self, node: LifecycleNode, namespace: str) -> None:
        """Create the publishers.

        Args:
            node: The node that publishes.
            namespace: Where the outputs lie, for example ``/front/smoe``.
        """
        self._node = node
        self._contributions = self._publisher(ScaleContributions, f'{namespace}/contributions')
        self._images = [
            (self._publisher(Image, f'{namespace}/{output.name}'), output)
            for output in IMAGE_OUTPUTS
        ]

    def watched(self) -> bool:
        """Whether anybody subscribes to any output."""
        publishers = (self._contributions, *(image for image, _ in self._images))
        return any(_watched(publisher) for publisher in publishers)

    def publish(
        self,
        header: Header,
        rgb: Rgb,
        explanation: FrameExplanation,
        method: Method,
        drawing: Drawing,
    ) -> None:
        """Make and publish every output that somebody subscribes to.

        Args:
            header: Header of the camera's image, given to every output.
            rgb: The camera's image, shape (H, W, 3), uint8.
            explanation: Its explanation.
            method: How it was explained.
            drawing: How it is drawn.
        """
        if _watched(self._contributions):
            self._contributions.publish(
                to_contributions(explanation, method, (rgb.shape[0], rgb.shape[1]), header)
            )
        frame = _Frame(rgb, explanation, method.weights, drawing)
        for publisher, output in self._images:
            if _watched(publisher):
                publisher.publish(to_image(output.make(frame), output.encoding, header))

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (self._contributions, *(image for image, _ in self._images)):
            self._node.destroy_publisher(publisher)

    def _publisher(self, message_type: type, topic: str) -> Publisher:
        return self._node.create_publisher(
            message_type,
            topic,
            OUTPUT_QOS,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )


def _to_mono8(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(values * 255).astype(np.uint8)


def _watched(publisher: Publisher) -> bool:
    return publisher.get_subscription_count() > 0
