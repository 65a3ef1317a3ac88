# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is compared: our own maps, by every setting, and baselines that any method has to beat."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal, TypeAlias, cast

import cv2
import numpy as np
import torch
from torch import Tensor

from smoe_ros.evaluation.metrics.agreement import Array
from smoe_ros.explainer import Explainer, Explanation
from smoe_ros.options.choices import CAMS, NO_CAM, SCALE_WEIGHTS
from smoe_ros.saliency.methods import NORMALIZATIONS, STATISTICS, MethodOptions

Kind: TypeAlias = Literal['ours', 'baseline', 'peer']
Explain: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Makes of a batch (B, 3, H, W) and its classes (B,) maps (B, H, W), float32."""

# What the ablation combines with every statistic and normalisation.
_ABLATED_CAMS = (NO_CAM, 'grad_cam')
_CAM_NAMES = {'grad_cam': 'Grad-CAM', 'grad_cam_pp': 'Grad-CAM++', 'x_grad_cam': 'XGrad-CAM'}
# Of the centred Gaussian, as a share of each side.
_SPREAD = 0.25


@dataclass(frozen=True)
class MapMethod:
    """One way to make saliency maps.

    Attributes:
        name: Its name in tables; one of a kind.
        kind: ``'ours'``, ``'baseline'`` (what any method has to beat) or ``'peer'`` (another
            library's).
        explain: Makes the maps of a batch prepared for the network.
        note: What a reader of the figures should know of it.
    """

    name: str
    kind: Kind
    explain: Explain
    note: str = ''

    def of(self, image: Tensor, label: int) -> Array:
        """Return the map of one picture, (3, H, W) and its class -> (H, W).

        Raises:
            ValueError: If it is not a map that can be measured: finite, nowhere negative, of the
                picture's size.
        """
        labels = torch.tensor([label], device=image.device)
        saliency: Array = self.explain(image[None], labels)[0].cpu().numpy()
        size = tuple(image.shape[1:])
        if saliency.shape != size:
            raise ValueError(f'a map has the size of its picture, {size}, got {saliency.shape}')
        if not (np.isfinite(saliency) & (saliency >= 0)).all():
            raise ValueError('a map is finite and not negative, this one is not everywhere')
        return saliency


def standard_methods(explainer: Explainer) -> list[MapMethod]:
    """Return the explainer's saliency as it is set, then times each class activation."""
    settings = [replace(explainer.method, cam=cam, target_class=None) for cam in CAMS]
    return [own_method(explainer, options) for options in settings]


def own_method(explainer: Explainer, options: MethodOptions, name: str = '') -> MapMethod:
    """Return the saliency by some settings as a method, by default named by statistic and CAM."""
    if not name:
        base = 'SMOE Scale' if options.statistic == 'smoe_scale' else options.statistic
        name = base if options.cam == NO_CAM else f'{base} × {_CAM_NAMES[options.cam]}'
    return MapMethod(name, 'ours', _explained_by(explainer, options, lambda seen: seen.saliency))


def ablation_methods(explainer: Explainer) -> list[MapMethod]:
    """Return the settings that the network allows as methods, for the ablation of the paper.

    Every statistic × normalisation × preset of scale weights × no CAM and Grad-CAM; and the other
    CAMs with the default settings. A name is its settings, joined by ``', '``.
    """
    wanted = [
        MethodOptions(weights, statistic, normalization, cam)
        for statistic, normalization, weights, cam in product(
            STATISTICS, NORMALIZATIONS, SCALE_WEIGHTS, _ABLATED_CAMS
        )
    ]
    wanted += [MethodOptions(cam=cam) for cam in CAMS if cam not in _ABLATED_CAMS]
    return [
        own_method(explainer, options, _setting_name(options))
        for options in wanted
        if _allowed(explainer, options)
    ]


def baseline_methods(explainer: Explainer) -> list[MapMethod]:
    """Return the baselines of a network: four without gradients, and three class activations."""
    mean = MethodOptions(statistic='channel_mean', normalization='min_max')
    deepest = _explained_by(explainer, mean, lambda seen: seen.scale_maps[:, -1])
    methods = [
        MapMethod('random', 'baseline', _each(_noise), note='uniform noise'),
        MapMethod('centred Gaussian', 'baseline', _each(_centred), note='sigma: 1/4 of a side'),
        MapMethod('Sobel edges', 'baseline', _each(sobel_edges), note='of the input, no network'),
        MapMethod('last-layer mean', 'baseline', deepest, note='of the deepest scale'),
    ]
    for cam, name in _CAM_NAMES.items():
        options = replace(explainer.method, cam=cam)
        explain = _explained_by(explainer, options, lambda seen: seen.class_activation)
        methods.append(MapMethod(name, 'baseline', explain))
    return methods


def sobel_edges(image: Array) -> Array:
    """Return the strength of edges, (3, H, W) -> (H, W): Sobel's of the channels' mean."""
    mean = image.mean(axis=0)
    return np.hypot(cv2.Sobel(mean, cv2.CV_32F, 1, 0), cv2.Sobel(mean, cv2.CV_32F, 0, 1))


def _setting_name(options: MethodOptions) -> str:
    parts = (options.statistic, options.normalization, options.scale_weights, options.cam)
    return ', '.join(map(str, parts))


DEFAULTS = {cam: _setting_name(MethodOptions(cam=cam)) for cam in CAMS}
"""Name of the default settings with each CAM."""


def _allowed(explainer: Explainer, options: MethodOptions) -> bool:
    try:
        explainer.check(options)
    except ValueError:  # four scales have no prior; some activations no value before them
        return False
    return True


def _explained_by(
    explainer: Explainer, options: MethodOptions, choose: Callable[[Explanation], Any]
) -> Explain:
    """Choose a map by other settings than the explainer's, which stay as they are."""

    def explain(batch: Tensor, labels: Tensor) -> Tensor:
        kept = explainer.method
        explainer.method = options
        try:
            seen = explainer(batch, None if options.cam == NO_CAM else labels.tolist())
        finally:
            explainer.method = kept
        return cast(Tensor, choose(seen))

    return explain


def _each(draw: Callable[[Array], Array]) -> Explain:
    """Make a method of what draws one picture's map: (3, H, W) -> (H, W)."""

    def explain(batch: Tensor, _labels: Tensor) -> Tensor:
        maps = [draw(np.ascontiguousarray(image)) for image in batch.cpu().numpy()]
        return torch.from_numpy(np.stack(maps).astype(np.float32)).to(batch.device)

    return explain


def _noise(image: Array) -> Array:
    # The same for the same picture, another for any other.
    return np.random.default_rng(zlib.crc32(image.tobytes())).random(image.shape[1:])


def _centred(image: Array) -> Array:
    y, x = (
        np.exp(-(((np.arange(side) + 0.5) / side - 0.5) ** 2) / (2 * _SPREAD**2))
        for side in image.shape[1:]
    )
    return np.outer(y, x)
