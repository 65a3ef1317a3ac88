# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Image messages for the tests of their conversion."""

import numpy as np
from sensor_msgs.msg import Image

# Bytes a pixel of every encoding that must work; a list of our own, which must agree.
PIXEL_BYTES = {
    'rgb8': 3,
    'bgr8': 3,
    '8UC3': 3,
    'rgba8': 4,
    'bgra8': 4,
    'mono8': 1,
    '8UC1': 1,
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


def image_message(encoding, height, width, data, step=None, is_bigendian=0):
    """Return a message; its rows are packed unless a step is given."""
    return Image(
        encoding=encoding,
        height=height,
        width=width,
        step=width * PIXEL_BYTES.get(encoding, 1) if step is None else step,
        is_bigendian=is_bigendian,
        data=data,
    )


def random_data(count):
    return np.random.default_rng(count).integers(0, 256, count, np.uint8).tobytes()
