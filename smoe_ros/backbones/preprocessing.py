# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a camera frame to a network's input."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from smoe_ros import kernels
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.images import Rgb
from smoe_ros.scales import STRIDE

# Beyond this a frame is damaged, and its input would take all memory.
MAX_ASPECT = 16


class Preprocessing:
    """Resizes a frame, aspect ratio kept, and normalises it: (x − mean) / std."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], short_side: int) -> None:
        """Set up for one network.

        Args:
            mean: Mean of each RGB channel, on the scale 0..255.
            std: Standard deviation of each RGB channel, on the scale 0..255.
            short_side: Length of the input's short side in pixels, a positive multiple of 32.

        Raises:
            ConfigurationError: If the short side is no positive multiple of 32.
        """
        if short_side <= 0 or short_side % STRIDE:
            raise ConfigurationError(
                f'short_side is a positive multiple of {STRIDE}, got {short_side}'
            )
        self.short_side = short_side
        self._mean, self._std = tuple(mean), tuple(std)
        self._scale = torch.tensor([1 / value for value in std]).view(3, 1, 1)
        self._offset = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)]).view(3, 1, 1)

    def with_short_side(self, short_side: int) -> Preprocessing:
        """Return the same preprocessing for another size of the input, likewise checked."""
        return Preprocessing(self._mean, self._std, short_side)

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the network's input for a frame of a size, in pixels.

        The short side becomes `short_side`, the long side the multiple of 32 nearest to the
        frame's aspect ratio.

        Raises:
            FrameError: If the frame is empty or its aspect ratio beyond 16.
        """
        short, long = sorted((height, width))
        if short <= 0 or long > MAX_ASPECT * short:
            raise FrameError(
                f'an image of {width}x{height} pixels cannot be explained: it is empty or longer '
                f'than {MAX_ASPECT} times its short side'
            )
        long_side = max(round(self.short_side * long / short / STRIDE), 1) * STRIDE
        return (self.short_side, long_side) if height <= width else (long_side, self.short_side)

    def __call__(self, rgb: Rgb) -> Tensor:
        """Turn a frame into the network's input: (H, W, 3) uint8 RGB -> (3, h, w) float32.

        Raises:
            FrameError: If the frame is no RGB image, or as for `input_size`.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise FrameError(
                f'a frame is an RGB image of shape (H, W, 3) and type uint8, got {rgb.shape} and '
                f'{rgb.dtype}'
            )
        height, width = self.input_size(*rgb.shape[:2])
        shrinks = rgb.shape[0] >= height and rgb.shape[1] >= width
        compiled = kernels.load() if shrinks else None
        if compiled is not None:
            scale, offset = self._scale.flatten().numpy(), self._offset.flatten().numpy()
            frame = np.ascontiguousarray(rgb)
            return torch.from_numpy(compiled.resize_area(frame, height, width, scale, offset))
        if rgb.shape[:2] != (height, width):
            # Averaging over areas keeps fine texture from aliasing into false edges.
            interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            rgb = cv2.resize(rgb, (width, height), interpolation=interpolation)
        # A copy also where the frame may not be written to, which torch would warn of.
        planes = torch.from_numpy(rgb.astype(np.float32, order='C')).permute(2, 0, 1)
        return torch.addcmul(self._offset, planes, self._scale)
