# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Mathematics of saliency on tensors. Needs torch only, and records no gradients."""

from smoe_ros.saliency.fusion import FusedSaliency, fuse_scales, resolve_scale_weights
from smoe_ros.saliency.normalization import gaussian_cdf, min_max
from smoe_ros.saliency.points import most_salient_point
from smoe_ros.saliency.statistics import smoe_scale

__all__ = [
    'FusedSaliency',
    'fuse_scales',
    'gaussian_cdf',
    'min_max',
    'most_salient_point',
    'resolve_scale_weights',
    'smoe_scale',
]
