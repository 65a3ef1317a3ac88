# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The search for the highest rate that a node keeps up with, one trial at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class PeakSearch:
    """Doubles or halves the rate until it is bracketed, then halves the bracket's logarithm.

    A hiccup of the machine fails a rate that could pass, and all above it: the failure that the
    search ends at is tried once more, and if it passes now, the search goes on from there, once.

    Attributes:
        rate: To try next, in Hz; the first guess at first.
        lowest: Not to go below, in Hz.
        highest: Not to go beyond, in Hz.
        resolution: Ends when failed / passed is at most this; above 1.
        passed: Highest rate that passed; None before any did.
        failed: Lowest rate that failed; None before any did.
        done: Whether there is nothing left to try.
        confirming: Whether `rate` has failed before.
        resumed: Whether a failure has turned out to be a hiccup.
    """

    rate: float
    lowest: float
    highest: float
    resolution: float
    passed: float | None = None
    failed: float | None = None
    done: bool = False
    confirming: bool = False
    resumed: bool = False

    def take(self, *, passed: bool) -> None:
        """Take the verdict on `rate`, and choose the next one."""
        if passed:
            self.passed = self.rate
            if self.confirming:
                self.failed, self.resumed = None, True
            self.done = self.rate >= self.highest
        else:
            self.failed = self.rate
            self.done = self.confirming
        self.confirming = False
        if not self.done:
            self._choose()

    def _choose(self) -> None:
        if self.failed is None:
            self.rate = min(self.rate * 2, self.highest)
        elif self.passed is None and self.rate > self.lowest:
            self.rate = max(self.rate / 2, self.lowest)
        elif self.passed is not None and self.failed / self.passed > self.resolution:
            self.rate = math.sqrt(self.passed * self.failed)
        elif self.resumed:
            self.done = True
        else:
            self.rate, self.confirming = self.failed, True
