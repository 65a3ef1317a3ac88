# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Thousands of made camera messages: each becomes RGB of its size, or a FrameError of one line.

The examples are the same in every run.
"""

import tracemalloc
import warnings
from collections import Counter

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from camera_images import image_message, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage

from smoe_ros.errors import FrameError
from smoe_ros.messages.decoding import MAX_PIXELS, PIXEL_BYTES, decompress, to_rgb

EXAMPLES = 2000
fuzz = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def outcome(convert, image):
    """Return the RGB image, or None for a FrameError; anything else fails the test."""
    before = bytes(image.data)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        try:
            rgb = convert(image)
        except FrameError as error:
            text = str(error)
            assert text
            assert text.isprintable(), 'the text has one line'
            assert len(text) < 400
            rgb = None
        else:
            assert rgb.dtype == np.uint8
            assert rgb.shape[2:] == (3,)
    assert bytes(image.data) == before
    return rgb


# --- raw images ---------------------------------------------------------------------------------

BYTES = st.integers(0, 255)
SEEDS = st.integers(0, 2**16)
NUMBERS = st.integers(0, 20) | st.integers(0, 2**32 - 1) | st.sampled_from([2**31, 2**32 - 1])
NAMES = st.sampled_from(sorted(PIXEL_BYTES)) | st.sampled_from(['', 'RGB8', 'rgb16', '64FC1'])


def noise(seed, count):
    """Return bytes of which each value is likely, zeros and float32's NaNs among them."""
    generator = np.random.default_rng(seed)
    data = generator.integers(0, 256, count, np.uint8)
    data[generator.random(count) < 0.2] = generator.choice([0, 255])
    return data.tobytes()


@st.composite
def valid_images(draw):
    """Draw what a driver may send: padded rows, a short last row, a long tail, either order."""
    encoding = draw(st.sampled_from(sorted(PIXEL_BYTES)))
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    width += width % 2 if encoding.startswith('yuv') else 0
    row = width * PIXEL_BYTES[encoding]
    step = row + draw(st.integers(0, 20))
    count = (height - 1) * step + row + draw(st.integers(0, 50))
    data = noise(draw(SEEDS), count)
    return image_message(encoding, height, width, data, step, draw(BYTES))


@st.composite
def arbitrary_images(draw):
    """Draw a message whose fields have nothing to do with each other."""
    return image_message(
        draw(NAMES | st.text(max_size=2000)),
        draw(NUMBERS),
        draw(NUMBERS),
        noise(draw(BYTES), draw(st.integers(0, 2000))),
        draw(NUMBERS),
        draw(BYTES),
    )


@fuzz
@given(valid_images())
def test_every_valid_image_becomes_rgb_of_its_size(image):
    rgb = outcome(to_rgb, image)
    assert rgb is not None
    assert rgb.shape == (image.height, image.width, 3)


def test_any_image_is_rgb_of_its_size_or_a_frame_error():
    counts = Counter()

    @fuzz
    @given(arbitrary_images())
    def convert(image):
        rgb = outcome(to_rgb, image)
        assert rgb is None or rgb.shape == (image.height, image.width, 3)
        counts[rgb is None] += 1

    convert()
    # Most are nonsense; those that are not show that the fields were not all refused at sight.
    assert len(counts) == 2, counts
    assert min(counts.values()) > 0.005 * EXAMPLES, counts


@pytest.mark.parametrize('encoding', PIXEL_BYTES)
@pytest.mark.parametrize(('side', 'step'), [(2**31, 1), (2**32 - 2, 2**32 - 1)])
def test_a_huge_claim_is_refused_before_memory_is_taken(encoding, side, step):
    image = image_message(encoding, side, side, bytes(1000), step)
    tracemalloc.start()
    try:
        assert outcome(to_rgb, image) is None
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


# --- compressed images --------------------------------------------------------------------------


SCENE = cv2.GaussianBlur(
    np.frombuffer(noise(0, 24 * 32 * 3), np.uint8).reshape(24, 32, 3), (0, 0), 2
)
GREY = SCENE[..., 0].copy()
DEPTH = GREY.astype(np.uint16) * 100
FILES = {
    'jpeg': written('.jpg', SCENE),
    'progressive jpeg': written('.jpg', SCENE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    'grey jpeg': written('.jpg', GREY),
    'png': written('.png', SCENE),
    'png with alpha': written('.png', np.dstack([SCENE, GREY])),
    'depth png': written('.png', DEPTH),
    'tiff': written('.tiff', SCENE),
    'depth tiff': written('.tiff', DEPTH),
    'float tiff': written('.tiff', DEPTH.astype(np.float32) / 1000),
    'webp': written('.webp', SCENE),
}
STARTS = [b'', b'\xff\xd8', b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n', b'II*\0', b'MM\0*']
STARTS += [b'RIFF\0\0\0\0WEBP', b'RIFF\0\0\0\0WEBPVP8 ', b'GIF89a', b'BM', b'\0\0\0 ftypavif']
FORMATS = st.sampled_from(
    [
        *('', 'jpeg', 'png', 'tiff', 'rgb8; jpeg compressed bgr8', 'rgb8; png compressed rgb8'),
        *('16UC1; png compressed ', '32FC1; tiff compressed ', 'rgb8; tiff compressed '),
        *('bayer_grbg8; png compressed ', 'bayer_rggb16; png compressed ', 'yuv422; b compressed'),
    ]
)


# The others leave little of a file; one turned bit is the one that decoders overlook.
DAMAGES = [*['flip'] * 5, 'random', 'cut', 'end', 'double', 'splice']


def damaged(name, seed):
    """Return a good file with bits turned, bytes cut out, doubled, or those of another file."""
    generator = np.random.default_rng(seed)
    data = bytearray(FILES[name])
    for _ in range(generator.choice([1, 1, 1, 2, 4])):
        start = int(generator.integers(len(data) + 1))
        end = min(start + int(generator.integers(1, 9)), len(data))
        damage = generator.choice(DAMAGES)
        if damage == 'flip':
            data[start : start + 1] = (
                byte ^ 1 << int(generator.integers(8)) for byte in data[start : start + 1]
            )
        elif damage == 'random':
            data[start:end] = generator.bytes(end - start)
        elif damage == 'cut':
            del data[start:end]
        elif damage == 'end':
            del data[start:]
        elif damage == 'double':
            data[start:start] = data[start:end]
        else:
            other = FILES[generator.choice(sorted(FILES))]
            data[start:end] = other[start : start + int(generator.integers(1, 200))]
    return bytes(data)


@fuzz
@given(st.sampled_from(STARTS), st.binary(max_size=300), FORMATS | st.text(max_size=2000))
def test_random_bytes_are_a_frame_error(start, data, image_format):
    assert outcome(decompress, CompressedImage(format=image_format, data=start + data)) is None


def test_a_damaged_file_is_rgb_or_a_frame_error():
    counts = Counter()

    @fuzz
    @given(st.sampled_from(sorted(FILES)), SEEDS, FORMATS | st.text(max_size=2000))
    def convert(name, seed, image_format):
        data = damaged(name, seed)
        rgb = outcome(decompress, CompressedImage(format=image_format, data=data))
        assert rgb is None or 0 < rgb.shape[0] * rgb.shape[1] <= MAX_PIXELS
        counts[rgb is None] += 1

    convert()
    assert len(counts) == 2, counts
    assert min(counts.values()) > 0.2 * EXAMPLES, counts
