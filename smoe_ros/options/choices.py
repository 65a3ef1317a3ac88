# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The names that a user can choose from; what each stands for is looked up where it is used.

So that ``--help`` and mistakes need not wait for torch, which what they stand for imports.
"""

from __future__ import annotations

DEFAULT_BACKBONE = 'efficientnet_lite0'

EQUAL, PRIOR, LINEAR = SCALE_WEIGHTS = ('equal', 'prior', 'linear')
# Of the value before the activation; the other statistics are of the activation itself.
PRE_ACTIVATION_STATISTICS = ('truncated_normal_entropy',)
STATISTICS = (
    'smoe_scale',
    'gamma_scale',
    'channel_std',
    'channel_mean',
    'channel_max',
    *PRE_ACTIVATION_STATISTICS,
)
NORMALIZATIONS = ('gaussian_cdf', 'gamma_cdf', 'min_max')
NO_CAM = 'none'
CAMS = (NO_CAM, 'grad_cam', 'grad_cam_pp', 'x_grad_cam')

PRECISIONS = ('fp32', 'bf16', 'fp16')
TORCH, COMPILED, ONNXRUNTIME, AUTO = 'torch', 'compiled', 'onnxruntime', 'auto'
ENGINES = (AUTO, TORCH, COMPILED, ONNXRUNTIME)

RELIABILITIES = ('auto', 'reliable', 'best_effort')
TRANSPORTS = ('raw', 'compressed')
