# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Points of one image in pixels of another that shows the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rescaled_points(
    points: NDArray[Any], size: ArrayLike, new_size: ArrayLike
) -> NDArray[np.float64]:
    """Convert points to pixels of an image of another size, centre to centre.

    Args:
        points: x and y, shape (..., 2); the centre of the top left pixel is 0, 0.
        size: Height and width of the image they are in, shape (2,) or (..., 2).
        new_size: Height and width of the other, likewise.

    Returns:
        x and y there, shape (..., 2).
    """
    ratio = np.divide(new_size, size)[..., ::-1]
    return (points + 0.5) * ratio - 0.5
