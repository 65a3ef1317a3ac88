# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Points of interest of saliency maps."""

from __future__ import annotations

import torch
from torch import Tensor


def most_salient_point(maps: Tensor) -> Tensor:
    """Return where each map is highest; the first such pixel in row order among equals.

    Args:
        maps: Saliency maps, shape (..., H, W).

    Returns:
        Column x and row y in pixels of the map, shape (..., 2), int64.
    """
    index = maps.flatten(-2).argmax(dim=-1)
    width = maps.shape[-1]
    return torch.stack((index % width, index // width), dim=-1)
