# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Deletion that leaves no hole: removed pixels are filled in from their neighbours.

Source: Rong et al., ROAD, arXiv 2202.00449. A black hole is something that the network has never
seen, and its shape tells of the map; pixels imputed from those around, with a little noise, are
neither. The imputation is that of the package grad-cam, an extra dependency.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from smoe_ros.evaluation.arrays import Array
from smoe_ros.evaluation.perturbation import Classify, salient_first

SHARES = (0.2, 0.5, 0.8)


def road_is_available() -> bool:
    """Say whether the package with the imputation is installed."""
    return find_spec('pytorch_grad_cam') is not None


def road(
    classify: Classify,
    image: Tensor,
    saliency: Array,
    label: int,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
) -> float:
    """Return how much more the salient pixels matter than the others.

    Args:
        classify: The network.
        image: Its input, shape (3, H, W).
        saliency: Shape (H, W).
        label: The class.
        shares: Shares of the pixels that are removed.
        seed: Of the imputation's noise.

    Returns:
        Mean over the shares of half the difference between the class's probability without the
        least salient pixels and without the most salient ones: −0.5..0.5, more is better.

    Raises:
        ValueError: If the saliency is not finite, or has not the picture's size.
        ModuleNotFoundError: If grad-cam is not installed.
    """
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer  # noqa: PLC0415 - optional

    order = salient_first(saliency, (image.shape[1], image.shape[2]))
    pixels = image.cpu()
    filled = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        impute = NoisyLinearImputer()
        for ranked in (order[::-1], order):
            for share in shares:
                kept = np.ones(saliency.size, np.float32)
                kept[ranked[: round(share * saliency.size)]] = 0
                filled.append(impute(pixels, torch.from_numpy(kept.reshape(saliency.shape))))
    probabilities = classify(torch.stack(filled).to(image.device))[:, label].double().cpu()
    without_least, without_most = probabilities.split(len(shares))
    return float((without_least - without_most).mean() / 2)
