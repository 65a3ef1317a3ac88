# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Load another network in the background, while the present one goes on explaining."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future

Result = TypeVar('Result')


class NetworkLoader:
    """Runs one loading after the other in a thread of its own; coroutines of the executor wait."""

    def __init__(self, node: LifecycleNode) -> None:
        """Load nothing yet.

        Args:
            node: Whose executor is woken when a network is there.
        """
        # An executor looks at a coroutine that waits when anything else wakes it.
        self._wake = node.create_guard_condition(lambda: None)
        self._turn = Future()
        self._turn.set_result(None)

    async def load(self, make: Callable[[], Result]) -> Result:
        """Wait for earlier loadings, and for this one.

        Args:
            make: Loads and warms up, in another thread, when its turn has come.

        Returns:
            What it made.

        Raises:
            Exception: What it raised.
        """
        before, self._turn = self._turn, Future()
        mine = self._turn
        await before
        made = Future()
        threading.Thread(
            target=self._run, args=(make, made), name='network_loader', daemon=True
        ).start()
        try:
            return await made
        finally:
            mine.set_result(None)
            self._look_again()

    def _run(self, make: Callable[[], Result], made: Future) -> None:
        try:
            made.set_result(make())
        except Exception as error:  # told to whoever waits
            made.set_exception(error)
        self._look_again()

    def _look_again(self) -> None:
        with suppress(rclpy_implementation.InvalidHandle):  # the node ended meanwhile
            self._wake.trigger()
