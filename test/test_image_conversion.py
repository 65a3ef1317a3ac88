# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From sensor_msgs/Image to RGB: every encoding, every byte layout, and what is refused."""

import numpy as np
import pytest

pytest.importorskip('rclpy')

from camera_images import (
    DEPTH,
    GREY,
    HEIGHT,
    SCENE,
    WIDTH,
    grey,
    image_message,
    random_data,
)

from smoe_ros.errors import FrameError
from smoe_ros.messages.decoding import PIXEL_BYTES, to_rgb


def stretched(values):
    """Return values stretched from the smallest to the largest, as three equal channels."""
    values = values.astype(np.float64)
    scaled = (values - values.min()) / (values.max() - values.min()) * 255
    return grey(scaled)


# Of each encoding the bytes, by NumPy alone, and the RGB image that they mean.
EXACT = {
    'rgb8': (SCENE, SCENE),
    'bgr8': (SCENE[..., ::-1], SCENE),
    '8UC3': (SCENE[..., ::-1], SCENE),
    'rgba8': (np.dstack([SCENE, GREY]), SCENE),
    'bgra8': (np.dstack([SCENE[..., ::-1], GREY]), SCENE),
    'mono8': (GREY, grey(GREY)),
    '8UC1': (GREY, grey(GREY)),
    'mono16': (DEPTH.astype('<u2'), stretched(DEPTH)),
    '16UC1': (DEPTH.astype('<u2'), stretched(DEPTH)),
    '32FC1': ((DEPTH / 1000).astype('<f4'), stretched(DEPTH)),
}
YUV_ORDER = {'yuv422': 'UYVY', 'yuv422_yuy2': 'YUYV'}
BAYER = ('bayer_rggb8', 'bayer_bggr8', 'bayer_gbrg8', 'bayer_grbg8')
WIDE = ('mono16', '16UC1', '32FC1')


# --- what the encodings mean --------------------------------------------------------------------


def test_every_encoding_has_a_test_of_its_meaning():
    assert {*EXACT, *YUV_ORDER, *BAYER} == set(PIXEL_BYTES)


@pytest.mark.parametrize('encoding', EXACT)
def test_rgb_and_grey_convert_without_loss_and_depth_is_stretched(encoding):
    pixels, expected = EXACT[encoding]
    rgb = to_rgb(image_message(encoding, HEIGHT, WIDTH, pixels.tobytes()))
    assert (rgb.shape, rgb.dtype) == (SCENE.shape, np.uint8)
    np.testing.assert_allclose(rgb, expected, atol=0 if pixels.dtype == np.uint8 else 1)


