# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every method has to beat: maps that know little of the network, and class activations."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.own_methods import CAM_NAMES, explained_by
from smoe_ros.explainer import Explainer
from smoe_ros.saliency.methods import MethodOptions

# Of the centred Gaussian, as a share of each side.
_SPREAD = 0.25


def baseline_methods(explainer: Explainer) -> tuple[MapMethod, ...]:
    """Return the baselines of a network: four without gradients, and three class activations.

    Args:
        explainer: Of the network.
    """

    def last_layer_mean(batch: Tensor, labels: Tensor) -> Tensor:
        options = MethodOptions(statistic='channel_mean', normalization='min_max')
        return explained_by(explainer, options, batch, labels).scale_maps[:, -1]

    methods = [
        MapMethod('random', 'baseline', _each(_noise), note='uniform noise'),
        MapMethod('centred Gaussian', 'baseline', _each(_centred), note='sigma: 1/4 of a side'),
        MapMethod('Sobel edges', 'baseline', _each(sobel_edges), note='of the input, no network'),
        MapMethod('last-layer mean', 'baseline', last_layer_mean, note='of the deepest scale'),
    ]
    for cam, name in CAM_NAMES.items():
        methods.append(MapMethod(name, 'baseline', _class_map(explainer, cam), uses_class=True))
    return tuple(methods)


def sobel_edges(image: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return the strength of edges: Sobel's gradient of the mean over the channels.

    Args:
        image: A picture as the network gets it, shape (3, H, W).

    Returns:
        Shape (H, W).
    """
    mean = image.mean(axis=0)
    return np.hypot(cv2.Sobel(mean, cv2.CV_32F, 1, 0), cv2.Sobel(mean, cv2.CV_32F, 0, 1))


def _class_map(explainer: Explainer, cam: str) -> Callable[[Tensor, Tensor], Tensor]:
    def explain(batch: Tensor, labels: Tensor) -> Tensor:
        options = replace(explainer.method, cam=cam)
        seen = explained_by(explainer, options, batch, labels).class_activation
        assert seen is not None, 'asked for'
        return seen

    return explain


def _each(
    draw: Callable[[NDArray[np.float32]], NDArray[np.floating]],
) -> Callable[[Tensor, Tensor], Tensor]:
    """Make a method of what draws one picture's map: (3, H, W) -> (H, W)."""

    def explain(batch: Tensor, _labels: Tensor) -> Tensor:
        maps = [draw(np.ascontiguousarray(image)) for image in batch.cpu().numpy()]
        return torch.from_numpy(np.stack(maps).astype(np.float32)).to(batch.device)

    return explain


def _noise(image: NDArray[np.float32]) -> NDArray[np.floating]:
    # The same for the same picture, another for any other.
    return np.random.default_rng(zlib.crc32(image.tobytes())).random(image.shape[1:])


def _centred(image: NDArray[np.float32]) -> NDArray[np.floating]:
    y, x = (
        np.exp(-(((np.arange(side) + 0.5) / side - 0.5) ** 2) / (2 * _SPREAD**2))
        for side in image.shape[1:]
    )
    return y[:, None] * x[None, :]
