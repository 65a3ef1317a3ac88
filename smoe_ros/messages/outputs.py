# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What can be published of an explained frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContributions
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.images import Rgb
from smoe_ros.messages.compressed_images import to_compressed
from smoe_ros.messages.contributions import Method, to_contributions, to_image
from smoe_ros.options.smoe_options import DrawingOptions
from smoe_ros.rendering import heat_map, lovi, overlay, salient_mask
from smoe_ros.rendering.overview import History, draw_overview, scale_bar


class ExplainedFrame:
    """One explained frame, of which everything is drawn at most once."""

    def __init__(
        self,
        rgb: Rgb,
        explanation: FrameExplanation,
        method: Method,
        drawing: DrawingOptions,
        history: History | None = None,
    ) -> None:
        """Draw nothing yet.

        Args:
            rgb: The camera's image, shape (H, W, 3), uint8.
            explanation: Its explanation.
            method: How it was explained.
            drawing: How it is drawn.
            history: The contributions of its camera's frames up to this one.
        """
        self._drawn: dict[str, NDArray[np.generic]] = {}
        self.rgb = rgb
        self.explanation = explanation
        self.method = method
        self.drawing = drawing
        self.history = history

    def pixels(self, output: ImageOutput) -> NDArray[np.generic]:
        """Return the picture of an output, shape (H, W) or (H, W, 3)."""
        if output.name not in self._drawn:
            self._drawn[output.name] = output.make(self)
        return self._drawn[output.name]

    @cached_property
    def heat_map(self) -> Rgb:
        """The heat map, which two outputs show."""
        return heat_map(self.explanation.class_scale_maps, self.method.weights)

    def saliency_mono8(self) -> NDArray[np.uint8]:
        """Return the saliency, shape (h, w), 0..255."""
        return _to_mono8(self.explanation.saliency)

    def scales(self) -> NDArray[np.uint8]:
        """Return the maps side by side, finest left, shape (h, S·w), 0..255."""
        return _to_mono8(np.hstack(list(self.explanation.scale_maps)))

    def overview(self) -> Rgb:
        """Return camera, overlay, LOVI and contributions in one picture."""
        explanation = self.explanation
        bars = [
            scale_bar(scale, float(contribution))
            for scale, contribution in zip(
                explanation.scales, explanation.contributions, strict=True
            )
        ]
        label = self.method.label(explanation.class_id)
        caption = f'{label} {explanation.class_probability:.2f}' if label else ''
        overlaid, scales_seen = (
            self.pixels(OUTPUTS_BY_NAME[name]).astype(np.uint8, copy=False)
            for name in ('overlay', 'lovi')
        )
        return draw_overview(self.rgb, overlaid, scales_seen, bars, caption, self.history)

    def mask(self) -> NDArray[np.uint8]:
        """Return the mask of the most salient pixels, shape (h, w), 0 or 255."""
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
    make: Callable[[ExplainedFrame], NDArray[np.generic]]


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
    ImageOutput(
        'overview',
        'rgb8',
        'camera, overlay, LOVI with its legend, and contributions with their last ten seconds, in '
        'one picture of 1280x720',
        lambda frame: frame.overview(),
    ),
)
OUTPUTS_BY_NAME = {output.name: output for output in IMAGE_OUTPUTS}


def _to_mono8(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    # As np.rint(255 · values), in one pass.
    return cv2.convertScaleAbs(values, alpha=255)  # type: ignore[no-any-return]


OutputMessage: TypeAlias = Image | CompressedImage | ScaleContributions

CONTRIBUTIONS = 'contributions'
COMPRESSED = '/compressed'

# Type of each output's message by its name below the camera's output namespace.
OUTPUT_TYPES: dict[str, type[OutputMessage]] = {
    CONTRIBUTIONS: ScaleContributions,
    **{output.name: Image for output in IMAGE_OUTPUTS},
    **{output.name + COMPRESSED: CompressedImage for output in IMAGE_OUTPUTS},
}


def output_message(name: str, frame: ExplainedFrame, header: Header) -> OutputMessage:
    """Make the message of one output.

    Args:
        name: One of `OUTPUT_TYPES`.
        frame: The explained frame; what several outputs show is drawn once.
        header: Header of the camera's image.

    Raises:
        FrameError: If a picture cannot be compressed.
    """
    if name == CONTRIBUTIONS:
        size = frame.rgb.shape[0], frame.rgb.shape[1]
        return to_contributions(frame.explanation, frame.method, size, header)
    output = OUTPUTS_BY_NAME[name.removesuffix(COMPRESSED)]
    pixels = frame.pixels(output)
    if name.endswith(COMPRESSED):
        return to_compressed(pixels, output.encoding, header, frame.drawing.jpeg_quality)
    return to_image(pixels, output.encoding, header)
