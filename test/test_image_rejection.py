# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Image messages that cannot be converted: each costs one FrameError that says why."""

import warnings

import numpy as np
import pytest

pytest.importorskip('rclpy')

from camera_images import PIXEL_BYTES, image_message, random_data
from hypothesis import given, settings
from hypothesis import strategies as st

from smoe_ros.errors import FrameError
from smoe_ros.messages.decoding import to_rgb


def rejection(image):
    with pytest.raises(FrameError) as rejected:
        to_rgb(image)
    return str(rejected.value)


@pytest.mark.parametrize(('height', 'width'), [(0, 0), (0, 8), (6, 0)])
@pytest.mark.parametrize('data', [b'', b'some data'])
def test_an_empty_image_is_rejected_with_its_size(height, width, data):
    text = rejection(image_message('rgb8', height, width, data, step=24))
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


@st.composite
def plausible(draw):
    """Draw a message that is right but for what a driver gets wrong: padding, length, order."""
    encoding = draw(st.sampled_from(sorted(PIXEL_BYTES)))
    height, width = draw(st.integers(0, 7)), draw(st.integers(0, 7))
    row = width * PIXEL_BYTES[encoding]
    step = max(row + draw(st.integers(-2, 6)), 0)
    length = max(height * step + draw(st.integers(-8, 8)), 0)
    data = draw(st.binary(min_size=length, max_size=length))
    return image_message(encoding, height, width, data, step, draw(st.integers(0, 255)))


@st.composite
def arbitrary(draw):
    """Draw a message whose numbers have nothing to do with each other."""
    number = st.integers(0, 2**32 - 1) | st.integers(0, 20)
    encoding = draw(st.sampled_from(sorted(PIXEL_BYTES)) | st.text('rgbaUCF1683_', max_size=8))
    height, width, step = (draw(number) for _ in range(3))
    data = draw(st.binary(max_size=300))
    return image_message(encoding, height, width, data, step, draw(st.integers(0, 255)))


@settings(deadline=None, max_examples=600, database=None)
@given(plausible() | arbitrary())
def test_any_message_becomes_rgb_of_its_size_or_a_frame_error(image):
    before = image.data.tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        try:
            rgb = to_rgb(image)
        except FrameError as error:
            assert str(error)
        else:
            assert (rgb.shape, rgb.dtype) == ((image.height, image.width, 3), np.uint8)
    assert image.data.tobytes() == before
