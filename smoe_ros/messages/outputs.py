# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What can be published of an explained frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContributions
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.images import Rgb
from smoe_ros.messages.encoding import Method, to_compressed, to_contributions, to_image
from smoe_ros.options.parameters import DrawingOptions
from smoe_ros.rendering import heat_map, lovi, overlay, salient_mask
from smoe_ros.rendering.overview import History, draw_overview, scale_bar


@dataclass(frozen=True, eq=False)
class ExplainedFrame:
    """One explained frame: each picture of it, by the output's name, drawn when first asked for.

    Maps have the size of the network's input (h, w), `overlay` the camera's (H, W).

    Attributes:
        rgb: The camera's image, shape (H, W, 3), uint8.
        history: The contributions of its camera's frames up to this one.
    """

    rgb: Rgb
    explanation: FrameExplanation
    method: Method
    drawing: DrawingOptions
    history: History | None = None

    @cached_property
    def saliency(self) -> NDArray[np.uint8]:
        """The saliency, shape (h, w), 0..255."""
        return _to_mono8(self.explanation.saliency)

    @property
    def saliency_float(self) -> NDArray[np.float32]:
        """The saliency, shape (h, w), 0..1."""
        return self.explanation.saliency

    @cached_property
    def lovi(self) -> Rgb:
        """Which scale saw what, shape (h, w, 3)."""
        return lovi(self.explanation.class_scale_maps)

    @cached_property
    def heat_map(self) -> Rgb:
        """The saliency as colours, shape (h, w, 3)."""
        return heat_map(self.explanation.class_scale_maps, self.method.weights)

    @cached_property
    def overlay(self) -> Rgb:
        """The heat map on the camera's image, shape (H, W, 3)."""
        return overlay(self.rgb, self.heat_map, self.drawing.overlay_alpha)

    @cached_property
    def scales(self) -> NDArray[np.uint8]:
        """The maps side by side, finest left, shape (h, S·w), 0..255."""
        return _to_mono8(np.hstack(list(self.explanation.scale_maps)))

    @cached_property
    def mask(self) -> NDArray[np.uint8]:
        """255 on the most salient pixels, 0 elsewhere, shape (h, w)."""
        mask = salient_mask(self.explanation.saliency, self.drawing.salient_fraction)
        return mask.astype(np.uint8) * 255

    @cached_property
    def overview(self) -> Rgb:
        """Camera, overlay, LOVI and contributions in one picture, shape (720, 1280, 3)."""
        explanation = self.explanation
        shares = map(float, explanation.contributions)
        bars = list(map(scale_bar, explanation.scales, shares))
        label = self.method.label(explanation.class_id)
        caption = f'{label} {explanation.class_probability:.2f}' if label else ''
        return draw_overview(self.rgb, self.overlay, self.lovi, bars, caption, self.history)


class ImageOutput(NamedTuple):
    """One image output.

    Attributes:
        name: Its topic, below the camera's output namespace; the picture in `ExplainedFrame`.
        encoding: Of ``sensor_msgs/Image``.
        description: What it shows.
    """

    name: str
    encoding: str
    description: str


IMAGE_OUTPUTS = (
    ImageOutput('saliency', 'mono8', 'fused saliency, fixed scale 0..1 → 0..255'),
    ImageOutput('saliency_float', '32FC1', 'the same, unquantised'),
    ImageOutput('lovi', 'rgb8', 'which scale of the network saw what'),
    ImageOutput('heat_map', 'rgb8', 'how salient, as colours'),
    ImageOutput('overlay', 'rgb8', 'the heat map on the camera image, in its size'),
    ImageOutput('scales', 'mono8', 'the map of each scale, side by side, finest left'),
    ImageOutput('mask', 'mono8', '255 on the most salient pixels (salient_fraction), 0 elsewhere'),
    ImageOutput(
        'overview',
        'rgb8',
        'camera, overlay, LOVI with its legend, and contributions with their last ten seconds, in '
        'one picture of 1280x720',
    ),
)

OutputMessage: TypeAlias = Image | CompressedImage | ScaleContributions

CONTRIBUTIONS = 'contributions'
COMPRESSED = '/compressed'

# Type of each output's message by its name below the camera's output namespace.
OUTPUT_TYPES: dict[str, type[OutputMessage]] = {
    CONTRIBUTIONS: ScaleContributions,
    **{output.name: Image for output in IMAGE_OUTPUTS},
    **{output.name + COMPRESSED: CompressedImage for output in IMAGE_OUTPUTS},
}
_ENCODINGS = {output.name: output.encoding for output in IMAGE_OUTPUTS}


def output_message(name: str, frame: ExplainedFrame, header: Header) -> OutputMessage:
    """Make the message of one of `OUTPUT_TYPES`, with the header of the camera's image.

    What several outputs of a frame show is drawn once.

    Raises:
        FrameError: If a picture cannot be compressed.
    """
    if name == CONTRIBUTIONS:
        size = frame.rgb.shape[0], frame.rgb.shape[1]
        return to_contributions(frame.explanation, frame.method, size, header)
    picture = name.removesuffix(COMPRESSED)
    pixels, encoding = getattr(frame, picture), _ENCODINGS[picture]
    if name.endswith(COMPRESSED):
        return to_compressed(pixels, encoding, header, frame.drawing.jpeg_quality)
    return to_image(pixels, encoding, header)


def _to_mono8(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    # As np.rint(255 · values), in one pass.
    return cv2.convertScaleAbs(values, alpha=255)
