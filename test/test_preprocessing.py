# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a camera frame to a network's input: its size, its values, and frames that have none."""

import math
import warnings

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import ASTRONAUT, CAT
from tensors import law, without_kernels

from smoe_ros.backbones.preprocessing import Preprocessing
from smoe_ros.errors import ConfigurationError, FrameError

LITE = ((127.0,) * 3, (128.0,) * 3)
IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))

law = settings(law, max_examples=200)

PREPROCESSING = {
    'compiled': Preprocessing.__call__,
    'by OpenCV': without_kernels(Preprocessing.__call__),
}
both_ways = pytest.mark.parametrize('preprocess', PREPROCESSING.values(), ids=PREPROCESSING)


def input_size(width, height, short_side=224):
    return Preprocessing(*LITE, short_side).input_size(height, width)


# --- size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('frame', 'size'),
    [
        ('640x480', (224, 288)),
        ('640x272', (224, 512)),
        ('1280x720', (224, 384)),
        ('480x640', (288, 224)),
        ('512x512', (224, 224)),
        ('1x1', (224, 224)),
        ('16x1', (224, 3584)),
    ],
)
def test_the_input_keeps_the_frames_aspect_ratio(frame, size):
    assert input_size(*map(int, frame.split('x'))) == size


@law
@given(
    st.integers(1, 5000),
    st.floats(1, 16),
    st.booleans(),
    st.sampled_from([32, 96, 224, 320]),
)
def test_both_sides_are_multiples_of_32_and_the_short_one_is_as_set(
    short, ratio, portrait, short_side
):
    long = int(short * ratio)
    size = input_size(short, long, short_side) if portrait else input_size(long, short, short_side)
    assert all(side % 32 == 0 for side in size)
    assert min(size) == short_side
    assert size == tuple(sorted(size, reverse=portrait))


@law
@given(st.integers(100, 3000), st.floats(1, 3))
def test_frames_up_to_three_to_one_are_distorted_by_less_than_8_percent(short, ratio):
    long = round(short * ratio)
    height, width = input_size(long, short)
    distortion = (width / height) / (long / short)
    assert abs(math.log(distortion)) < math.log(1.08)


@pytest.mark.parametrize('short_side', [0, -32, 100, 225])
def test_a_short_side_that_is_no_positive_multiple_of_32_is_refused(short_side):
    with pytest.raises(ConfigurationError, match=f'positive multiple of 32, got {short_side}'):
        Preprocessing(*LITE, short_side)


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(('mean', 'std'), [LITE, IMAGENET], ids=['lite', 'imagenet'])
@both_ways
def test_pixels_become_value_minus_mean_over_standard_deviation(preprocess, mean, std):
    rgb = ASTRONAUT()[100:324, 100:388]
    actual = preprocess(Preprocessing(mean, std, 224), rgb)
    expected = (rgb.astype(np.float64) - np.array(mean)) / np.array(std)
    assert actual.dtype == torch.float32
    np.testing.assert_allclose(actual.numpy(), expected.transpose(2, 0, 1), rtol=0, atol=1e-5)


@both_ways
def test_a_photograph_is_resized_as_opencv_does(preprocess):
    rgb = CAT()
    expected = cv2.resize(rgb, (352, 224), interpolation=cv2.INTER_AREA).astype(np.float64)
    actual = preprocess(Preprocessing(*LITE, 224), rgb)
    np.testing.assert_allclose(
        actual.numpy(), (expected.transpose(2, 0, 1) - 127) / 128, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    'size', [(480, 640), (720, 1280), (448, 576), (225, 289), (224, 288), (1000, 300)], ids=str
)
@both_ways
def test_any_size_is_averaged_over_areas_as_opencv_does(preprocess, size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    mean, std = np.array(IMAGENET)
    planes = preprocess(Preprocessing(*IMAGENET, 224), rgb).numpy()
    opencvs = cv2.resize(rgb, planes.shape[:0:-1], interpolation=cv2.INTER_AREA)
    levels = planes.transpose(1, 2, 0) * std + mean
    # OpenCV rounds a half up where it halves exactly, and to even elsewhere.
    assert np.abs(levels - opencvs).max() <= 1 + 1e-4
    assert abs(float((levels - opencvs).mean())) < 0.2


@pytest.mark.parametrize(
    ('corner', 'row', 'column'), [((slice(0, 9), slice(0, 9)), 0, 0), ((-1, -1), -1, -1)]
)
def test_small_frames_are_enlarged_without_moving_their_content(corner, row, column):
    rgb = np.zeros((30, 40, 3), np.uint8)
    rgb[corner] = 255
    actual = Preprocessing(*LITE, 224)(rgb)
    assert actual.shape == (3, 224, 288)
    assert (actual[:, row, column] == 1).all()
    assert (actual[:, 112, 144] == -127 / 128).all()


@pytest.mark.parametrize('size', [(224, 288), (300, 400)], ids=['as it is', 'resized'])
@pytest.mark.parametrize(
    'view',
    [
        lambda rgb: rgb[::-1],
        lambda rgb: rgb[:, ::-1],
        lambda rgb: rgb[..., ::-1],
        np.asfortranarray,
        lambda rgb: np.repeat(np.repeat(rgb, 2, 0), 2, 1)[::2, ::2],
    ],
    ids=['upside down', 'mirrored', 'from bgr', 'fortran', 'every second pixel'],
)
@both_ways
def test_a_view_of_a_frame_is_read_like_its_copy(preprocess, size, view):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    network = Preprocessing(*IMAGENET, 224)
    assert torch.equal(preprocess(network, view(rgb)), preprocess(network, view(rgb).copy()))


@pytest.mark.parametrize('size', [(224, 288), (300, 400)], ids=['as it is', 'resized'])
@both_ways
def test_a_frame_is_neither_changed_nor_shared_nor_need_be_writable(preprocess, size):
    rgb = np.full((*size, 3), 200, np.uint8)
    rgb.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        result = preprocess(Preprocessing(*LITE, 224), rgb)
    result.zero_()
    assert (rgb == 200).all()


# --- frames without an input --------------------------------------------------------------------


@pytest.mark.parametrize('frame', ['0x0', '640x0', '0x480', '1700x100', '1x17'])
def test_an_empty_frame_and_an_extreme_aspect_ratio_are_refused_with_the_size(frame):
    width, height = map(int, frame.split('x'))
    with pytest.raises(FrameError, match=f'an image of {frame} pixels cannot be explained'):
        Preprocessing(*LITE, 224)(np.zeros((height, width, 3), np.uint8))


@pytest.mark.parametrize(
    ('frame', 'text'),
    [
        (np.zeros((48, 64), np.uint8), r'got \(48, 64\) and uint8'),
        (np.zeros((48, 64, 4), np.uint8), r'got \(48, 64, 4\) and uint8'),
        (np.zeros((48, 64, 3), np.float32), r'got \(48, 64, 3\) and float32'),
    ],
    ids=['grey', 'rgba', 'float'],
)
def test_an_array_that_is_no_rgb_image_is_refused_with_its_shape_and_type(frame, text):
    with pytest.raises(FrameError, match=text):
        Preprocessing(*LITE, 224)(frame)
