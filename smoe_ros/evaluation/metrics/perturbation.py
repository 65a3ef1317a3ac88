# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Deletion, insertion, ROAD: does the class go with the pixels that a map calls salient?

Sources: RISE, arXiv 1806.07421: the areas under the curves of the class's probability as pixels
are deleted from a picture, or inserted into its blurred copy, in the order of their saliency.
Rong et al., ROAD, arXiv 2202.00449: a black hole is something that the network has never seen, and
its shape tells of the map; pixels imputed from those around, with a little noise, are neither.
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

from smoe_ros.evaluation.metrics.agreement import Array

Classify: TypeAlias = Callable[[Tensor], Tensor]
"""Takes a batch (N, 3, H, W) to the probabilities of the classes (N, K)."""

STEPS = 28
ROAD_SHARES = (0.2, 0.5, 0.8)
"""Shares of the pixels that ROAD removes."""
# Pictures that go through the network together; on CPUs more take longer each.
_CHUNK = 8


def perturbation_curve(
    classify: Classify, begin: Tensor, end: Tensor, saliency: Array, label: int, steps: int = STEPS
) -> NDArray[np.float64]:
    """Return the class's probability as pixels of one picture become another's, salient first.

    Deletion goes from the picture to zeros, the mean colour of the network's training; insertion
    from the `blurred` picture to the sharp one. Of equally salient pixels it is a seeded draw
    which goes first: else the order of rows would decide.

    Args:
        classify: The network.
        begin: Its first input, shape (3, H, W).
        end: Its last, likewise.
        saliency: Shape (H, W).
        label: The class.
        steps: Number of steps; at step i i/steps of the pixels have changed.

    Returns:
        Probabilities, shape (steps + 1,).

    Raises:
        ValueError: If the network gives no finite probability.
    """
    order = _salient_first(saliency)
    counts = np.round(np.arange(steps + 1) * order.size / steps)
    changes = np.empty(order.size, np.int64)  # at which step each pixel does
    changes[order] = np.searchsorted(counts, np.arange(order.size), side='right')
    at = torch.from_numpy(changes.reshape(saliency.shape)).to(begin.device)
    probabilities = []
    for numbers in torch.arange(steps + 1, device=begin.device).split(_CHUNK):
        changed = (at <= numbers[:, None, None])[:, None]
        probabilities.append(classify(torch.where(changed, end, begin))[:, label].cpu())
    curve = torch.cat(probabilities).double().numpy()
    if not np.isfinite(curve).all():
        raise ValueError('the network gives no finite probability of a picture that lacks pixels')
    return curve


def blurred(image: Tensor) -> Tensor:
    """Return a picture (3, H, W) blurred by RISE's 11 × 11 Gaussian, σ = 5."""
    return gaussian_blur(image[None], [11, 11], [5.0, 5.0])[0]


def area_under_curve(curve: Array) -> float:
    """Return the area under a curve over 0..1 by the trapezoidal rule; shape (steps + 1,)."""
    return float(trapezoid(curve, dx=1 / (len(curve) - 1)))


def road(classify: Classify, image: Tensor, saliency: Array, label: int, seed: int = 0) -> float:
    """Return how much more the salient pixels matter than the others, without leaving holes.

    Args:
        classify: The network.
        image: Its input, shape (3, H, W).
        saliency: Shape (H, W).
        label: The class.
        seed: Of the imputation's noise.

    Returns:
        Mean over `ROAD_SHARES` of half the difference between the class's probability without the
        least salient pixels and without the most salient ones: −0.5..0.5, more is better.

    Raises:
        ModuleNotFoundError: If grad-cam, which imputes, is not installed.
    """
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer  # noqa: PLC0415 - optional

    order = _salient_first(saliency)
    pixels = image.cpu()
    filled = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        impute = NoisyLinearImputer()
        for ranked in (order[::-1], order):
            for share in ROAD_SHARES:
                kept = np.ones(saliency.size, np.float32)
                kept[ranked[: round(share * saliency.size)]] = 0
                filled.append(impute(pixels, torch.from_numpy(kept.reshape(saliency.shape))))
    probabilities = classify(torch.stack(filled).to(image.device))[:, label].double().cpu()
    without_least, without_most = probabilities.split(len(ROAD_SHARES))
    return float((without_least - without_most).mean() / 2)


def _salient_first(saliency: Array) -> NDArray[np.int64]:
    """Return the numbers of a map's pixels, the most salient first; a seeded draw among equals."""
    draw = np.random.default_rng(0).permutation(saliency.size)
    return draw[np.argsort(-saliency.ravel()[draw], kind='stable')]
