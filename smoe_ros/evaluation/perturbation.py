# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Deletion and insertion: does the class go with the pixels that a map calls salient?

Source: RISE, arXiv 1806.07421: the areas under the curves of the class's probability as pixels are
deleted from a picture, or inserted into its blurred copy, in the order of their saliency.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from smoe_ros.evaluation.arrays import Array

Classify: TypeAlias = Callable[[Tensor], Tensor]
"""Takes a batch (N, 3, H, W) to the probabilities of the classes (N, K)."""

STEPS = 28
_BLUR_SIZE, _BLUR_SIGMA = 11, 5.0
# Pictures that go through the network together; on CPUs more take longer each.
_CHUNK = 8


def deletion_curve(
    classify: Classify, image: Tensor, saliency: Array, label: int, steps: int = STEPS
) -> NDArray[np.float64]:
    """Return the class's probability as pixels become zero, the most salient first.

    Zero in the network's input is the mean colour of its training. Of equally salient pixels it
    is a seeded draw which goes first: else the order of rows would decide.

    Args:
        classify: The network.
        image: Its input, shape (3, H, W).
        saliency: Shape (H, W).
        label: The class.
        steps: Number of steps; step i deletes i/steps of the pixels.

    Returns:
        Probabilities, shape (steps + 1,): of the whole picture first, of the empty one last.

    Raises:
        ValueError: If the saliency is not finite or has not the picture's size, or the network
            gives no finite probability.
    """
    return _curve(classify, image, torch.zeros_like(image), saliency, label, steps)


def insertion_curve(
    classify: Classify, image: Tensor, saliency: Array, label: int, steps: int = STEPS
) -> NDArray[np.float64]:
    """Return the class's probability as pixels become sharp, the most salient first.

    Args, Returns and Raises are those of `deletion_curve`; the blurred picture is first, the whole
    one last.
    """
    return _curve(classify, blurred(image[None])[0], image, saliency, label, steps)


def blurred(images: Tensor) -> Tensor:
    """Return pictures (B, 3, H, W) blurred by RISE's 11 × 11 Gaussian, σ = 5."""
    return gaussian_blur(images, [_BLUR_SIZE, _BLUR_SIZE], [_BLUR_SIGMA, _BLUR_SIGMA])


def area_under_curve(curve: Array) -> float:
    """Return the area under a curve over 0..1 by the trapezoidal rule; shape (steps + 1,)."""
    return float(trapezoid(curve, dx=1 / (len(curve) - 1)))


def salient_first(saliency: Array, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return the numbers of a map's pixels, the most salient first; a seeded draw among equals.

    Args:
        saliency: Shape (H, W).
        size: Height and width that it should have.

    Raises:
        ValueError: If it is not finite, or has another size.
    """
    if saliency.shape != size:
        raise ValueError(f'a map has the size of its picture, {size}, got {saliency.shape}')
    if not np.isfinite(saliency).all():
        raise ValueError('a map is finite, this one has NaN or infinite values')
    draw = np.random.default_rng(0).permutation(saliency.size)
    return draw[np.argsort(-saliency.ravel()[draw], kind='stable')]


def _curve(
    classify: Classify, begin: Tensor, end: Tensor, saliency: Array, label: int, steps: int
) -> NDArray[np.float64]:
    """Go from one picture to another; both begin and end are of shape (3, H, W)."""
    order = salient_first(saliency, (begin.shape[1], begin.shape[2]))
    # Step at which each pixel changes: 1 for those of the first step.
    changes = np.empty(order.size, np.int64)
    counts = np.round(np.arange(steps + 1) * order.size / steps).astype(int)
    for step in range(1, steps + 1):
        changes[order[counts[step - 1] : counts[step]]] = step
    at = torch.from_numpy(changes.reshape(saliency.shape)).to(begin.device)
    probabilities = []
    for numbers in torch.arange(steps + 1, device=begin.device).split(_CHUNK):
        changed = (at <= numbers[:, None, None])[:, None]
        probabilities.append(classify(torch.where(changed, end, begin))[:, label].cpu())
    curve = torch.cat(probabilities).double().numpy()
    if not np.isfinite(curve).all():
        raise ValueError('the network gives no finite probability of a picture that lacks pixels')
    return curve
