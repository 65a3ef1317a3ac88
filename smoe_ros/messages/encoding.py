# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays to messages: images, compressed images, and what each scale contributed."""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContribution, ScaleContributions
from smoe_ros.errors import FrameError
from smoe_ros.explainer.frame_explanation import FrameExplanation, rescaled_points
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.options.parameters import NetworkOptions

# Of each encoding that is written: what follows it in the format, and the file's kind.
_CODECS = {
    'rgb8': ('jpeg compressed bgr8', '.jpg'),
    'mono8': ('png compressed ', '.png'),
    '32FC1': ('tiff compressed ', '.tiff'),
}
# Of the strategies that take little time, the one with the smallest files for saliency maps.
_PNG_OPTIONS = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
]


@dataclass(frozen=True)
class Method:
    """How the frames of a stream are explained.

    Attributes:
        weights: Share of the weight of each scale, finest first.
        labels: Name of each class.
    """

    backbone: str
    normalization: str
    statistic: str
    weights: tuple[float, ...]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, pipeline: Pipeline, options: NetworkOptions) -> Method:
        """Return how a pipeline explains by some options."""
        return cls(
            backbone=pipeline.backbone.name,
            normalization=options.normalization,
            statistic=options.statistic,
            weights=pipeline.explainer.weights,
            labels=pipeline.backbone.labels,
        )

    def label(self, class_id: int) -> str:
        """Return the name of a class, empty if it has none."""
        return self.labels[class_id] if 0 <= class_id < len(self.labels) else ''


def to_image(pixels: NDArray[np.generic], encoding: str, header: Header) -> Image:
    """Pack an array into a tightly packed image message.

    Args:
        pixels: Shape (H, W) or (H, W, C), of the type that the encoding says.
        encoding: As in ``sensor_msgs/image_encodings.hpp``.
        header: Header of the frame it belongs to.
    """
    height, width = pixels.shape[:2]
    # Anything but an array('B') or bytes is checked element by element: seconds a frame.
    data = array('B', np.ascontiguousarray(pixels).tobytes())
    return Image(
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(pixels.dtype.itemsize > 1 and sys.byteorder == 'big'),
        step=len(data) // height,
        data=data,
    )


def to_compressed(
    pixels: NDArray[np.generic], encoding: str, header: Header, jpeg_quality: int
) -> CompressedImage:
    """Compress an array as compressed_image_transport would: colour as JPEG, maps without loss.

    Args:
        pixels: Shape (H, W, 3) for ``rgb8``, (H, W) for ``mono8`` and ``32FC1``.
        encoding: ``rgb8`` becomes JPEG, ``mono8`` PNG, ``32FC1`` TIFF.
        header: Header of the frame it belongs to.
        jpeg_quality: From 1 to 100; of no account for the others.

    Raises:
        FrameError: If the image is of another encoding, empty, or too large for the file.
    """
    if encoding not in _CODECS:
        known = ', '.join(_CODECS)
        raise FrameError(f"an '{encoding}' image is not compressed; use one of {known}")
    codec, extension = _CODECS[encoding]
    options = _PNG_OPTIONS if extension == '.png' else []
    try:
        if extension == '.jpg':
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
            options = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        written, data = cv2.imencode(extension, pixels, options)
    except cv2.error:
        written = False
    image_format = f'{encoding}; {codec}'
    if not written:
        raise FrameError(f"an array of shape {pixels.shape} cannot be written as '{image_format}'")
    # Anything but an array('B') or bytes is checked element by element.
    return CompressedImage(header=header, format=image_format, data=array('B', data.tobytes()))


def to_contributions(
    explanation: FrameExplanation, method: Method, source_size: tuple[int, int], header: Header
) -> ScaleContributions:
    """Write down what each scale contributed to a camera's image of a size: height, width."""
    map_size = explanation.saliency.shape
    cells = np.array([(scale.height, scale.width) for scale in explanation.scales])
    # The peak of a resized map lies near the centre of its cell, at a border anywhere beyond it.
    in_cells = rescaled_points(explanation.scale_peaks, map_size, cells)
    peaks = rescaled_points(np.rint(in_cells), cells, source_size)
    peak_x, peak_y = rescaled_points(explanation.peak, map_size, source_size).tolist()
    class_id = explanation.class_id
    return ScaleContributions(
        header=header,
        backbone=method.backbone,
        statistic=method.statistic,
        normalization=method.normalization,
        scales=[
            ScaleContribution(
                layer=scale.layer,
                call=scale.call,
                channels=scale.channels,
                height=scale.height,
                width=scale.width,
                weight=weight,
                contribution=float(contribution),
                information=float(information),
                peak_x=float(x),
                peak_y=float(y),
            )
            for scale, weight, contribution, information, (x, y) in zip(
                explanation.scales,
                method.weights,
                explanation.contributions,
                explanation.information,
                peaks,
                strict=True,
            )
        ],
        peak_x=peak_x,
        peak_y=peak_y,
        class_id=class_id,
        class_label=method.label(class_id),
        class_probability=explanation.class_probability,
    )
