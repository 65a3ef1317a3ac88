# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How steady maps are from frame to frame, beside the motion that is really there."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from smoe_ros.evaluation.arrays import Array
from smoe_ros.images import Rgb

# OpenCV's DIS flow crashes on smaller pictures.
_SMALLEST = 16
# Pixels by which the ways there and back may miss each other.
_AGREEMENT = 1.0
_FEWEST_FOLLOWED = 0.01


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
            ValueError: If the maps have another size, or hardly any pixel could be followed.
        """
        self._check(before, after)
        if self.followed.mean() < _FEWEST_FOLLOWED:
            raise ValueError('hardly any pixel can be followed: there is a cut between the frames')
        carried = cv2.remap(after.astype(np.float32), self._x, self._y, cv2.INTER_LINEAR)
        return float(np.abs(carried - before)[self.followed].mean())

    def peak_jitter(self, before: Array, after: Array) -> float:
        """Return how far a map's peak is from where the motion carried it, in pixels.

        Args:
            before: Map of the first frame, shape (H, W).
            after: Map of the second.

        Raises:
            ValueError: If the maps have another size.
        """
        self._check(before, after)
        row, column = np.unravel_index(int(before.argmax()), before.shape)
        y, x = np.unravel_index(int(after.argmax()), after.shape)
        shift = self.flow[row, column]
        return float(np.hypot(x - column - shift[0], y - row - shift[1]))

    def _check(self, before: Array, after: Array) -> None:
        size = self.followed.shape
        if before.shape != size or after.shape != size:
            raise ValueError(
                f'maps have the size of the frames, {size}, got {before.shape} and {after.shape}'
            )


def motion_between(before: Rgb, after: Rgb) -> Motion:
    """Follow the pixels of one frame to the next and back by OpenCV's DIS optical flow.

    Source: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", arXiv 1603.03590.

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


def grey(rgb: Rgb) -> NDArray[np.float32]:
    """Return a frame's brightness, (H, W, 3) uint8 -> (H, W) in 0..1."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255  # type: ignore[no-any-return]


def contribution_change(before: Array, after: Array) -> float:
    """Return the sum of the absolute changes of the scales' contributions, shape (S,) each.

    Raises:
        ValueError: If there are not as many after as before.
    """
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if first.shape != second.shape:
        raise ValueError(
            f'contributions are those of the same scales, got {first.shape} and {second.shape}'
        )
    return float(np.abs(second - first).sum())
