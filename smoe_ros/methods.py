# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every statistic, normalisation and class activation by its name."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from smoe_ros.saliency import (
    CLASS_ACTIVATIONS,
    channel_max,
    channel_mean,
    channel_std,
    gamma_cdf,
    gamma_scale,
    gaussian_cdf,
    min_max,
    smoe_scale,
    truncated_normal_entropy,
)

_Reduce = Callable[[Tensor], Tensor]

# Of the value before the activation; the others are of the activation itself.
PRE_ACTIVATION_STATISTICS: dict[str, _Reduce] = {
    'truncated_normal_entropy': truncated_normal_entropy
}
STATISTICS: dict[str, _Reduce] = {
    'smoe_scale': smoe_scale,
    'gamma_scale': gamma_scale,
    'channel_std': channel_std,
    'channel_mean': channel_mean,
    'channel_max': channel_max,
    **PRE_ACTIVATION_STATISTICS,
}
NORMALIZATIONS: dict[str, _Reduce] = {
    'gaussian_cdf': gaussian_cdf,
    'gamma_cdf': gamma_cdf,
    'min_max': min_max,
}
NO_CAM = 'none'
CAMS = (NO_CAM, *CLASS_ACTIVATIONS)
