# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera's stamps go forward: no frame twice, none out of order."""

from __future__ import annotations

from builtin_interfaces.msg import Time

from smoe_ros.errors import FrameError


def nanoseconds(stamp: Time) -> int:
    """Return a stamp in nanoseconds; rclpy's own Time refuses one before 1970."""
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


# More than frames of one camera change places by, less than a recording lasts.
_BEGAN_AGAIN_SECONDS = 0.5


class StampOrder:
    """Refuses a frame whose stamp is not later than the one before.

    Going back costs one frame only: a bag that begins again begins a new order. In simulated time
    it costs none: images and clock come on two topics, and either may be the first to begin again.
    Frames without a stamp (0) have no order.
    """

    def __init__(self) -> None:
        self._latest = 0

    def check(self, stamp: Time, *, replayed: bool = False) -> None:
        """Take note of the next frame's stamp.

        If time is simulated (`replayed`), a step back of more than half a second is a recording
        that began again.

        Raises:
            FrameError: If it is not later than the stamp before.
        """
        now, before = nanoseconds(stamp), self._latest
        self._latest = now
        back = (before - now) * 1e-9
        if replayed and back > _BEGAN_AGAIN_SECONDS:
            return
        if 0 not in (now, before) and back >= 0:
            raise FrameError(
                f'its stamp is {back:.3f} s before that of the frame before: out of order, or a '
                'recording that began again'
                if back
                else 'its stamp is that of the frame before: the same frame again'
            )

    def restart(self) -> None:
        """Begin a new order: the clock has jumped, or the camera is another one."""
        self._latest = 0
