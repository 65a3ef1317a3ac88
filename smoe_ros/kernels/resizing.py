# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera image made smaller and normalised for a network, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from smoe_ros.kernels.compiling import compiled


@compiled('Tuple((int64, int64, float32, float32))(int64, float64, int64)')
def _span(index: Any, step: Any, length: Any) -> Any:
    """Return first and last old pixel that a new one covers, and how much of each."""
    start, end = index * step, (index + 1) * step
    # A border that rounding has put beside a whole number is that number.
    first = np.int64(start + 1e-9)
    last = min(max(np.int64(np.ceil(end - 1e-9)) - 1, first), length - 1)
    if last == first:
        return first, first, np.float32(end - start), np.float32(0)
    return first, last, np.float32(first + 1 - start), np.float32(end - last)


# The frame may be a message's, which must not be written to.
@compiled(
    "float32[:, :, ::1](Array(uint8, 3, 'C', True), int64, int64, float32[::1], float32[::1])",
    reorder=True,
)
def resize_area(rgb: Any, height: Any, width: Any, scales: Any, offsets: Any) -> Any:
    """Average an image over the area of each new pixel, and normalise: value · scale + offset.

    The average is rounded to whole numbers as that of an 8-bit image, like OpenCV's INTER_AREA.

    Args:
        rgb: Image, shape (H, W, 3), uint8; neither side smaller than the new one.
        height: New height in pixels.
        width: New width in pixels.
        scales: Of each channel, shape (3,).
        offsets: Of each channel, shape (3,).

    Returns:
        Planes, shape (3, height, width), float32.
    """
    rows, columns, _ = rgb.shape
    planes = np.empty((3, height, width), np.float32)
    flat = rgb.reshape(rows, 3 * columns)
    sums = np.empty(3 * columns, np.float32)
    # Of each new column: the old columns that it covers, the first and the last partly.
    first = np.empty(width, np.int64)
    last = np.empty(width, np.int64)
    first_share = np.empty(width, np.float32)
    last_share = np.empty(width, np.float32)
    step_x, step_y = columns / width, rows / height
    for x in range(width):
        first[x], last[x], first_share[x], last_share[x] = _span(x, step_x, columns)
    weight = np.float32(1 / (step_x * step_y))
    for y in range(height):
        top, bottom, top_share, bottom_share = _span(y, step_y, rows)
        for i in range(3 * columns):
            sums[i] = np.float32(flat[top, i]) * top_share
        for row in range(top + 1, bottom):
            for i in range(3 * columns):
                sums[i] += np.float32(flat[row, i])
        if bottom > top:
            for i in range(3 * columns):
                sums[i] += np.float32(flat[bottom, i]) * bottom_share
        for x in range(width):
            red = sums[3 * first[x]] * first_share[x]
            green = sums[3 * first[x] + 1] * first_share[x]
            blue = sums[3 * first[x] + 2] * first_share[x]
            for column in range(first[x] + 1, last[x]):
                red += sums[3 * column]
                green += sums[3 * column + 1]
                blue += sums[3 * column + 2]
            if last[x] > first[x]:
                red += sums[3 * last[x]] * last_share[x]
                green += sums[3 * last[x] + 1] * last_share[x]
                blue += sums[3 * last[x] + 2] * last_share[x]
            planes[0, y, x] = np.rint(red * weight) * scales[0] + offsets[0]
            planes[1, y, x] = np.rint(green * weight) * scales[1] + offsets[1]
            planes[2, y, x] = np.rint(blue * weight) * scales[2] + offsets[2]
    return planes
