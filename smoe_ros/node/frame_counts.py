# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What became of each camera's frames, how fast, and how old they were."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Long enough for a steady p95 at 10 Hz, short enough to show what is happening now.
WINDOW_SECONDS = 10.0
# Frames by whose stamps a camera's own pace is known.
PACE_FRAMES = 31


@dataclass(frozen=True)
class FrameSummary:
    """One camera's figures; what each means is written in `diagnostics.FIGURES`.

    Rates, shares, ages and times are of the last 10 s; shares are 0..1, times in seconds. Ages are
    p50, p95 and maximum. NaN where there was none.

    Attributes:
        listening: Whether the node is subscribed to the camera.
        silence: Seconds since the last frame came, or since the node subscribed.
        failing: Whether the latest frame that the worker took was rejected.
    """

    received: int
    explained: int
    dropped: int
    rejected: int
    lost: int
    rate_in: float
    rate_out: float
    drop_share: float
    loss_share: float
    missing_share: float
    ages: tuple[float, float, float]
    explain_time: float
    listening: bool
    silence: float
    last_error: str
    failing: bool

    @property
    def waiting(self) -> int:
        """Frames in the slot or in the network: received = explained + dropped + rejected + it."""
        return self.received - self.explained - self.dropped - self.rejected


class _Window(deque[tuple[float, float]]):
    """Numbers of the last `WINDOW_SECONDS`, each with the time at which it came."""

    def add(self, value: float = 1) -> None:
        self.append((time.monotonic(), value))

    def values(self) -> list[float]:
        since = time.monotonic() - WINDOW_SECONDS
        while self and self[0][0] < since:
            self.popleft()
        return [value for _, value in self]


class FrameCounts:
    """Counts one camera's frames; called from the executor's thread and the worker's.

    Rates use the steady clock, which simulated time and bag loops cannot turn back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = self._explained = self._dropped = self._rejected = self._lost = 0
        self._first_arrival, self._last_arrival = float('inf'), float('-inf')
        self._listening = False
        self._arrivals, self._overloads, self._losses = _Window(), _Window(), _Window()
        self._ages, self._explain_times = _Window(), _Window()
        self._stamps: deque[int] = deque(maxlen=PACE_FRAMES)
        self._last_error = ''
        self._failing = False

    def listen(self) -> None:
        """Begin again: the node has subscribed to the camera."""
        with self._lock:
            self._listening, self._failing = True, False
            self._first_arrival, self._last_arrival = float('inf'), time.monotonic()
            recent = self._arrivals, self._overloads, self._losses, self._ages, self._explain_times
            for numbers in (*recent, self._stamps):
                numbers.clear()

    def stop_listening(self) -> None:
        """Expect no frames: the node has unsubscribed from the camera."""
        with self._lock:
            self._listening = self._failing = False

    def receive(self, stamp: int = 0) -> None:
        """Count a frame that came in; its stamp in nanoseconds, 0 if it has none."""
        with self._lock:
            self._received += 1
            self._stamps.append(stamp)
            self._last_arrival = time.monotonic()
            self._first_arrival = min(self._first_arrival, self._last_arrival)
            self._arrivals.add()

    def lose(self, count: int) -> None:
        """Count frames that were lost before they reached the node."""
        with self._lock:
            self._lost += count
            self._losses.add(count)

    def drop(self, *, overload: bool = False) -> None:
        """Count a frame that nobody explains, perhaps because the network was busy."""
        with self._lock:
            self._dropped += 1
            if overload:
                self._overloads.add()

    def reject(self, reason: str) -> None:
        """Count a frame that cannot be explained."""
        with self._lock:
            self._rejected += 1
            self._last_error = reason
            self._failing = True

    def explain(self, age: float | None, explain_time: float) -> None:
        """Count a frame whose outputs are published.

        Args:
            age: Now − stamp of the frame, in seconds; None if it says nothing, as after a jump in
                time.
            explain_time: Time since the worker took it, in seconds.
        """
        with self._lock:
            self._explained += 1
            self._failing = False
            self._explain_times.add(explain_time)
            if age is not None:
                self._ages.add(age)

    def forget_ages(self) -> None:
        """Forget how old outputs were: the clock has jumped."""
        with self._lock:
            self._ages.clear()

    def summary(self) -> FrameSummary:
        """Return the figures as of now."""
        with self._lock:
            now = time.monotonic()
            # The time before the camera came is not part of its rate.
            window = min(WINDOW_SECONDS, max(now - self._first_arrival, 1.0))
            arrived, lost = len(self._arrivals.values()), sum(self._losses.values())
            ages, times = self._ages.values(), self._explain_times.values()
            p50, p95, top = np.percentile(ages, (50, 95, 100)) if ages else (np.nan,) * 3
            return FrameSummary(
                received=self._received,
                explained=self._explained,
                dropped=self._dropped,
                rejected=self._rejected,
                lost=self._lost,
                rate_in=arrived / window,
                rate_out=len(times) / window,
                drop_share=min(len(self._overloads.values()) / max(arrived, 1), 1.0),
                loss_share=lost / max(lost + arrived, 1),
                missing_share=_missing_share(self._stamps),
                ages=(float(p50), float(p95), float(top)),
                explain_time=float(np.median(times)) if times else float('nan'),
                listening=self._listening,
                silence=now - self._last_arrival,
                last_error=self._last_error,
                failing=self._failing,
            )


def _missing_share(stamps: Sequence[int]) -> float:
    """Return the share of a camera's frames that its stamps leave out.

    A publisher that overwrites what a reliable subscription has not fetched yet loses frames that
    no middleware reports. They show as steps of two or three periods in a row of single ones.
    0 for a camera that has no regular pace, or was not watched for long enough.
    """
    steps = np.diff(np.array(stamps, dtype=np.int64))
    if len(steps) < PACE_FRAMES - 1 or (steps <= 0).any():
        return 0.0
    period = np.median(steps)
    periods = np.rint(steps / period)
    if (np.abs(steps - periods * period) > 0.25 * period).mean() > 0.1:
        return 0.0
    # A longer step is a pause.
    periods = periods[(periods >= 1) & (periods <= 5)]
    missing = float((periods - 1).sum())
    return missing / (missing + len(periods))
