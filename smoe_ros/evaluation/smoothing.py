# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an average over time brings on film, and how late it is."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from torch import Tensor

from smoe_ros.evaluation.agreement import spearman
from smoe_ros.evaluation.arrays import Array, mean_of, rounded, stretched
from smoe_ros.evaluation.followed_film import FollowedFilm
from smoe_ros.explainer import Explainer
from smoe_ros.explainer.frame_explanation import FrameExplanation, frame_explanations
from smoe_ros.explainer.temporal_average import TemporalAverage
from smoe_ros.saliency.methods import MethodOptions

TIME_CONSTANTS = (0.0, 0.1, 0.3, 1.0)
"""Seconds; 0 is no average."""
ALIKE = 0.9
"""Spearman correlation with the map of its own frame from which on an average has followed."""
# Of so many frames one is compared with its average: ranks of all pixels take long.
_EVERY = 5
_LONGEST_LAG = 10.0


class _Average:
    """An average with one time constant, as it goes along a film."""

    def __init__(self, time_constant: float) -> None:
        self.time_constant = time_constant
        self.maps: list[Array] = []
        self.contributions: list[Array] = []
        self.likeness: list[float] = []
        self.milliseconds: list[float] = []
        self.lag: float | None = None
        self._average = TemporalAverage()

    def add(
        self, own: FrameExplanation, method: MethodOptions, seconds: float
    ) -> FrameExplanation:
        """Return the average up to the next frame."""
        stamp = round(1e9 * seconds)
        begin = time.perf_counter()
        shown = self._average.add(own, method, stamp, self.time_constant)
        self.milliseconds.append(1e3 * (time.perf_counter() - begin))
        return shown

    def figures(self, film: FollowedFilm) -> dict[str, Any]:
        return {
            'time_constant': self.time_constant,
            **film.unsteadiness_of(self.maps),
            'contribution_change': film.change_of(self.contributions),
            'likeness': mean_of(self.likeness),
            'lag': None if self.lag is None else rounded(self.lag),
            'ms': rounded(median(self.milliseconds)),
        }


def smoothing_figures(film: FollowedFilm, explainer: Explainer) -> dict[str, Any]:
    """Measure what averages with several time constants bring, and what they cost.

    After the film comes a cut, to a picture that stands still: the last frame's mirror image.

    Returns:
        ``averages``, for each of `TIME_CONSTANTS`: the ``time_constant`` in seconds; of the film
        ``flow_error``, ``peak_jitter`` and ``contribution_change`` as `FollowedFilm` has them,
        and ``likeness``, the Spearman correlation with the map of its own frame; ``lag``, seconds
        from the cut until that is 0.9; ``ms``, time to average a frame.
    """
    averages = [_Average(seconds) for seconds in TIME_CONSTANTS]
    method, count = explainer.method, len(film.inputs)
    for number, image in enumerate(film.inputs):
        own = _explained(explainer, image)
        for one in averages:
            shown = one.add(own, method, number / film.rate)
            one.maps.append(stretched(shown.saliency))
            one.contributions.append(shown.contributions)
            if number % _EVERY == _EVERY - 1:
                one.likeness.append(spearman(shown.saliency, own.saliency))
    still = _explained(explainer, film.inputs[-1].flip(-1))
    for number in range(round(_LONGEST_LAG * film.rate)):
        for one in averages:
            if one.lag is None:
                shown = one.add(still, method, (count + number) / film.rate)
                if spearman(shown.saliency, still.saliency) >= ALIKE:
                    one.lag = number / film.rate
    return {'averages': [one.figures(film) for one in averages]}


def _explained(explainer: Explainer, image: Tensor) -> FrameExplanation:
    (explanation,) = frame_explanations(explainer(image[None]), explainer.scales)
    return explanation
