# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Mathematics of saliency on tensors. Needs torch only, and records no gradients."""

from smoe_ros.saliency.class_activation import class_activation
from smoe_ros.saliency.fusion import FusedSaliency, fuse_scales, resolve_scale_weights
from smoe_ros.saliency.normalization import gamma_cdf, gaussian_cdf, min_max
from smoe_ros.saliency.points import feature_vectors, most_salient_point
from smoe_ros.saliency.statistics import (
    channel_max,
    channel_mean,
    channel_std,
    gamma_scale,
    smoe_scale,
    truncated_normal_entropy,
)

__all__ = [
    'FusedSaliency',
    'channel_max',
    'channel_mean',
    'channel_std',
    'class_activation',
    'feature_vectors',
    'fuse_scales',
    'gamma_cdf',
    'gamma_scale',
    'gaussian_cdf',
    'min_max',
    'most_salient_point',
    'resolve_scale_weights',
    'smoe_scale',
    'truncated_normal_entropy',
]
