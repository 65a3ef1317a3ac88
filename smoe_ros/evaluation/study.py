# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Everything that is to be measured, one piece after the other, so that a run can go on later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any, TypeAlias

import torch

from smoe_ros.commands.line_log import LineLog
from smoe_ros.commands.progress import Progress
from smoe_ros.evaluation import tasks
from smoe_ros.evaluation.arrays import rounded
from smoe_ros.evaluation.evaluated_network import Network, Question
from smoe_ros.evaluation.followed_film import FollowedFilm
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.perturbation import STEPS
from smoe_ros.evaluation.smoothing import smoothing_figures
from smoe_ros.explainer import Explainer

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

_Film: TypeAlias = Callable[[], FollowedFilm]


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


@dataclass(frozen=True)
class Unit:
    """One measurement: what, of which picture or film, by which method.

    Attributes:
        task: Kind of measurement.
        subject: Name of the picture or film, or number of the round.
        method: Name of the method; empty if it is of none.
        measure: Does it.
    """

    task: str
    subject: str
    method: str
    measure: Callable[[], dict[str, Any]]

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it."""
        return self.task, self.subject, self.method


class Study:
    """All measurements of a run, in an order that spreads the machine's moods over the methods."""

    def __init__(
        self,
        network: Network,
        methods: Sequence[MapMethod],
        questions: Sequence[Question],
        films: Sequence[tuple[str, Callable[[int], FollowedFilm]]],
        scope: Scope,
    ) -> None:
        """Plan it.

        Args:
            network: The network that is explained.
            methods: What is compared.
            questions: The pictures.
            films: Name of each film, and what reads so many frames of it when it is its turn.
            scope: How much is measured.
        """
        self._network, self._methods, self._questions = network, methods, questions
        self._films, self._scope = films, scope

    def run(self, log: LineLog, say: Callable[[str], None]) -> list[dict[str, Any]]:
        """Do what the log does not have yet, write it there, and return all that was measured.

        What a method cannot measure costs this one figure: it is told, and noted as failed.

        Args:
            log: Results of an earlier run, and of this one.
            say: Told in a sentence what failed.
        """
        done = {
            (entry['task'], entry['subject'], entry['method'])
            for entry in log.entries
            if {'task', 'subject', 'method'} <= entry.keys()
        }
        entries, units = list(log.entries), list(self._units())
        with Progress(len(units), unit='figure') as progress:
            for unit in units:
                if unit.key not in done:
                    progress.start(unit.task)
                    entries.append(_entry(unit, say))
                    log.add(entries[-1])
                progress.advance()
        return entries

    def description(self) -> dict[str, Any]:
        """What makes the run what it is: as JSON gives it back."""
        return {
            'pictures': [question.name for question in self._questions],
            'films': [name for name, _ in self._films] if self._scope.film_frames else [],
            'methods': [method.name for method in self._methods],
            'scope': asdict(self._scope),
        }

    def _units(self) -> Iterator[Unit]:
        network, scope = self._network, self._scope
        for number in range(scope.rounds):
            yield Unit(TIME, str(number), '', self._times)
        for task, count, measure in (
            (FAITHFULNESS, None, partial(tasks.faithfulness, network, steps=scope.steps)),
            (
                SENSITIVITY,
                scope.sensitivity_pictures,
                partial(tasks.sensitivity, samples=scope.samples, seed=scope.seed),
            ),
            (ROAD, scope.road_pictures, partial(tasks.removal, network, seed=scope.seed)),
        ):
            for question in self._questions[:count]:
                for method in self._methods:
                    yield Unit(
                        task, question.name, method.name, partial(measure, question, method)
                    )
        if scope.film_frames:
            yield from self._film_units()
            yield Unit(EDGES, '', '', partial(tasks.edge_likeness, network, self._questions))
        alike = self._of_one_size(scope.randomisation_pictures)
        if alike:
            yield Unit(
                RANDOMISATION,
                '',
                '',
                partial(
                    tasks.randomisation, network, alike, scope.randomisation_steps, scope.seed
                ),
            )

    def _film_units(self) -> Iterator[Unit]:
        for name, read in self._films:
            film = cache(partial(read, self._scope.film_frames))
            yield Unit(STABILITY, name, INPUT, partial(_input_stability, film))
            yield Unit(
                STABILITY,
                name,
                CONTRIBUTIONS,
                partial(_contribution_changes, film, self._network.explainer),
            )
            for method in self._methods:
                yield Unit(STABILITY, name, method.name, partial(_stability, film, method))
            longer = partial(read, self._scope.smoothing_frames)
            yield Unit(SMOOTHING, name, '', partial(_smoothing, longer, self._network.explainer))

    def _of_one_size(self, count: int) -> list[Question]:
        """Return the first pictures whose inputs have the size that most have."""
        shapes = [tuple(question.image.shape) for question in self._questions]
        common = max(shapes, key=shapes.count)
        return [
            question
            for question, shape in zip(self._questions, shapes, strict=True)
            if shape == common
        ][:count]

    def _times(self) -> dict[str, Any]:
        """Time every method once, on one picture, after a call that is not counted."""
        question = self._questions[0]
        batch, label = question.image[None], torch.tensor([question.label])
        label = label.to(batch.device)
        milliseconds = {}
        for method in self._methods:
            method.explain(batch, label)
            begin = time.perf_counter()
            method.explain(batch, label).cpu()  # waits for a GPU
            milliseconds[method.name] = rounded(1000 * (time.perf_counter() - begin))
        return {'ms': milliseconds}


def _entry(unit: Unit, say: Callable[[str], None]) -> dict[str, Any]:
    entry: dict[str, Any] = {'task': unit.task, 'subject': unit.subject, 'method': unit.method}
    try:
        return entry | unit.measure()
    except (ValueError, RuntimeError) as error:  # a map with NaN, a library's limits
        reason = ' '.join(str(error).split())
        say(f'{unit.task} of {unit.subject or "all"} by {unit.method or "all"} failed: {reason}')
        return entry | {FAILED: reason}


def _input_stability(film: _Film) -> dict[str, Any]:
    return film().input_stability()


def _smoothing(film: _Film, explainer: Explainer) -> dict[str, Any]:
    return smoothing_figures(film(), explainer)


def _contribution_changes(film: _Film, explainer: Explainer) -> dict[str, Any]:
    return film().contribution_changes(explainer)


def _stability(film: _Film, method: MapMethod) -> dict[str, Any]:
    return film().stability(method)
