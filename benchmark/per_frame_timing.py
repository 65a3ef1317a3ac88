# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Times candidates in turn, so that the machine's drift meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_WARM_UPS = 3
_MIN_ROUNDS = 3
# ONNX Runtime's threads look out for work for a moment after a call: not in the next one's time.
_PAUSE_SECONDS = 0.003


def prepare(
    builders: Mapping[str, Callable[[], Callable[[], object]]],
) -> tuple[dict[str, Callable[[], object]], dict[str, str]]:
    """Make candidates ready and run each some times.

    Returns:
        Those that run, and the reason of each that does not.
    """
    candidates, reasons = {}, {}
    for name, build in builders.items():
        try:
            run = build()
            for _ in range(_WARM_UPS):
                run()
        except Exception as error:  # a library that cannot do this network costs its own row only
            reasons[name] = in_words(error)
        else:
            candidates[name] = run
    return candidates, reasons


def interleaved(
    candidates: Mapping[str, Callable[[], object]], repeats: int, seconds: float
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Time candidates in turn, in milliseconds.

    Args:
        candidates: What to time, warmed up; one that fails is dropped.
        repeats: Rounds at most.
        seconds: No further round begins after that, but three are made.

    Returns:
        Times of each candidate, of the same rounds for all; the reason of each that failed.
    """
    reasons: dict[str, str] = {}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    end = time.monotonic() + seconds
    for number in _rounds(repeats, end):
        names = list(times)
        # Every candidate meets what another one leaves in the caches, not always the same one.
        for name in names if number % 2 else reversed(names):
            time.sleep(_PAUSE_SECONDS)
            started = time.perf_counter()
            try:
                candidates[name]()
            except Exception as error:  # as in `prepare`
                reasons[name] = in_words(error)
                del times[name]
                continue
            times[name].append(1e3 * (time.perf_counter() - started))
    return times, reasons


def summarise(
    times: Mapping[str, Sequence[float]], references: Mapping[str, str]
) -> dict[str, Any]:
    """Return medians, quartiles and ratios.

    Args:
        times: Milliseconds of each candidate, round by round.
        references: Name of each ratio, and of the candidate that it is to; ratios are medians of
            those within each round, so that what slows one down slows its partner down, too.

    Returns:
        Of each candidate ``median_ms``, ``quartiles_ms`` and the ratios.
    """
    summary: dict[str, Any] = {}
    for name, values in times.items():
        row: dict[str, Any] = {
            'median_ms': round(statistics.median(values), 3),
            'quartiles_ms': [round(value, 3) for value in statistics.quantiles(values, n=4)[::2]],
        }
        for ratio, reference in references.items():
            if reference in times:
                pairs = zip(values, times[reference], strict=True)
                row[ratio] = round(statistics.median(a / b for a, b in pairs), 4)
        summary[name] = row
    return summary


def in_words(error: Exception) -> str:
    """Return an error in one line of at most 200 characters."""
    text = ' '.join(f'{type(error).__name__}: {error}'.split())
    return text if len(text) <= 200 else f'{text[:199]}…'


def _rounds(repeats: int, end: float) -> Iterator[int]:
    for number in range(repeats):
        if number >= _MIN_ROUNDS and time.monotonic() > end:
            return
        yield number
