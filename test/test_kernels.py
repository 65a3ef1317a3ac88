# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The compiled kernels: when they are used, and how they make a camera image smaller.

What the others compute is tested beside torch's way of computing it, in the tests of saliency and
rendering.
"""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from smoe_ros import kernels

pytest.importorskip('numba')


@pytest.mark.parametrize(
    'size', [(480, 640), (720, 1280), (448, 576), (225, 289), (224, 288), (1000, 300)]
)
def test_resizing_is_opencvs_average_over_areas_and_normalises_each_channel(size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    scales, offsets = np.float32([0.5, 2, 4]), np.float32([1, -2, 3])
    planes = kernels.load().resize_area(rgb, 224, 288, scales, offsets)
    opencvs = cv2.resize(rgb, (288, 224), interpolation=cv2.INTER_AREA)
    levels = (planes.transpose(1, 2, 0) - offsets) / scales
    # OpenCV rounds a half up where it halves exactly, and to even elsewhere.
    assert np.abs(levels - opencvs).max() <= 1
    assert abs(float((levels - opencvs).mean())) < 0.2


@pytest.mark.parametrize(('variable', 'used'), [('0', 'False'), ('1', 'True')])
def test_the_environment_says_whether_kernels_are_used(variable, used):
    code = (
        'import sys, torch\n'
        'from smoe_ros.saliency import smoe_scale\n'
        'smoe_scale(torch.rand(1, 8, 4, 4))\n'
        "print('numba' in sys.modules)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, 'PYTHONPATH': path, 'SMOE_KERNELS': variable}
    done = subprocess.run(
        [sys.executable, '-c', code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == used
