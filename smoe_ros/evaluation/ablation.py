# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The ablation of the paper: every statistic, normalisation and weights, without and with CAM."""

from __future__ import annotations

from itertools import product

from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.own_methods import own_method
from smoe_ros.explainer import Explainer
from smoe_ros.options.choices import SCALE_WEIGHTS
from smoe_ros.saliency.methods import CAMS, NO_CAM, NORMALIZATIONS, STATISTICS, MethodOptions

_CAM = 'grad_cam'


def ablation_options(explainer: Explainer) -> list[MethodOptions]:
    """Return the settings that are compared: those that the network allows.

    Every statistic × normalisation × preset of scale weights × no CAM and Grad-CAM; and the other
    CAMs with the default settings.

    Args:
        explainer: Of the network.
    """
    wanted = [
        MethodOptions(weights, statistic, normalization, cam)
        for statistic, normalization, weights, cam in product(
            STATISTICS, NORMALIZATIONS, SCALE_WEIGHTS, (NO_CAM, _CAM)
        )
    ]
    wanted += [MethodOptions(cam=cam) for cam in CAMS if cam not in (NO_CAM, _CAM)]
    return [options for options in wanted if _allowed(explainer, options)]


def ablation_methods(explainer: Explainer) -> list[MapMethod]:
    """Return the compared settings as methods; a name is its settings, joined by ``', '``."""
    return [
        own_method(explainer, options, setting_name(options))
        for options in ablation_options(explainer)
    ]


def setting_name(options: MethodOptions) -> str:
    """Return statistic, normalisation, scale weights and CAM as one name."""
    parts = (options.statistic, options.normalization, options.scale_weights, options.cam)
    return ', '.join(map(str, parts))


DEFAULTS = {cam: setting_name(MethodOptions(cam=cam)) for cam in CAMS}
"""Name of the default settings with each CAM."""


def _allowed(explainer: Explainer, options: MethodOptions) -> bool:
    try:
        explainer.check(options)
    except ValueError:  # four scales have no prior; some activations no value before them
        return False
    return True
