# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The message of each output: for the node that publishes them, and for recordings."""

from __future__ import annotations

from typing import TypeAlias

from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContributions
from smoe_ros.messages.compressed_images import to_compressed
from smoe_ros.messages.contributions import to_contributions, to_image
from smoe_ros.messages.outputs import IMAGE_OUTPUTS, OUTPUTS_BY_NAME, ExplainedFrame

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
