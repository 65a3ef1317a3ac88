# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far a map moves when noise is added that hardly anybody sees.

Source: Yeh et al., "On the (In)fidelity and Sensitivity of Explanations", arXiv 1901.09392.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

RADIUS = 0.02
SAMPLES = 10


def max_sensitivity(
    explain: Callable[[Tensor], Tensor],
    image: Tensor,
    radius: float = RADIUS,
    samples: int = SAMPLES,
    seed: int = 0,
) -> float:
    """Return the largest ‖map(x + d) − map(x)‖ / ‖map(x)‖ over noise d.

    Args:
        explain: Makes of (B, 3, H, W) maps of shape (B, H, W).
        image: The picture x as the network gets it, shape (3, H, W).
        radius: Largest change of a value, as a share of the picture's range of values.
        samples: Number of draws of the noise, which is uniform.
        seed: Of the noise.

    Returns:
        The sensitivity: 0 is the best; infinite if only the map of the clean picture is all 0.

    Raises:
        ValueError: If a map is not finite, or there is no sample.
    """
    if samples < 1:
        raise ValueError(f'the sensitivity needs at least 1 sample, got {samples}')
    generator = torch.Generator().manual_seed(seed)
    noise = 2 * torch.rand((samples, *image.shape), generator=generator) - 1
    extent = (image.max() - image.min()) * radius
    clean = _finite_map(explain, image)
    norm = clean.norm().item()
    worst = 0.0
    for one in noise.to(image.device):  # one by one: each map is as it would be of a picture alone
        moved = (_finite_map(explain, image + extent * one) - clean).norm().item()
        if moved:
            worst = max(worst, moved / norm if norm else math.inf)
    return worst


def _finite_map(explain: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Return a picture's map (H, W); one with NaN would pass for the steadiest of all."""
    saliency = explain(image[None])[0].double()
    if not saliency.isfinite().all():
        raise ValueError('a map is finite, this one has NaN or infinite values')
    return saliency
