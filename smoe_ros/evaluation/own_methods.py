# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The package's own maps as methods to compare."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.explainer import Explainer, Explanation
from smoe_ros.saliency.methods import CAMS, NO_CAM, MethodOptions

CAM_NAMES = {'grad_cam': 'Grad-CAM', 'grad_cam_pp': 'Grad-CAM++', 'x_grad_cam': 'XGrad-CAM'}
_NAME = 'SMOE Scale'


def explained_by(
    explainer: Explainer, options: MethodOptions, batch: Tensor, labels: Tensor
) -> Explanation:
    """Explain a batch by other settings than the explainer's, which stay as they are.

    Args:
        explainer: Explains.
        options: How.
        batch: Frames as the network gets them, shape (B, 3, H, W).
        labels: Class of each for the class activation, shape (B,).
    """
    kept = explainer.method
    explainer.method = options
    try:
        return explainer(batch, None if options.cam == NO_CAM else labels.tolist())
    finally:
        explainer.method = kept


def own_method(explainer: Explainer, options: MethodOptions, name: str = '') -> MapMethod:
    """Return the saliency by some settings as a method.

    Args:
        explainer: Of the network.
        options: The settings.
        name: Name in tables; by default the settings' statistic and CAM.
    """

    def explain(batch: Tensor, labels: Tensor) -> Tensor:
        return explained_by(explainer, options, batch, labels).saliency

    if not name:
        base = _NAME if options.statistic == 'smoe_scale' else options.statistic
        name = base if options.cam == NO_CAM else f'{base} × {CAM_NAMES[options.cam]}'
    return MapMethod(name, 'ours', explain, uses_class=options.cam != NO_CAM)


def standard_methods(explainer: Explainer) -> tuple[MapMethod, ...]:
    """Return the explainer's saliency as it is set, then times each class activation."""
    settings = [replace(explainer.method, cam=cam, target_class=None) for cam in CAMS]
    return tuple(own_method(explainer, options) for options in settings)
