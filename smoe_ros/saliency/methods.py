# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every statistic, normalisation and class activation by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from smoe_ros.errors import unknown_name
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


@dataclass(frozen=True)
class MethodOptions:
    """How activations become an explanation; all of it may change from one frame to the next.

    Attributes:
        scale_weights: ``'equal'``, ``'prior'``, ``'linear'`` or one number a scale.
        statistic: A name in `STATISTICS`.
        normalization: A name in `NORMALIZATIONS`.
        cam: A name in `CAMS`.
        target_class: Class of the class activation, one for all frames or one a frame; None takes
            each frame's most probable one.
    """

    scale_weights: str | Sequence[float] = 'equal'
    statistic: str = 'smoe_scale'
    normalization: str = 'gaussian_cdf'
    cam: str = NO_CAM
    target_class: int | Sequence[int] | None = None

    def check_names(self) -> None:
        """Refuse unknown names.

        Raises:
            ConfigurationError: With the nearest names that are known.
        """
        for what, name, known in (
            ('statistic', self.statistic, STATISTICS),
            ('normalization', self.normalization, NORMALIZATIONS),
            ('cam', self.cam, CAMS),
        ):
            if name not in known:
                raise unknown_name(what, name, known)
