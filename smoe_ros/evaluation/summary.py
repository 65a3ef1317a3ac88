# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the measurements say of each method: means, intervals, and differences to a reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any, TypeAlias

from smoe_ros.evaluation.intervals import interval_of_mean, paired_interval
from smoe_ros.evaluation.study import (
    EDGES,
    FAILED,
    FAITHFULNESS,
    RANDOMISATION,
    ROAD,
    SENSITIVITY,
    SMOOTHING,
    STABILITY,
    TIME,
)

REFERENCES = ('Grad-CAM', 'SMOE Scale')
"""What every method is compared with, picture by picture."""
_PER_PICTURE = ('deletion', 'insertion', 'difference', 'gini', 'energy', 'pointing')
_STABILITY = ('correlation', 'flow_error', 'peak_jitter')

Summary: TypeAlias = dict[str, Any]


class Measurements:
    """The lines of a log, by task, method and subject."""

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Sort them."""
        self._values: defaultdict[str, defaultdict[str, dict[str, Mapping[str, Any]]]]
        self._values = defaultdict(lambda: defaultdict(dict))
        for entry in entries:
            if {'task', 'method', 'subject'} <= entry.keys() and FAILED not in entry:
                self._values[entry['task']][entry['method']][entry['subject']] = entry

    def by_subject(self, task: str, method: str, figure: str) -> dict[str, float]:
        """Return a figure of each picture or film that has it."""
        return {
            subject: entry[figure]
            for subject, entry in self._values[task][method].items()
            if entry.get(figure) is not None
        }

    def methods(self, task: str) -> list[str]:
        """Return what was measured in a task, in order."""
        return list(self._values[task])

    def times(self) -> dict[str, float]:
        """Return the median time of each method in milliseconds."""
        rounds = [entry['ms'] for entry in self._values[TIME][''].values()]
        return {name: median([one[name] for one in rounds]) for name in (rounds or [{}])[0]}

    def randomisation(self) -> Mapping[str, Any] | None:
        """Return what the randomisation gave."""
        return self._values[RANDOMISATION][''].get('')

    def smoothing(self) -> list[dict[str, float | None]]:
        """Return the means over the films of what each average over time gave."""
        films = [entry['averages'] for entry in self._values[SMOOTHING][''].values()]
        return [
            {name: _mean([one[name] for one in averages]) for name in averages[0]}
            for averages in zip(*films, strict=True)
        ]

    def edge_likeness(self) -> list[float] | None:
        """Return the correlation of each scale's map, and last of the fused one, with edges."""
        entry = self._values[EDGES][''].get('')
        return None if entry is None else entry['spearman']

    def curve(self, method: str, figure: str) -> list[float]:
        """Return the mean of a curve over the pictures."""
        curves = [entry[figure] for entry in self._values[FAITHFULNESS][method].values()]
        return [fmean(values) for values in zip(*curves, strict=True)]


def summarize(
    measurements: Measurements,
    methods: Sequence[Mapping[str, Any]],
    references: Sequence[str] = REFERENCES,
    *,
    curves: bool = True,
) -> Summary:
    """Condense a run to what tables and plots show.

    Args:
        measurements: What was measured.
        methods: ``name``, ``kind`` and ``note`` of every method, in the order of the tables.
        references: Names of those that every method is compared with, picture by picture.
        curves: Whether to keep the mean curves of deletion and insertion.
    """
    times = measurements.times()
    rows = []
    for method in methods:
        name = method['name']
        row: Summary = dict(method)
        for figure in _PER_PICTURE:
            values = list(measurements.by_subject(FAITHFULNESS, name, figure).values())
            row[figure] = _interval(values)
        row['against'] = {
            reference: _paired(measurements, name, reference)
            for reference in references
            if reference != name and reference in measurements.methods(FAITHFULNESS)
        }
        row['ms'] = times.get(name)
        sensitivities = measurements.by_subject(SENSITIVITY, name, 'max_sensitivity').values()
        row['road'] = _interval(list(measurements.by_subject(ROAD, name, 'road').values()))
        row['max_sensitivity'] = median(sensitivities) if sensitivities else None
        if curves:
            row['curves'] = {
                kind: [round(value, 4) for value in measurements.curve(name, f'{kind}_curve')]
                for kind in ('deletion', 'insertion')
            }
        rows.append(row)
    return {
        'methods': rows,
        'stability': [_stability(measurements, name) for name in measurements.methods(STABILITY)],
        'smoothing': measurements.smoothing(),
        'randomisation': measurements.randomisation(),
        'edge_likeness': measurements.edge_likeness(),
    }


def _interval(values: Sequence[float]) -> Summary | None:
    """Return mean and interval; of one value there is no interval."""
    if not values:
        return None
    if len(values) == 1:
        return {'mean': values[0], 'low': None, 'high': None, 'count': 1}
    interval = interval_of_mean(values)
    return {
        'mean': interval.mean,
        'low': interval.low,
        'high': interval.high,
        'count': len(values),
    }


def _paired(measurements: Measurements, name: str, reference: str) -> Summary | None:
    """Return how much better a method's insertion − deletion is than the reference's."""
    mine = measurements.by_subject(FAITHFULNESS, name, 'difference')
    others = measurements.by_subject(FAITHFULNESS, reference, 'difference')
    common = [subject for subject in mine if subject in others]
    if len(common) < 2:
        return None
    interval = paired_interval(
        [mine[subject] for subject in common], [others[subject] for subject in common]
    )
    return {'mean': interval.mean, 'low': interval.low, 'high': interval.high}


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean; None if one is missing, for it would be another film's."""
    there = [value for value in values if value is not None]
    return fmean(there) if there and len(there) == len(values) else None


def _stability(measurements: Measurements, name: str) -> Summary:
    row: Summary = {'name': name}
    for figure in (*_STABILITY, 'contribution_change'):
        values = list(measurements.by_subject(STABILITY, name, figure).values())
        row[figure] = fmean(values) if values else None
    return row
