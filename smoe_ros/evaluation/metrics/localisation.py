# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Does a map lie where the object is? Energy in boxes, and the pointing game.

Sources: the energy-based pointing game of Score-CAM, arXiv 1910.01279; the pointing game of
excitation backprop, arXiv 1608.00507.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from smoe_ros.evaluation.boxes import Box
from smoe_ros.evaluation.metrics.agreement import Array

TOLERANCE = 15
"""Pixels that a point may miss a box by, as in the pointing game."""


def energy_in_boxes(saliency: Array, boxes: Sequence[Box]) -> float:
    """Return the share of a map's sum that lies in any of the boxes; of a map of zeros, 0.

    Args:
        saliency: Shape (H, W), not negative.
        boxes: In pixels of the map.
    """
    inside = _inside(boxes, saliency.shape)
    total = float(saliency.sum(dtype=np.float64))
    return float(saliency[inside].sum(dtype=np.float64)) / total if total else 0.0


def area_of_boxes(boxes: Sequence[Box], size: tuple[int, int]) -> float:
    """Return the share of the pixels of a map (H, W) in any of the boxes: a flat map's energy."""
    return float(_inside(boxes, size).mean())


def points_into_boxes(saliency: Array, boxes: Sequence[Box], tolerance: float = TOLERANCE) -> bool:
    """Say whether a map's maximum, the first if there are several, lies in or near a box.

    Args:
        saliency: Shape (H, W).
        boxes: In pixels of the map, at least one.
        tolerance: Largest distance from a box's next pixel.
    """
    y, x = divmod(int(saliency.argmax()), saliency.shape[1])
    distances = [
        math.hypot(max(box.x0 - x, x - (box.x1 - 1), 0), max(box.y0 - y, y - (box.y1 - 1), 0))
        for box in boxes
    ]
    return min(distances) <= tolerance


def _inside(boxes: Sequence[Box], size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which pixels are in a box."""
    inside = np.zeros(size, bool)
    for box in boxes:
        inside[box.y0 : box.y1, box.x0 : box.x1] = True
    return inside
