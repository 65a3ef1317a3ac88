# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Class activation maps: where the evidence for one class lies in one activation.

Sources: Grad-CAM, arXiv 1610.02391; Grad-CAM++, arXiv 1710.11063; XGrad-CAM, arXiv 2008.02312; as
FastCAM combines them with saliency, arXiv 1911.11293.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from smoe_ros.errors import unknown_name
from smoe_ros.options.choices import CAMS

_FLOAT32_MAX = torch.finfo(torch.float32).max


def _grad_cam(_activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM: the mean of the gradient."""
    return gradient.mean(dim=(2, 3))


def _grad_cam_pp(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++: the mean of the positive gradient, weighted by a = g² / (2g² + Σ A·g³ + 1e-7).

    α = Σ a · max(g, 0), times exp(score) in the end, sums over the sites of a channel.
    """
    square = gradient.square()
    third = (activation * square * gradient).sum(dim=(2, 3), keepdim=True)
    denominator = 2 * square + third + 1e-7
    # The second term may be negative and cancel the others: no division by 0 then.
    share = square / denominator.masked_fill(denominator == 0, 1e-7)
    return (share * gradient.relu()).sum(dim=(2, 3))


def _x_grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """XGrad-CAM: the mean of the gradient weighted by the activation, Σ g·A / (Σ A + 1e-6)."""
    total = activation.sum(dim=(2, 3)) + 1e-6
    # A signed activation (SiLU) may sum to exactly −1e-6.
    return (gradient * activation).sum(dim=(2, 3)) / total.masked_fill(total == 0, 1e-6)


# Channels' weights α, shape (B, C), of activation and gradient, (B, C, h, w) float64.
_WEIGHTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = dict(
    zip(CAMS[1:], (_grad_cam, _grad_cam_pp, _x_grad_cam), strict=True)
)


@torch.no_grad()
def class_activation(
    activation: Tensor, gradient: Tensor, method: str, score: Tensor | None = None
) -> Tensor:
    """Class activation map, max(Σ_k α_k A_k, 0), with the channels' weights α of the method.

    Computed in float64. A frame whose map exceeds float32 is scaled down to float32's maximum as
    a whole, so that its pattern stays; one whose map is below float32's range is 0.

    Args:
        activation: Activation A, shape (B, C, h, w), of any floating type and layout.
        gradient: Gradient of the class's score y with respect to it, the same shape.
        method: ``'grad_cam'``, ``'grad_cam_pp'`` or ``'x_grad_cam'``.
        score: The class's score y of each frame, shape (B,). Only ``'grad_cam_pp'`` uses it: it
            scales the frame's map by exp(y). None takes 1 for that factor, which leaves the
            pattern as it is; do so wherever the map is normalised afterwards.

    Returns:
        Maps, shape (B, h, w), float32, not negative, neither normalised nor resized.

    Raises:
        ConfigurationError: If the method is unknown.
        ValueError: If the shapes are not these.
    """
    if method not in _WEIGHTS:
        raise unknown_name('class activation', method, _WEIGHTS)
    _check_shapes(activation, gradient, score)
    activation = activation.double()
    weights = _WEIGHTS[method](activation, gradient.double())
    cam = torch.einsum('bc,bchw->bhw', weights, activation).relu_()
    peak = cam.amax(dim=(1, 2), keepdim=True)
    peak = peak.masked_fill(peak == 0, 1.0)
    # exp(1000) is beyond float64 too: the factor meets the map's peak as a logarithm, where it
    # can be held at float32's maximum before it is too large to hold.
    log_peak = peak.log()
    if method == 'grad_cam_pp' and score is not None:
        log_peak = log_peak + score.double().to(peak.device)[:, None, None]
    scaled = cam / peak * log_peak.clamp(max=math.log(_FLOAT32_MAX)).exp()
    return scaled.clamp_(max=_FLOAT32_MAX).float()


def _check_shapes(activation: Tensor, gradient: Tensor, score: Tensor | None) -> None:
    shape = tuple(activation.shape)
    if activation.ndim != 4 or 0 in shape:
        raise ValueError(f'an activation has shape (B, C, h, w), none of them 0, got {shape}')
    if gradient.shape != activation.shape:
        raise ValueError(
            f'the gradient has the shape of its activation, {shape}, got {tuple(gradient.shape)}'
        )
    if score is not None and score.shape != shape[:1]:
        raise ValueError(f'a score a frame has shape {shape[:1]}, got {tuple(score.shape)}')
