# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The only place where frames wait: one slot a camera, for the newest."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Frame = TypeVar('Frame')


class FrameSlots(Generic[Frame]):
    """Hands the newest frame of every camera from the executor's thread to one worker.

    A queue would let the delay grow whenever the network is slower than the camera; a slot
    forgets the older frame instead.
    """

    def __init__(self) -> None:
        self._newest: dict[int, Frame] = {}
        self._closed = False
        self._changed = threading.Condition()

    def put(self, camera: int, frame: Frame) -> bool:
        """Store the newest frame of a camera, by its index.

        Returns:
            Whether a frame was let go: an older one that nobody had taken, or this one if the
            slots are closed.
        """
        with self._changed:
            if self._closed:
                return True
            replaced = camera in self._newest
            self._newest[camera] = frame
            self._changed.notify()
            return replaced

    def take(self) -> dict[int, Frame]:
        """Wait for frames and take the newest one of every camera that has one.

        Returns:
            Frame by camera index; empty once the slots are closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._newest)
            if self._closed:
                return {}
            taken, self._newest = self._newest, {}
            return taken

    def close(self) -> list[int]:
        """End the waiting for good and return the cameras whose frame was left untaken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            left, self._newest = list(self._newest), {}
            return left
