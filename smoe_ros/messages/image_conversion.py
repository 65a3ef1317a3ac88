# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From sensor_msgs/Image to an RGB array: cv_bridge, with its holes closed."""

from __future__ import annotations

import reprlib
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from smoe_ros.errors import ConfigurationError, FrameError

try:
    import cv2
    from cv_bridge import CvBridge, CvBridgeError
except ImportError as error:
    # The usual cause: cv_bridge from apt is built for NumPy 1, and pip brought NumPy 2.
    raise ConfigurationError(
        f'cv_bridge does not import ({error}); install ros-jazzy-cv-bridge with its own NumPy '
        '("numpy<2"), or "pip install cv-bridge" where ROS comes from wheels'
    ) from error

# Bytes a pixel of what `to_rgb` understands.
PIXEL_BYTES = {
    'rgb8': 3,
    'bgr8': 3,
    'rgba8': 4,
    'bgra8': 4,
    'mono8': 1,
    '8UC1': 1,
    '8UC3': 3,
    'mono16': 2,
    '16UC1': 2,
    '32FC1': 4,
    'yuv422': 2,
    'yuv422_yuy2': 2,
    'bayer_rggb8': 1,
    'bayer_bggr8': 1,
    'bayer_gbrg8': 1,
    'bayer_grbg8': 1,
}
# Not every version of cv_bridge knows these; OpenCV does.
_DIRECT = {
    'yuv422': cv2.COLOR_YUV2RGB_UYVY,
    'yuv422_yuy2': cv2.COLOR_YUV2RGB_YUY2,
    'bayer_grbg8': cv2.COLOR_BayerGRBG2RGB,
}
# 16-bit and float: values in the sensor's own unit, without a fixed range.
_UNSCALED = {'mono16': np.uint16, '16UC1': np.uint16, '32FC1': np.float32}
# These do not say what their channels are; drivers that publish them mean OpenCV's order.
_PLAIN = {'8UC1': 'mono8', '8UC3': 'bgr8'}
_BRIDGE = CvBridge()


def to_rgb(image: Image) -> NDArray[np.uint8]:
    """Convert a camera image to RGB.

    Sixteen-bit and float images (depth, thermal) are stretched from their own smallest to their
    largest finite value, since their unit is the sensor's.

    Args:
        image: The message; rows may be padded (``step``), either byte order.

    Returns:
        RGB image, shape (height, width, 3), uint8. It may share the message's memory.

    Raises:
        FrameError: If the image is empty, shorter than its header says, or of an encoding that is
            not understood. The text names the value and what would be right.
    """
    pixels = _pixels(image)
    encoding = image.encoding
    if encoding.startswith('yuv422') and image.width % 2:
        raise FrameError(
            f"an image of encoding '{encoding}' has an even width, for two pixels share their "
            f'colour; this one is {image.width} pixels wide'
        )
    if encoding in _DIRECT:
        return cv2.cvtColor(pixels, _DIRECT[encoding])
    if encoding in _UNSCALED:
        return cv2.cvtColor(stretch(pixels), cv2.COLOR_GRAY2RGB)
    # cv_bridge reads no `step`, and fails on is_bigendian with current NumPy: it gets neither.
    packed = SimpleNamespace(  # not an Image, which would look at every byte of an array
        height=image.height,
        width=image.width,
        encoding=_PLAIN.get(encoding, encoding),
        step=pixels.strides[0],
        is_bigendian=False,
        data=pixels,
    )
    try:
        return _BRIDGE.imgmsg_to_cv2(packed, 'rgb8')
    except (CvBridgeError, cv2.error) as error:
        raise FrameError(f"an image of encoding '{encoding}' does not convert: {error}") from None


def _pixels(image: Image) -> NDArray[np.generic]:
    """Return the image's pixels as they are: checked, unpadded, in this machine's byte order."""
    size = PIXEL_BYTES.get(image.encoding)
    if size is None:
        known = ', '.join(PIXEL_BYTES)
        # It may be of any length and hold line breaks.
        name = reprlib.repr(image.encoding)
        raise FrameError(f'image encoding {name} is not known; publish one of {known}')
    height, width, step = image.height, image.width, image.step
    if height == 0 or width == 0:
        raise FrameError(f'the image is empty: {width}x{height} pixels')
    row = width * size
    if step < row:
        raise FrameError(
            f"step is {step} bytes, but a row of {width} '{image.encoding}' pixels has {row}"
        )
    # The last row may come without its padding.
    needed = step * (height - 1) + row
    if len(image.data) < needed:
        raise FrameError(
            f'the image is truncated: {len(image.data)} bytes of data, {needed} needed for '
            f"{width}x{height} '{image.encoding}' pixels with step {step}"
        )
    data = np.frombuffer(image.data, np.uint8, count=needed)
    rows = np.ascontiguousarray(np.lib.stride_tricks.as_strided(data, (height, row), (step, 1)))
    if image.encoding in _UNSCALED:
        kind = np.dtype(_UNSCALED[image.encoding])
        return rows.view(kind.newbyteorder('>' if image.is_bigendian else '<')).astype(kind)
    return rows.reshape(height, width, size) if size > 1 else rows


def stretch(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Stretch values without a fixed range to grey, from the smallest to the largest.

    Args:
        pixels: Any shape; integers or 32-bit floats.

    Returns:
        The same shape; what is not finite (no depth) is 0, as a constant image is.
    """
    with np.errstate(invalid='ignore'):  # some of the NaNs that a sensor sends are signalling ones
        values = pixels.astype(np.float64)  # the ends of float32 lie too far apart for float32
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = values[finite].min(), values[finite].max()
    values[~finite] = low
    return ((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
