# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How a tensor inside a network lies over the image: its layout, size and octave."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

# A map keeps the image's aspect ratio but for rounding and for borders that convolutions cut off.
_ASPECT_TOLERANCE = 1.7


class FeatureMap(NamedTuple):
    """Shape of one map.

    Attributes:
        channels: Number of channels.
        height: Height in cells.
        width: Width in cells.
        channels_last: Whether the tensor is (B, H, W, C) instead of (B, C, H, W).
    """

    channels: int
    height: int
    width: int
    channels_last: bool = False


def feature_map(tensor: object, example: Tensor) -> FeatureMap | None:
    """Return how a tensor lies over the image, None if it is no map of more than one cell.

    The layout shows in the aspect ratio, which is the image's: ConvNeXt's blocks work on
    (B, H, W, C). Where both layouts fit, the common (B, C, H, W) is taken.

    Args:
        tensor: Anything that a module puts out.
        example: The network's input, shape (B, C, H, W).
    """
    if not isinstance(tensor, Tensor) or tensor.ndim != 4 or not tensor.numel():
        return None
    wanted = example.shape[-2] / example.shape[-1]
    _, first, second, third = tensor.shape
    if second * third > 1 and _fits(second / third, wanted):
        return FeatureMap(first, second, third)
    if first * second > 1 and _fits(first / second, wanted):
        return FeatureMap(third, first, second, channels_last=True)
    return None


def octave_of(tensor: Tensor, example: Tensor) -> int:
    """Return how often the resolution was halved: round(log2(input / map)).

    Args:
        tensor: A tensor of four dimensions; one without the image's aspect is taken for
            (B, C, H, W), as are the 1×1 outputs of pooling.
        example: The network's input, shape (B, C, H, W).
    """
    found = feature_map(tensor, example)
    cells = found.height * found.width if found else tensor.shape[-2:].numel()
    return round(math.log2(example.shape[-2:].numel() / max(cells, 1)) / 2)


def _fits(aspect: float, wanted: float) -> bool:
    return wanted / _ASPECT_TOLERANCE < aspect < wanted * _ASPECT_TOLERANCE