@pytest.mark.parametrize('encoding', YUV_ORDER)
def test_yuv_images_convert_by_bt601(encoding):
    """Two pixels share U and V; R = 1.164 (Y − 16) + 1.596 (V − 128), and so on."""
    generator = np.random.default_rng(0)
    y = generator.integers(16, 236, (HEIGHT, WIDTH)).astype(np.float64)
    u, v = generator.integers(16, 241, (2, HEIGHT, WIDTH // 2)).astype(np.float64)
    planes = {'Y': iter((y[:, ::2], y[:, 1::2])), 'U': iter((u,)), 'V': iter((v,))}
    pixels = np.dstack([next(planes[letter]) for letter in YUV_ORDER[encoding]]).astype(np.uint8)
    u, v = np.repeat(u, 2, axis=1) - 128, np.repeat(v, 2, axis=1) - 128
    luma = 1.164 * (y - 16)
    expected = np.dstack([luma + 1.596 * v, luma - 0.813 * v - 0.391 * u, luma + 2.018 * u])
    rgb = to_rgb(image_message(encoding, HEIGHT, WIDTH, pixels.tobytes()))
    np.testing.assert_allclose(rgb, expected.clip(0, 255), atol=2)


def mosaic(encoding, rgb):
    """Return what a sensor behind a Bayer filter sees: one colour of each pixel."""
    pattern = encoding.removeprefix('bayer_').removesuffix('8')
    seen = np.zeros(rgb.shape[:2], np.uint8)
    for index, letter in enumerate(pattern):
        place = slice(index // 2, None, 2), slice(index % 2, None, 2)
        seen[place] = rgb[(*place, 'rgb'.index(letter))]
    return seen


@pytest.mark.parametrize('encoding', BAYER)
def test_bayer_images_of_coloured_fields_have_their_colours(encoding):
    colours = [(210, 90, 20), (30, 200, 60), (15, 70, 220), (128, 128, 128)]
    fields = np.array(colours, np.uint8).reshape(2, 2, 3)
    scene = np.repeat(np.repeat(fields, 20, axis=0), 20, axis=1)
    rgb = to_rgb(image_message(encoding, 40, 40, mosaic(encoding, scene).tobytes()))
    for y, x in np.ndindex(2, 2):
        inside = slice(20 * y + 4, 20 * y + 16), slice(20 * x + 4, 20 * x + 16)
        np.testing.assert_allclose(rgb[inside], scene[inside], atol=1)


# --- depth and thermal images -------------------------------------------------------------------


NAN, INF = float('nan'), float('inf')


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ([1, NAN, 2, INF, 3, -INF], [0, 0, 127, 0, 255, 0]),
        ([-3.4e38, 0, 3.4e38], [0, 127, 255]),
        *(([constant] * 3, [0, 0, 0]) for constant in (0.0, 1.5, NAN, INF)),
    ],
)
def test_floats_are_stretched_over_their_range_and_without_depth_or_range_black(values, expected):
    data = np.array(values, '<f4').tobytes()
    rgb = to_rgb(image_message('32FC1', 1, len(values), data))
    assert rgb[0, :, 0].tolist() == expected


def test_signalling_nans_are_no_depth_without_a_warning(recwarn):
    data = np.array([0x3F800000, 0x7F800001, 0x40000000], '<u4').tobytes()
    assert to_rgb(image_message('32FC1', 1, 3, data))[0, :, 0].tolist() == [0, 0, 255]
    assert not recwarn.list


# --- layouts of the bytes -----------------------------------------------------------------------


@pytest.mark.parametrize('encoding', PIXEL_BYTES)
def test_padding_at_the_end_of_rows_is_not_looked_at(encoding):
    height, width, padding = 6, 8, 5
    row = width * PIXEL_BYTES[encoding]
    rows = np.frombuffer(random_data(height * row), np.uint8).reshape(height, row)
    padded = np.hstack([rows, np.full((height, padding), 0xA5, np.uint8)]).tobytes()
    expected = to_rgb(image_message(encoding, height, width, rows.tobytes()))
    for data in (padded, padded[:-padding], padded + b'more than the header says'):
        image = image_message(encoding, height, width, data, step=row + padding)
        np.testing.assert_array_equal(to_rgb(image), expected)


@pytest.mark.parametrize('encoding', WIDE)
def test_wide_pixels_are_read_in_the_byte_order_of_the_message(encoding):
    pixels, _ = EXACT[encoding]
    little = to_rgb(image_message(encoding, HEIGHT, WIDTH, pixels.tobytes()))
    swapped = pixels.astype(pixels.dtype.newbyteorder('>')).tobytes()
    big = to_rgb(image_message(encoding, HEIGHT, WIDTH, swapped, is_bigendian=1))
    np.testing.assert_array_equal(big, little)


@pytest.mark.parametrize('encoding', sorted(set(PIXEL_BYTES) - set(WIDE)))
def test_one_byte_has_no_byte_order(encoding):
    data = random_data(6 * 8 * PIXEL_BYTES[encoding])
    little, big = (to_rgb(image_message(encoding, 6, 8, data, is_bigendian=e)) for e in (0, 1))
    np.testing.assert_array_equal(big, little)


# --- refusals -----------------------------------------------------------------------------------


def rejection(image):
    with pytest.raises(FrameError) as rejected:
        to_rgb(image)
    return str(rejected.value)


@pytest.mark.parametrize(('height', 'width'), [(0, 0), (0, 8), (6, 0)])
def test_an_empty_image_is_rejected_with_its_size(height, width):
    text = rejection(image_message('rgb8', height, width, b'some data', step=24))
    assert text == f'the image is empty: {width}x{height} pixels'


@pytest.mark.parametrize('encoding', PIXEL_BYTES)
@pytest.mark.parametrize('padding', [0, 5])
def test_an_image_that_lacks_one_byte_is_rejected_as_truncated(encoding, padding):
    row = 8 * PIXEL_BYTES[encoding]
    needed = 5 * (row + padding) + row
    data = random_data(needed)
    assert to_rgb(image_message(encoding, 6, 8, data, step=row + padding)).shape == (6, 8, 3)
    text = rejection(image_message(encoding, 6, 8, data[:-1], step=row + padding))
    assert text.startswith(
        f'the image is truncated: {needed - 1} bytes of data, {needed} needed for 8x6 '
    )


@pytest.mark.parametrize('encoding', PIXEL_BYTES)
@pytest.mark.parametrize('step', [0, -1])
def test_a_step_shorter_than_a_row_is_rejected_with_both(encoding, step):
    row = 8 * PIXEL_BYTES[encoding]
    step = row + step if step else 0
    text = rejection(image_message(encoding, 6, 8, random_data(6 * row), step=step))
    assert text == f"step is {step} bytes, but a row of 8 '{encoding}' pixels has {row}"


@pytest.mark.parametrize('encoding', ['', 'RGB8', 'jpeg', 'bayer_rggb16', '64FC1', '8UC2'])
def test_an_unknown_encoding_is_rejected_with_the_right_ones(encoding):
    text = rejection(image_message(encoding, 6, 8, random_data(6 * 8 * 4), step=32))
    start, known = text.split('; publish one of ')
    assert start == f"image encoding '{encoding}' is not known"
    assert set(known.split(', ')) == set(PIXEL_BYTES)


@pytest.mark.parametrize('encoding', ['yuv422', 'yuv422_yuy2'])
def test_a_yuv_image_of_an_odd_width_is_rejected(encoding):
    text = rejection(image_message(encoding, 6, 7, random_data(6 * 14)))
    assert f"an image of encoding '{encoding}' has an even width" in text
