# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The compiled kernels give what torch, NumPy and OpenCV give, and what the definitions say."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from smoe_ros import kernels, rendering
from smoe_ros.backbones.preprocessing import Preprocessing
from smoe_ros.saliency import fuse_scales, gaussian_cdf, smoe_scale

pytest.importorskip('numba')

SHAPES = [(1, 1, 3, 5), (2, 3, 4, 4), (1, 64, 17, 31), (2, 130, 9, 5), (1, 2051, 3, 3)]
LAYOUTS = {
    'planes': lambda values: values,
    'pixels': lambda values: np.ascontiguousarray(values.transpose(0, 2, 3, 1)).transpose(
        0, 3, 1, 2
    ),
    'neither': lambda values: np.ascontiguousarray(values.transpose(3, 1, 2, 0)).transpose(
        3, 1, 2, 0
    ),
}


@pytest.fixture
def without_kernels(monkeypatch):
    """Return a function that computes something without them."""

    def compute(function, *args, **kwargs):
        with monkeypatch.context() as patch:
            patch.setattr(kernels, 'load', lambda: None)
            return function(*args, **kwargs)

    return compute


def rectified(shape, seed=0, scale=1.0):
    return np.maximum(np.random.default_rng(seed).normal(0, scale, shape), 0).astype(np.float32)


def exact_smoe_scale(activation):
    x = np.maximum(activation.astype(np.float64), 0) + 1e-7
    mean = x.mean(axis=1)
    return mean * (np.log2(mean) - np.log2(x).mean(axis=1))


def maps(count=5, height=23, width=37, seed=0):
    return np.random.default_rng(seed).random((count, height, width), np.float32)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('shape', SHAPES)
def test_smoe_scale_is_exact_in_every_layout(shape, layout):
    activation = LAYOUTS[layout](rectified(shape))
    np.testing.assert_allclose(
        kernels.load().smoe_scale(activation), exact_smoe_scale(activation), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('scale', [1e-6, 1e3, 1e12, 1e36])
def test_smoe_scale_is_exact_where_products_leave_float32(scale, layout):
    activation = LAYOUTS[layout](rectified((1, 37, 5, 6), scale=scale))
    exact = exact_smoe_scale(activation)
    found = kernels.load().smoe_scale(activation)
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_smoe_scale_of_nearly_equal_channels_keeps_its_digits(layout):
    spread = np.random.default_rng(1).random((1, 64, 5, 5)).astype(np.float32)
    activation = LAYOUTS[layout](1 + 1e-3 * spread)
    np.testing.assert_allclose(
        kernels.load().smoe_scale(activation), exact_smoe_scale(activation), rtol=1e-4
    )


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_smoe_scale_shows_where_a_channel_is_not_finite(bad, layout):
    activation = rectified((1, 66, 4, 4))
    activation[0, 65, 2, 1] = activation[0, 3, 0, 3] = bad
    finite = np.isfinite(kernels.load().smoe_scale(LAYOUTS[layout](activation)))
    assert sorted(zip(*np.nonzero(~finite), strict=True)) == [(0, 0, 3), (0, 2, 1)]


@pytest.mark.parametrize('spread', [0.0, 1e-6, 1.0])
def test_gaussian_cdf_is_torchs(spread, without_kernels):
    raw = torch.from_numpy(0.7 + spread * maps(3))
    torch.testing.assert_close(
        gaussian_cdf(raw), without_kernels(gaussian_cdf, raw), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize('size', [(64, 96), (11, 200), (5, 7), (23, 37)])
def test_fusing_is_torchs(size, without_kernels):
    scale_maps = [torch.from_numpy(maps(2, *shape)) for shape in ((23, 37), (11, 18), (5, 7))]
    weights = [0.5, 2.0, 1.0]
    mine = fuse_scales(scale_maps, size, weights)
    torchs = without_kernels(fuse_scales, scale_maps, size, weights)
    for one, other in zip(mine, torchs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-6)


@pytest.mark.parametrize('count', [1, 2, 5])
def test_pictures_are_numpys(count, without_kernels):
    scale_maps = maps(count)
    scale_maps[:, :4] = 0  # where nothing is salient
    scale_maps[:, 4:6] = 0.5  # where all agree
    weights = list(range(1, count + 1))
    for draw in (rendering.lovi, lambda given: rendering.heat_map(given, weights)):
        mine = draw(scale_maps).astype(int)
        numpys = without_kernels(draw, scale_maps).astype(int)
        # One step of 255 where a value lies between two.
        assert np.abs(mine - numpys).max() <= 1


@pytest.mark.parametrize(
    'size', [(480, 640), (720, 1280), (448, 576), (225, 289), (224, 288), (1000, 300)]
)
def test_resizing_is_opencvs_average_over_areas(size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    planes = kernels.load().resize_area(rgb, 224, 288, np.ones(3, 'f4'), np.zeros(3, 'f4'))
    opencvs = cv2.resize(rgb, (288, 224), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    # OpenCV rounds a half up where it halves exactly, and to even elsewhere.
    assert np.abs(planes - opencvs).max() <= 1
    assert abs(float((planes - opencvs).mean())) < 0.2


def test_preprocessing_normalises_each_channel_by_its_own(without_kernels):
    rgb = np.random.default_rng(0).integers(0, 256, (97, 131, 3)).astype(np.uint8)
    preprocess = Preprocessing((10.0, 20.0, 30.0), (1.0, 2.0, 4.0), 64)
    torch.testing.assert_close(
        preprocess(rgb), without_kernels(preprocess, rgb), rtol=0, atol=1.001
    )


def run_with(kernels_variable):
    code = (
        'import sys, torch\n'
        'from smoe_ros.saliency import smoe_scale\n'
        'smoe_scale(torch.rand(1, 8, 4, 4))\n'
        "print('numba' in sys.modules)"
    )
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    environment['SMOE_KERNELS'] = kernels_variable
    return subprocess.run(
        [sys.executable, '-c', code],
        env=environment, capture_output=True, text=True, check=True, timeout=120,
    ).stdout.strip()  # fmt: skip


@pytest.mark.parametrize(('variable', 'used'), [('0', 'False'), ('1', 'True')])
def test_the_environment_says_whether_kernels_are_used(variable, used):
    assert run_with(variable) == used


def test_without_numba_torch_computes_the_same(without_kernels):
    activation = torch.from_numpy(rectified((2, 65, 9, 7)))
    torch.testing.assert_close(
        smoe_scale(activation), without_kernels(smoe_scale, activation), rtol=1e-5, atol=1e-5
    )
