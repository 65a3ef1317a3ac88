# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How steady maps are: under noise that hardly anybody sees, and along the motion of a film.

Sources: max-sensitivity is that of Yeh et al., "On the (In)fidelity and Sensitivity of
Explanations", arXiv 1901.09392; optical flow that of Kroeger et al., "Fast Optical Flow using
Dense Inverse Search", arXiv 1603.03590.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smoe_ros.evaluation.metrics.agreement import Array
from smoe_ros.images import Rgb

NOISE = 0.02
"""Largest change of a value by the noise, as a share of the picture's range of values."""
# OpenCV's DIS flow crashes on smaller pictures.
_SMALLEST = 16
# Pixels by which the ways there and back may miss each other.
_AGREEMENT = 1.0
_FEWEST_FOLLOWED = 0.01


def max_sensitivity(
    explain: Callable[[Tensor], Array], image: Tensor, samples: int = 10, seed: int = 0
) -> float:
    """Return the largest ‖map(x + d) − map(x)‖ / ‖map(x)‖ over uniform noise d within `NOISE`.

    Args:
        explain: Makes of a picture (3, H, W) its map (H, W).
        image: The picture x as the network gets it, shape (3, H, W).
        samples: Number of draws of the noise, at least 1.
        seed: Of the noise.

    Returns:
        The sensitivity: 0 is the best; infinite if only the map of the clean picture is all 0.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = 2 * torch.rand((samples, *image.shape), generator=generator) - 1
    extent = (image.max() - image.min()) * NOISE
    clean = explain(image).astype(np.float64)
    moved = max(
        float(np.linalg.norm(explain(image + extent * one) - clean))
        for one in noise.to(image.device)  # one by one, as of a picture alone
    )
    norm = float(np.linalg.norm(clean))
    if not moved:
        return 0.0
    return moved / norm if norm else math.inf


class Motion:
    """How the pixels of one frame moved to the next.

    Attributes:
        flow: Shift of each pixel in pixels, x and y, shape (H, W, 2).
        followed: Pixels that stay in view, and that the way back brings where they were,
            shape (H, W): the others are hidden, leave the view, or are guessed.
    """

    def __init__(self, flow: NDArray[np.float32], back: NDArray[np.float32]) -> None:
        """Compare the ways there and back, shape (H, W, 2) each."""
        height, width = flow.shape[:2]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        self.flow = flow
        self._x, self._y = x + flow[..., 0], y + flow[..., 1]
        missed = flow + cv2.remap(back, self._x, self._y, cv2.INTER_LINEAR)
        inside = (self._x >= 0) & (self._x <= width - 1)
        inside &= (self._y >= 0) & (self._y <= height - 1)
        self.followed = inside & (np.hypot(missed[..., 0], missed[..., 1]) <= _AGREEMENT)

    def flow_error(self, before: Array, after: Array) -> float:
        """Return the mean change of a map where the motion is undone.

        Args:
            before: Map of the first frame, shape (H, W).
            after: Map of the second.

        Returns:
            Mean of |after(x + flow) − before(x)| over the pixels that could be followed.

        Raises:
            ValueError: If hardly any pixel could be followed.
        """
        if self.followed.mean() < _FEWEST_FOLLOWED:
            raise ValueError('hardly any pixel can be followed: there is a cut between the frames')
        carried = cv2.remap(after.astype(np.float32), self._x, self._y, cv2.INTER_LINEAR)
        return float(np.abs(carried - before)[self.followed].mean())

    def peak_jitter(self, before: Array, after: Array) -> float:
        """Return how far a map's peak is from where the motion carried it, in pixels.

        Args:
            before: Map of the first frame, shape (H, W).
            after: Map of the second.
        """
        row, column = np.unravel_index(int(before.argmax()), before.shape)
        y, x = np.unravel_index(int(after.argmax()), after.shape)
        shift = self.flow[row, column]
        return float(np.hypot(x - column - shift[0], y - row - shift[1]))


def motion_between(before: Rgb, after: Rgb) -> Motion:
    """Follow the pixels of one frame to the next and back by OpenCV's DIS optical flow.

    Args:
        before: Shape (H, W, 3), uint8 RGB.
        after: Likewise.

    Raises:
        ValueError: If the frames differ in size, or a side is below 16 pixels.
    """
    if before.shape != after.shape or min(before.shape[:2]) < _SMALLEST:
        raise ValueError(
            f'frames have one size of at least {_SMALLEST}x{_SMALLEST} pixels, got '
            f'{before.shape} and {after.shape}'
        )
    first, second = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after))
    follow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return Motion(follow.calc(first, second, None), follow.calc(second, first, None))
