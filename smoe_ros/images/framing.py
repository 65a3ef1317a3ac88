# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Give camera images one size and one pixel format, without ever squashing what they show."""

from __future__ import annotations

import cv2
import numpy as np

from smoe_ros.images.source import Image

_FROM_BGR = {
    'bgr8': None,
    'rgb8': cv2.COLOR_BGR2RGB,
    'mono8': cv2.COLOR_BGR2GRAY,
    'bgra8': cv2.COLOR_BGR2BGRA,
    'rgba8': cv2.COLOR_BGR2RGBA,
}

ENCODINGS = tuple(_FROM_BGR)
"""ROS names of the pixel formats that ``encode`` knows."""


class Framing:
    """Brings all images of a source to the size that was asked for, or to the first one's.

    Attributes:
        width: Width of the results; 0 until it is known from the first image.
        height: Height of the results; 0 until it is known from the first image.
    """

    def __init__(self, width: int = 0, height: int = 0) -> None:
        """Ask for a size.

        Args:
            width: Pixels; 0 follows from the height and the first image's aspect.
            height: Pixels; 0 follows from the width and the first image's aspect.
        """
        self.width = width
        self.height = height

    def __call__(self, image: Image) -> Image:
        """Return an image (H, W, C) at the common size, cropped where its aspect differs."""
        if not (self.width and self.height):
            self.width, self.height = _size_like(image, self.width, self.height)
        return fit(image, self.width, self.height)


def fit(image: Image, width: int, height: int) -> Image:
    """Return the largest centred part of an image that has the wanted aspect, resized.

    Args:
        image: (H, W) or (H, W, C) uint8.
        width: Wanted width in pixels.
        height: Wanted height in pixels.
    """
    have_height, have_width = image.shape[:2]
    if (have_width, have_height) == (width, height):
        return image
    scale = max(width / have_width, height / have_height)
    crop_width = min(have_width, max(1, round(width / scale)))
    crop_height = min(have_height, max(1, round(height / scale)))
    left = (have_width - crop_width) // 2
    top = (have_height - crop_height) // 2
    crop = image[top : top + crop_height, left : left + crop_width]
    # Area averaging where pixels are merged, so that fine texture does not turn into aliases.
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(crop, (width, height), interpolation=method)  # type: ignore[no-any-return]


def encode(image: Image, encoding: str) -> Image:
    """Return a BGR image in another pixel format, its rows tightly packed.

    Args:
        image: (H, W, 3) uint8, blue first.
        encoding: One of ``ENCODINGS``.

    Returns:
        (H, W) uint8 for ``mono8``, otherwise (H, W, 3) or (H, W, 4) uint8.
    """
    conversion = _FROM_BGR[encoding]
    if conversion is None:
        return np.ascontiguousarray(image)
    return cv2.cvtColor(image, conversion)  # type: ignore[no-any-return]


def _size_like(image: Image, width: int, height: int) -> tuple[int, int]:
    """Complete a size by an image's aspect."""
    image_height, image_width = image.shape[:2]
    if width:
        return width, max(1, round(width * image_height / image_width))
    if height:
        return max(1, round(height * image_width / image_height)), height
    return image_width, image_height
