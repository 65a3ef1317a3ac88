# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Image messages for the tests of their conversion."""

import cv2
import numpy as np
from sensor_msgs.msg import Image
from small_networks import CAT

from smoe_ros.messages.decoding import PIXEL_BYTES

SCENE = CAT()[100:196, 120:248]
HEIGHT, WIDTH = SCENE.shape[:2]
GREY = SCENE.mean(axis=2).astype(np.uint8)
DEPTH = GREY.astype(np.uint16) * 37 + 400


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


def grey(values):
    return np.repeat(values[..., None], 3, axis=2)


def written(extension, pixels, *options):
    """Return an image file; OpenCV takes three channels for blue, green, red."""
    ok, data = cv2.imencode(extension, pixels, options)
    assert ok
    return data.tobytes()
