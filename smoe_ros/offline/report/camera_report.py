# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the page tells about one camera, as its template reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from smoe_ros.offline.report.charts import Chart, Series, band_strip
from smoe_ros.offline.report.explained_bag import BagContent, Camera, Group
from smoe_ros.offline.report.pictures import Picture
from smoe_ros.offline.report.ratings import (
    LEAST_UNUSUAL,
    Floats,
    Ratings,
    ages_of,
    bands_of,
    frames_per_column,
    pace_of,
    pick,
    rate_frames,
)

_TILES = 6
_LABELS = 5
_COUNTS = ('in', 'explained', 'dropped', 'rejected')


@dataclass(frozen=True)
class Bar:
    """A scale's share of a frame; places are in percent of the bars' width.

    Attributes:
        points: Its distance from the running mean in percentage points.
        mean: Where the running mean is.
    """

    layer: str
    share: float
    points: int
    left: float
    width: float
    mean: float


@dataclass
class Tile:
    """A frame of the contact sheet.

    Attributes:
        frame: Its number among the camera's.
        seconds: When it was, since the bag's first message.
        label: Its class; empty without a classifier.
        distance: From the running mean.
        bars: One a scale, finest first.
    """

    frame: int
    seconds: float
    label: str
    probability: float
    distance: float
    bars: list[Bar]
    pictures: list[Picture] = field(default_factory=list)


@dataclass(frozen=True)
class Plot:
    """The charts of one group of frames.

    Attributes:
        marks: The unusual frames: rank, and place in the chart of distances, 0..1 from the left
            and from the bottom.
        together: Number of frames that one point of a line stands for.
    """

    group: Group
    contributions: Chart
    distances: Chart
    marks: list[tuple[int, float, float]]
    together: int


class CameraReport:
    """What is told about one camera.

    Attributes:
        seconds: When they were, since the bag's first message, shape (N,).
        unusual: The most unusual frames, the most unusual first.
        usual: The least unusual ones, the least unusual first.
        typical: Median distance of its frames; None if none is rated.
        plots: One a network and set of scales.
        bands: The most frequent classes: name, share of the frames, path of when they were seen.
        other_labels: Number of the other classes.
        ages: Median, 95th percentile and maximum in milliseconds; None if not known.
        counts: The node's last counts of frames, by what became of them; empty if not known.
        hint: What is missing, in a sentence.
    """

    def __init__(self, camera: Camera, content: BagContent) -> None:
        """Rate the frames, and choose those of the contact sheet."""
        self.camera = camera
        self.seconds = content.seconds(camera.times)
        ratings = [rate_frames(camera, group) for group in camera.groups]
        distances = np.full(len(camera.times), np.nan)
        for group, rating in zip(camera.groups, ratings, strict=True):
            distances[group.frames] = rating.distances
        rated = np.isfinite(distances)
        self.typical = float(np.median(distances[rated])) if rated.any() else None
        far = np.where(distances > LEAST_UNUSUAL, distances, np.nan)
        unusual = pick(-far, camera.times, _TILES)
        distances[unusual] = np.nan
        usual = pick(distances, camera.times, _TILES)
        self.unusual = [self._tile(frame, ratings) for frame in unusual]
        self.usual = [self._tile(frame, ratings) for frame in usual]
        self.plots = [
            self._plot(group, rating) for group, rating in zip(camera.groups, ratings, strict=True)
        ]
        ends = int(camera.times.min()), int(camera.times.max())
        self.bands = [
            (band.label, band.share, band_strip(band, ends)) for band in bands_of(camera, _LABELS)
        ]
        self.other_labels = len({*camera.labels} - {''}) - len(self.bands)
        self.pace = pace_of(camera)
        ages = ages_of(camera)
        self.ages = None if ages is None else [*np.percentile(ages, (50, 95, 100))]
        figures = content.counts_of(camera)
        wanted = {what: figures.get(f'frames {what}') for what in _COUNTS}
        self.counts = {what: count for what, count in wanted.items() if count is not None}
        self.last_error = figures.get('last error', '')
        self.hint = ''

    def _tile(self, frame: int, ratings: Sequence[Ratings]) -> Tile:
        camera = self.camera
        pairs = zip(camera.groups, ratings, strict=True)
        group, rating = next(pair for pair in pairs if frame in pair[0].frames)
        place = int(np.searchsorted(group.frames, frame))
        return Tile(
            frame,
            float(self.seconds[frame]),
            camera.labels[frame],
            float(camera.probabilities[frame]),
            float(rating.distances[place]),
            _bars(group.layers, group.contributions[place], rating.means[place]),
        )

    def _plot(self, group: Group, rating: Ratings) -> Plot:
        frames, seconds = group.frames, self.seconds
        broken = (np.diff(self.camera.clock[frames]) < 0) | (np.diff(frames) > 1)
        begins = np.flatnonzero(broken) + 1
        series = Series(seconds[frames], group.contributions, rating.distances, begins)
        shares, distances = series.charts((float(seconds.min()), float(seconds.max())))
        marks = [
            (rank, distances.across.place(tile.seconds), distances.up.place(tile.distance))
            for rank, tile in enumerate(self.unusual, 1)
            if tile.frame in frames
        ]
        return Plot(group, shares, distances, marks, frames_per_column(len(frames)))


def _bars(layers: Sequence[str], shares: Floats, means: Floats) -> list[Bar]:
    low, high = min(0.0, *shares, *means), max(0.0, *shares, *means)
    places = 100 / max(high - low, 1e-9) * (np.stack([np.zeros(len(shares)), shares, means]) - low)
    begins, ends = places[:2].min(axis=0), places[:2].max(axis=0)
    points = np.rint(100 * (shares - means)).astype(int)
    rows = shares, points, begins, ends - begins, places[2]
    return [
        Bar(layer, *row) for layer, *row in zip(layers, *map(np.ndarray.tolist, rows), strict=True)
    ]
