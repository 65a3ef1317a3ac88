# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every statistic, normalisation and class activation by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from smoe_ros import saliency
from smoe_ros.errors import unknown_name
from smoe_ros.options import choices
from smoe_ros.options.choices import CAMS, NO_CAM

_Reduce = Callable[[Tensor], Tensor]

# A name that a user can choose is that of the function.
STATISTICS: dict[str, _Reduce] = {name: getattr(saliency, name) for name in choices.STATISTICS}
NORMALIZATIONS: dict[str, _Reduce] = {
    name: getattr(saliency, name) for name in choices.NORMALIZATIONS
}


@dataclass(frozen=True)
class MethodOptions:
    """How activations become an explanation; all of it may change from one frame to the next.

    Attributes:
        scale_weights: ``'equal'``, ``'prior'``, ``'linear'`` or one number a scale.
        statistic: A name in `STATISTICS`.
        normalization: A name in `NORMALIZATIONS`.
        cam: A name in `smoe_ros.options.choices.CAMS`.
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
