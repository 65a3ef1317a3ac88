# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera messages to RGB: raw ones by cv_bridge, its holes closed; compressed by OpenCV."""

from __future__ import annotations

import re
import reprlib
import struct
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.images import Rgb
from smoe_ros.images.file_sizes import kind_of

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

# More than any camera has; a few kilobytes of JPEG can claim sixty times as many.
MAX_PIXELS = 2**26
# ORIG_PIXFMT; CODEC compressed [COMPRESSED_PIXFMT]
_FORMAT = re.compile(r'\s*(\w*)\s*;\s*(\w+)\s+compressed\b\s*(\w*)')
# EXIF's turned images stay as they are: the camera's calibration belongs to the sensor's rows.
_AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION

# What a message says may be of any length and hold line breaks.
_SHORT = reprlib.Repr()
_SHORT.maxstring = 60


def to_rgb(image: Image) -> Rgb:
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
    if image.encoding.startswith('yuv422') and image.width % 2:
        raise FrameError(
            f"an image of encoding '{image.encoding}' has an even width, for two pixels share "
            f'their colour; this one is {image.width} pixels wide'
        )
    return _convert(pixels, image.encoding)


def decompress(image: CompressedImage) -> Rgb:
    """Decode a compressed camera image to RGB.

    JPEG, PNG, TIFF and WebP files are read, whichever the format names. Sixteen-bit and float
    grey images (depth, thermal) are stretched as `to_rgb` stretches raw ones.

    Returns:
        RGB image, shape (height, width, 3), uint8.

    Raises:
        FrameError: If the data is empty, cut off, too large or no image that can be read, or a
            compressedDepth one. The text names the format and the number of bytes.
    """
    what = f'{len(image.data)} bytes of format {_SHORT.repr(image.format)}'
    if 'compressedDepth' in image.format:
        raise FrameError(
            f'{what} are of the compressedDepth transport, which is not read; subscribe to the '
            "raw depth topic, or make one with 'ros2 run image_transport republish'"
        )
    if len(image.data) == 0:
        raise FrameError(f'the compressed image is empty: {what}')
    data = image.data.tobytes()
    known = kind_of(data)
    if known is None:
        raise FrameError(f'{what} are no image that is read; publish JPEG, PNG, TIFF or WebP')
    kind, read_size = known
    try:
        height, width = read_size(data)
    except (ValueError, IndexError, struct.error) as error:
        reason = f': {error}' if type(error) is ValueError else ''
        raise FrameError(f'{what} begin as {kind}, but are damaged or cut off{reason}') from None
    if height * width > MAX_PIXELS:
        raise FrameError(
            f'{what} claim {width}x{height} pixels; at most {MAX_PIXELS} are decompressed'
        )
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise FrameError(f'{what} begin as {kind}, but do not decode')
    return _rgb_of(pixels, image.format, what)


def _pixel_bytes(encoding: str) -> int:
    if encoding not in PIXEL_BYTES:
        known = ', '.join(PIXEL_BYTES)
        name = reprlib.repr(encoding)
        raise FrameError(f'image encoding {name} is not known; publish one of {known}')
    return PIXEL_BYTES[encoding]


def _pixels(image: Image) -> NDArray[np.generic]:
    """Return the image's pixels as they are: checked, unpadded, in this machine's byte order."""
    size = _pixel_bytes(image.encoding)
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


def _convert(pixels: NDArray[np.generic], encoding: str) -> Rgb:
    """Turn packed pixels of a known encoding into RGB."""
    if encoding in _DIRECT:
        return cv2.cvtColor(pixels, _DIRECT[encoding])
    if encoding in _UNSCALED:
        return cv2.cvtColor(_stretch(pixels), cv2.COLOR_GRAY2RGB)
    # cv_bridge reads no `step`, and fails on is_bigendian with current NumPy: it gets neither.
    packed = SimpleNamespace(  # not an Image, which would look at every byte of an array
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=_PLAIN.get(encoding, encoding),
        step=pixels.strides[0],
        is_bigendian=False,
        data=pixels,
    )
    try:
        return _BRIDGE.imgmsg_to_cv2(packed, 'rgb8')
    except (CvBridgeError, cv2.error) as error:
        raise FrameError(f"an image of encoding '{encoding}' does not convert: {error}") from None


def _rgb_of(pixels: NDArray[np.generic], image_format: str, what: str) -> Rgb:
    """Turn decoded pixels into RGB, in the light of what the format says they were."""
    match = _FORMAT.match(image_format)
    encoding, codec, stored = match.groups() if match else ('', '', '')
    if pixels.ndim == 3:
        if pixels.dtype == np.uint16:
            # Colour fills its range, unlike depth.
            pixels = np.right_shift(pixels, 8, dtype=np.uint16).astype(np.uint8)
        if pixels.dtype != np.uint8 or pixels.shape[2] != 3:
            raise FrameError(
                f'{what} hold {pixels.shape[2]} channels of {pixels.dtype}; publish colour as '
                '8 or 16 bits a channel'
            )
        # OpenCV decodes to BGR, unless RGB was given to it for BGR. A TIFF is given what the
        # camera sent.
        if (stored or (encoding if codec == 'tiff' else '')).startswith('rgb'):
            return np.ascontiguousarray(pixels)
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    if pixels.dtype == np.float64:
        raise FrameError(f'{what} hold 64-bit floats; publish 32FC1')
    if encoding.startswith('bayer_') and not stored:  # still the sensor's mosaic
        if pixels.dtype != np.uint8:
            raise FrameError(f'{what} hold a mosaic of {pixels.dtype}; publish 8 bits a pixel')
        _pixel_bytes(encoding)
        return _convert(pixels, encoding)
    # A JPEG of a 16-bit image has lost its depth, not its meaning.
    if pixels.dtype != np.uint8 or encoding in {'mono16', '16UC1'}:
        pixels = _stretch(pixels)
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)


def _stretch(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Stretch values without a fixed range to grey, from the smallest to the largest.

    What is not finite (no depth) is 0, as a constant image is.
    """
    with np.errstate(invalid='ignore'):  # some of the NaNs that a sensor sends are signalling ones
        values = values.astype(np.float64)  # the ends of float32 lie too far apart for float32
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = values[finite].min(), values[finite].max()
    values[~finite] = low
    return ((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
