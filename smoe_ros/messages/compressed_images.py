# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CompressedImage both ways, as compressed_image_transport reads and writes it."""

from __future__ import annotations

import re
import reprlib
import struct
from array import array

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from smoe_ros.errors import FrameError
from smoe_ros.images.file_sizes import kind_of
from smoe_ros.messages.contributions import to_image
from smoe_ros.messages.image_conversion import stretch, to_rgb

# More than any camera has; a few kilobytes of JPEG can claim sixty times as many.
MAX_PIXELS = 2**26

# ORIG_PIXFMT; CODEC compressed [COMPRESSED_PIXFMT]
_FORMAT = re.compile(r'\s*(\w*)\s*;\s*(\w+)\s+compressed\b\s*(\w*)')
# EXIF's turned images stay as they are: the camera's calibration belongs to the sensor's rows.
_AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION

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

_SHORT = reprlib.Repr()
_SHORT.maxstring = 60


def decompress(image: CompressedImage) -> NDArray[np.uint8]:
    """Decode a compressed camera image to RGB.

    JPEG, PNG, TIFF and WebP files are read, whichever the format names. Sixteen-bit and float
    grey images (depth, thermal) are stretched as `to_rgb` stretches raw ones.

    Args:
        image: The message.

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


def compress(pixels: NDArray[np.generic], encoding: str, jpeg_quality: int) -> tuple[str, bytes]:
    """Encode an image as compressed_image_transport would: colour as JPEG, maps without loss.

    Args:
        pixels: Shape (H, W, 3) for ``rgb8``, (H, W) for ``mono8`` and ``32FC1``.
        encoding: ``rgb8`` becomes JPEG, ``mono8`` PNG, ``32FC1`` TIFF.
        jpeg_quality: From 1 to 100; of no account for the others.

    Returns:
        The message's format and data.

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
    if not written:
        raise FrameError(
            f"an array of shape {pixels.shape} cannot be written as '{encoding}; {codec}'"
        )
    return f'{encoding}; {codec}', data.tobytes()


def to_compressed(
    pixels: NDArray[np.generic], encoding: str, header: Header, jpeg_quality: int
) -> CompressedImage:
    """Pack an array into a compressed image message.

    Args:
        pixels: As for `compress`.
        encoding: As for `compress`.
        header: Header of the frame it belongs to.
        jpeg_quality: As for `compress`.

    Raises:
        FrameError: As for `compress`.
    """
    image_format, data = compress(pixels, encoding, jpeg_quality)
    # Anything but an array('B') or bytes is checked element by element.
    return CompressedImage(header=header, format=image_format, data=array('B', data))


def _rgb_of(pixels: NDArray[np.generic], image_format: str, what: str) -> NDArray[np.uint8]:
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
        return to_rgb(to_image(pixels, encoding, Header()))
    # A JPEG of a 16-bit image has lost its depth, not its meaning.
    if pixels.dtype != np.uint8 or encoding in {'mono16', '16UC1'}:
        pixels = stretch(pixels)
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
