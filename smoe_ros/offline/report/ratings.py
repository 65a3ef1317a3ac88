# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of a camera's frames: which are unusual, how fast they came, what was seen."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smoe_ros.offline.report.explained_bag import Camera, Group

TIME_CONSTANT = 5.0
# What is not rated at the start of a stream, unless the stream is shorter than `_SHORT`.
_SETTLING = 1.0
_SHORT = 2.0
APART = 1.0
# Nearer to the mean than a tenth of a percent, nothing is unusual.
LEAST_UNUSUAL = 1e-3
GAP_PERIODS = 3
_MOST_AGE_MS = 3.6e6
# Columns that a screen can show.
MOST_COLUMNS = 1500

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ratings:
    """How far each frame of a group is from its running mean.

    Attributes:
        distances: Euclidean distances, NaN where a frame is not rated; shape (N,).
        means: The running mean before each frame, shape (N, S).
    """

    distances: Floats
    means: Floats


class Gap(NamedTuple):
    """A span of some seconds without explained frames, after a frame of the camera."""

    frame: int
    seconds: float


@dataclass(frozen=True)
class Pace:
    """How fast frames followed each other, by their stamps.

    Attributes:
        median_rate: Frames a second, from the median span between two; None if there are no two.
        overall_rate: Frames a second, first to last.
        gaps: Spans longer than `GAP_PERIODS` median ones, the longest first.
    """

    median_rate: float | None
    overall_rate: float | None
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Band:
    """When one class was the most probable.

    Attributes:
        label: Its name.
        share: Of the frames, 0..1.
        spans: Begins and ends in nanoseconds of the bag, shape (K, 2).
    """

    label: str
    share: float
    spans: NDArray[np.int64]


def rate_frames(camera: Camera, group: Group) -> Ratings:
    """Rate a group's frames by their distance from the exponentially weighted mean before them.

    The mean begins anew where the stream's time goes back or another network was in between.
    """
    clock = camera.clock[group.frames]
    begins = np.flatnonzero((np.diff(clock) < 0) | (np.diff(group.frames) > 1)) + 1
    edges = [0, *begins.tolist(), len(clock)]
    runs = [
        _rate_run((clock[first:last] - clock[first]) * 1e-9, group.contributions[first:last])
        for first, last in itertools.pairwise(edges)
    ]
    return Ratings(*(np.concatenate(parts) for parts in zip(*runs, strict=True)))


def _rate_run(seconds: Floats, contributions: Floats) -> tuple[Floats, Floats]:
    """Return distances and means of a run; its first frame has itself for a mean."""
    means = np.empty_like(contributions)
    mean = contributions[0]
    gains = -np.expm1(-np.diff(seconds, prepend=seconds[0]) / TIME_CONSTANT)
    for index, (shares, gain) in enumerate(zip(contributions, gains, strict=True)):
        means[index] = mean
        mean = mean + gain * (shares - mean)
    distances = np.linalg.norm(contributions - means, axis=1)
    unrated = seconds < _SETTLING if seconds[-1] >= _SHORT else np.arange(len(seconds)) < 1
    distances[unrated] = np.nan
    return distances, means


def pick(values: Floats, times: NDArray[np.int64], count: int) -> list[int]:
    """Return the indices of the smallest values, no two of them within `APART` seconds.

    Values, of which NaN is never picked, and times in nanoseconds have shape (N,).
    """
    picked: list[int] = []
    for index in np.argsort(values, kind='stable').tolist():
        if len(picked) == count or np.isnan(values[index]):
            break
        if all(abs(int(times[index] - times[other])) >= APART * 1e9 for other in picked):
            picked.append(index)
    return picked


def pace_of(camera: Camera) -> Pace:
    """Return how fast frames followed each other; time that goes back counts for nothing."""
    spans = np.diff(camera.clock) * 1e-9
    forward = spans > 0
    if not forward.any():
        return Pace(None, None, ())
    period = float(np.median(spans[forward]))
    gaps = np.flatnonzero(spans > GAP_PERIODS * period)
    longest = sorted(gaps.tolist(), key=lambda index: -spans[index])
    return Pace(
        1 / period,
        float(forward.sum() / spans[forward].sum()),
        tuple(Gap(index, float(spans[index])) for index in longest),
    )


def ages_of(camera: Camera) -> Floats | None:
    """Return the time from stamp to recorder in milliseconds, shape (N,).

    None if one is negative or beyond an hour: the bag's clock is not that of the stamps.
    """
    ages: Floats = np.divide(camera.times - camera.stamps, 1e6, dtype=np.float64)
    return ages if ((ages >= 0) & (ages <= _MOST_AGE_MS)).all() else None


def bands_of(camera: Camera, count: int) -> list[Band]:
    """Return when the most frequent classes were seen, the most frequent first.

    With more than `MOST_COLUMNS` frames, several in a row count as their most frequent class.
    """
    total = len(camera.labels)
    edges = column_edges(total)
    columns = [
        Counter(camera.labels[first:last]).most_common(1)[0][0]
        for first, last in itertools.pairwise([*edges.tolist(), total])
    ]
    begins = camera.times[edges]
    # A class lasts until the next frame, but not through a gap.
    steps = np.diff(begins)
    period = int(np.median(steps)) if len(steps) else 0
    lengths = np.append(np.where(steps > GAP_PERIODS * period, period, steps), period)
    bands = []
    for label, number in Counter(filter(None, camera.labels)).most_common(count):
        own = np.array([column == label for column in columns])
        spans = _joined(begins[own], begins[own] + np.maximum(lengths[own], 0))
        bands.append(Band(label, number / total, spans))
    return bands


def frames_per_column(total: int) -> int:
    """Return how many frames in a row are one column, where so many share `MOST_COLUMNS`."""
    return -(-total // MOST_COLUMNS)


def column_edges(total: int) -> NDArray[np.int64]:
    """Return the first frame of each column."""
    return np.arange(0, total, frames_per_column(total), dtype=np.int64)


def _joined(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Make one span of those that touch each other."""
    if not len(begins):
        return np.zeros((0, 2), np.int64)
    apart = begins[1:] != ends[:-1]
    return np.stack([begins[np.append(True, apart)], ends[np.append(apart, True)]], axis=1)
