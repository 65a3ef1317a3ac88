# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the measurements say of each method: means, intervals, and differences to a reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean, median
from typing import Any, TypeAlias

from smoe_ros.evaluation import study
from smoe_ros.evaluation.metrics.intervals import interval_of_mean

REFERENCES = ('Grad-CAM', 'SMOE Scale')
"""What every method is compared with, picture by picture."""
_PER_PICTURE = ('deletion', 'insertion', 'difference', 'gini', 'energy', 'pointing')
_STABILITY = ('correlation', 'flow_error', 'peak_jitter', 'contribution_change')

Summary: TypeAlias = dict[str, Any]
_Figures: TypeAlias = Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]


def summarize(
    entries: Sequence[Mapping[str, Any]],
    methods: Sequence[Mapping[str, Any]],
    references: Sequence[str] = REFERENCES,
    *,
    curves: bool = True,
) -> Summary:
    """Condense a run to what tables and plots show.

    Args:
        entries: What was measured, by ``task``, ``subject`` and ``method``.
        methods: ``name``, ``kind`` and ``note`` of every method, in the order of the tables.
        references: Names of those that every method is compared with, picture by picture.
        curves: Whether to keep the mean curves of deletion and insertion.
    """
    figures: defaultdict[tuple[str, str], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for entry in entries:
        if study.FAILED not in entry:
            figures[entry['task'], entry['method']][entry['subject']] = entry
    rounds = [entry['ms'] for entry in figures[study.TIME, ''].values()]
    times = {name: median([one[name] for one in rounds]) for name in (rounds or [{}])[0]}
    measured = list(figures)
    films = [entry['averages'] for entry in figures[study.SMOOTHING, ''].values()]
    return {
        'methods': [
            {
                **method,
                **_row(figures, method['name'], references, times.get(method['name'])),
                **(_curves(figures, method['name']) if curves else {}),
            }
            for method in methods
        ],
        'stability': [
            {'name': name, **{one: _mean(_values(figures, task, name, one)) for one in _STABILITY}}
            for task, name in measured
            if task == study.STABILITY
        ],
        'smoothing': [
            {name: _mean_of_all([one[name] for one in averages]) for name in averages[0]}
            for averages in zip(*films, strict=True)
        ],
        'randomisation': figures[study.RANDOMISATION, ''].get(''),
        'edge_likeness': figures[study.EDGES, ''].get('', {}).get('spearman'),
    }


def _row(
    figures: _Figures, name: str, references: Sequence[str], milliseconds: float | None
) -> Summary:
    per_picture = partial(_values, figures, study.FAITHFULNESS, name)
    row: Summary = {figure: _interval(per_picture(figure)) for figure in _PER_PICTURE}
    row['against'] = {
        reference: _against(figures, name, reference)
        for reference in references
        if reference != name and (study.FAITHFULNESS, reference) in figures
    }
    sensitivities = _values(figures, study.SENSITIVITY, name, 'max_sensitivity').values()
    return row | {
        'ms': milliseconds,
        'road': _interval(_values(figures, study.ROAD, name, 'road')),
        'max_sensitivity': median(sensitivities) if sensitivities else None,
    }


def _values(figures: _Figures, task: str, method: str, figure: str) -> dict[str, float]:
    """Return a figure of each picture or film that has it."""
    return {
        subject: entry[figure]
        for subject, entry in figures.get((task, method), {}).items()
        if entry.get(figure) is not None
    }


def _interval(values: Mapping[str, float]) -> Summary | None:
    """Return mean and interval; of one value there is no interval."""
    if not values:
        return None
    if len(values) == 1:
        return {'mean': next(iter(values.values())), 'low': None, 'high': None, 'count': 1}
    return interval_of_mean(list(values.values()))._asdict() | {'count': len(values)}


def _against(figures: _Figures, name: str, reference: str) -> Summary | None:
    """Return how much better a method's insertion − deletion is, picture by picture."""
    mine, others = (
        _values(figures, study.FAITHFULNESS, one, 'difference') for one in (name, reference)
    )
    gains = [mine[subject] - others[subject] for subject in mine if subject in others]
    return interval_of_mean(gains)._asdict() if len(gains) > 1 else None


def _curves(figures: _Figures, name: str) -> Summary:
    """Return the mean curves over the pictures."""
    entries = figures.get((study.FAITHFULNESS, name), {}).values()
    curves = {}
    for kind in ('deletion', 'insertion'):
        steps = zip(*(entry[f'{kind}_curve'] for entry in entries), strict=True)
        curves[kind] = [round(fmean(values), 4) for values in steps]
    return {'curves': curves}


def _mean(values: Mapping[str, float]) -> float | None:
    return fmean(values.values()) if values else None


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    """Return the mean; None if one is missing, for it would be another film's."""
    there = [value for value in values if value is not None]
    return fmean(there) if there and len(there) == len(values) else None
