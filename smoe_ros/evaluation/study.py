# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Everything that is to be measured, one piece after the other, so that a run can go on later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

from smoe_ros.commands.line_log import LineLog
from smoe_ros.commands.progress import Progress
from smoe_ros.evaluation import tasks
from smoe_ros.evaluation.evaluated_network import Network, Question
from smoe_ros.evaluation.followed_film import FollowedFilm
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.metrics.perturbation import STEPS
from smoe_ros.evaluation.subjects import Film

FAITHFULNESS = 'faithfulness'
SENSITIVITY = 'sensitivity'
ROAD = 'road'
STABILITY = 'stability'
SMOOTHING = 'smoothing'
RANDOMISATION = 'randomisation'
EDGES = 'edges'
TIME = 'time'
# In place of a method: the pictures themselves, and the scales' contributions.
INPUT = 'the camera image itself'
CONTRIBUTIONS = 'contributions'
FAILED = 'failed'


@dataclass(frozen=True)
class Scope:
    """How much is measured.

    Attributes:
        steps: Steps of deletion and insertion.
        samples: Noisy copies of a picture for the sensitivity.
        sensitivity_pictures: Number of pictures for it; slow methods make a map for each sample.
        road_pictures: Number of pictures for ROAD, whose imputation is slow.
        film_frames: Consecutive frames of each film.
        smoothing_frames: Likewise, to see what averages over time do.
        randomisation_pictures: Number of pictures for the randomisation, all of one size.
        randomisation_steps: Number of groups of layers that become random, one after the other.
        rounds: Times that every method is timed, in turns.
        seed: Of everything that is drawn.
    """

    steps: int = STEPS
    samples: int = 10
    sensitivity_pictures: int = 4
    road_pictures: int = 0
    film_frames: int = 9
    smoothing_frames: int = 75
    randomisation_pictures: int = 6
    randomisation_steps: int = 8
    rounds: int = 9
    seed: int = 0


QUICK = Scope(4, 2, 1, 0, 3, 6, 2, 3, 2)
"""To see whether everything runs; its figures say nothing."""
ONLY_FAITHFULNESS = Scope(
    steps=14,
    sensitivity_pictures=0,
    film_frames=0,
    smoothing_frames=0,
    randomisation_pictures=0,
    rounds=5,
)
"""For many methods: how well their maps explain in half the steps, and how long they take."""


class Unit(NamedTuple):
    """One measurement: what, of which picture or film, by which method.

    Attributes:
        task: Kind of measurement.
        subject: Name of the picture or film, or number of the round; empty if it is of all.
        method: Name of the method; empty if it is of none.
        measure: Does it.
    """

    task: str
    subject: str
    method: str
    measure: Callable[[], dict[str, Any]]


def units_of(
    network: Network,
    methods: Sequence[MapMethod],
    questions: Sequence[Question],
    films: Sequence[Film],
    scope: Scope,
) -> Iterator[Unit]:
    """Plan all measurements, in an order that spreads the machine's moods over the methods."""
    for number in range(scope.rounds):
        yield Unit(TIME, str(number), '', partial(tasks.times, methods, questions[0]))
    for task, count, measure in (
        (FAITHFULNESS, len(questions), partial(tasks.faithfulness, network, scope.steps)),
        (
            SENSITIVITY,
            scope.sensitivity_pictures,
            partial(tasks.sensitivity, scope.samples, scope.seed),
        ),
        (ROAD, scope.road_pictures, partial(tasks.removal, network, scope.seed)),
    ):
        for question in questions[:count]:
            for method in methods:
                yield Unit(task, question.name, method.name, partial(measure, question, method))
    if scope.film_frames:
        for film in films:
            yield from _film_units(network, methods, film, scope)
        yield Unit(EDGES, '', '', partial(tasks.edge_likeness, network, questions))
    if scope.randomisation_pictures:
        shapes = [question.image.shape for question in questions]
        common = max(shapes, key=shapes.count)
        alike = [question for question in questions if question.image.shape == common]
        chosen = alike[: scope.randomisation_pictures]
        measure_all = partial(
            tasks.randomisation, network, chosen, scope.randomisation_steps, scope.seed
        )
        yield Unit(RANDOMISATION, '', '', measure_all)


def _film_units(
    network: Network, methods: Sequence[MapMethod], film: Film, scope: Scope
) -> Iterator[Unit]:
    # Read when it is its turn, and followed once for all methods.
    @cache
    def followed() -> FollowedFilm:
        return FollowedFilm(film.middle(scope.film_frames), film.rate, network)

    def smoothing() -> dict[str, Any]:
        frames = film.middle(scope.smoothing_frames)
        return FollowedFilm(frames, film.rate, network).smoothing(network.explainer)

    def changes() -> dict[str, Any]:
        return followed().contribution_changes(network.explainer)

    def stability(method: MapMethod) -> dict[str, Any]:
        return followed().stability(method)

    yield Unit(STABILITY, film.name, INPUT, lambda: followed().input_stability())
    yield Unit(STABILITY, film.name, CONTRIBUTIONS, changes)
    for method in methods:
        yield Unit(STABILITY, film.name, method.name, partial(stability, method))
    yield Unit(SMOOTHING, film.name, '', smoothing)


def run(units: Sequence[Unit], log: LineLog, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Do what the log does not have yet, write it there, and return all that was measured.

    What a method cannot measure costs this one figure: it is told, and noted as failed.
    """
    entries = list(log.entries)
    done = {(entry['task'], entry['subject'], entry['method']) for entry in entries}
    with Progress(len(units), unit='figure') as progress:
        for unit in units:
            if unit[:3] not in done:
                progress.start(unit.task)
                entries.append(_entry(unit, say))
                log.add(entries[-1])
            progress.advance()
    return entries


def _entry(unit: Unit, say: Callable[[str], None]) -> dict[str, Any]:
    task, subject, method, measure = unit
    entry: dict[str, Any] = {'task': task, 'subject': subject, 'method': method}
    try:
        return entry | _rounded(measure())
    except (ValueError, RuntimeError) as error:  # a map with NaN, a library's limits
        reason = ' '.join(str(error).split())
        say(f'{task} of {subject or "all"} by {method or "all"} failed: {reason}')
        return entry | {FAILED: reason}


def _rounded(value: Any) -> Any:
    """Keep of every figure the digits that are worth it."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f'{value:.6g}') if isinstance(value, float) else value
