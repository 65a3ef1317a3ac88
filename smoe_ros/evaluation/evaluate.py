# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One run of smoe_evaluate: from what was asked for to the files."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from smoe_ros.commands.line_log import LineLog
from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.evaluation.ablation import DEFAULTS, ablation_methods
from smoe_ros.evaluation.baselines import baseline_methods
from smoe_ros.evaluation.boxes import Box, bundled_boxes, read_boxes
from smoe_ros.evaluation.evaluate_options import EvaluateOptions
from smoe_ros.evaluation.evaluated_network import Network, Question
from smoe_ros.evaluation.followed_film import FollowedFilm
from smoe_ros.evaluation.localisation import area_of_boxes
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.own_methods import standard_methods
from smoe_ros.evaluation.peers import HOW_TO_INSTALL, available_peers, peer_methods
from smoe_ros.evaluation.results_folder import write_results
from smoe_ros.evaluation.road import road_is_available
from smoe_ros.evaluation.study import ONLY_FAITHFULNESS, QUICK, Scope, Study
from smoe_ros.evaluation.subjects import (
    Film,
    Subject,
    bundled_subjects,
    film_frames,
    films_of,
    subjects_of,
)
from smoe_ros.evaluation.summary import REFERENCES, Measurements, summarize
from smoe_ros.explainer.settings import Settings

PROGRESS = 'progress.jsonl'
_QUICK_PICTURES = 3
_ROAD_PICTURES = 6


def evaluate(options: EvaluateOptions, say: Callable[[str], None]) -> int:
    """Measure, print the tables and write the results.

    Args:
        options: What was asked for.
        say: Told in a sentence what is left out.

    Returns:
        The exit code: 1 if an input was refused, or a method failed on one.

    Raises:
        ConfigurationError: If a setting cannot work, or there is nothing to measure.
    """
    path = options.output / PROGRESS
    if path.exists() and not options.resume:
        raise ConfigurationError(
            f"'{options.output}' holds a run that was interrupted; go on with it by --resume, or "
            f"delete '{path}'"
        )
    refused: list[str] = []

    def refuse(reason: str) -> None:
        refused.append(reason)
        say(reason)

    scope = _scope(options)
    subjects = _subjects(options, refuse)
    boxes = _boxes(options)
    network = Network(Settings.of(options))
    questions = _questions(network, subjects, boxes, refuse)
    if options.quick:
        questions = questions[:_QUICK_PICTURES]
    methods = _methods(network, options, questions[0], say)
    films = _films(options, network) if scope.film_frames else []
    study = Study(network, methods, questions, films, scope)
    options.output.mkdir(parents=True, exist_ok=True)
    with LineLog(path, _task(options, study, subjects)) as log:
        entries = study.run(log, refuse)
    measurements = Measurements(entries)
    summary = {
        'backbone': network.name,
        'weights': options.weights,
        'ablation': options.ablation,
        **study.description(),
        'answers': [
            {
                'picture': one.name,
                'class': one.label_name,
                'probability': round(one.probability, 4),
            }
            for one in questions
        ],
        'box_share': _box_share(questions),
        **summarize(
            measurements,
            [{'name': one.name, 'kind': one.kind, 'note': one.note} for one in methods],
            tuple(DEFAULTS.values()) if options.ablation else REFERENCES,
            curves=not options.ablation,
        ),
    }
    write_results(summary, entries, questions, methods, options.output)
    path.unlink()
    return int(bool(refused))


def _scope(options: EvaluateOptions) -> Scope:
    if options.road and not road_is_available():
        raise ConfigurationError(f'ROAD needs the package grad-cam: {HOW_TO_INSTALL}')
    if options.quick:
        scope = replace(QUICK, film_frames=0, smoothing_frames=0) if options.ablation else QUICK
        return replace(scope, seed=options.seed, road_pictures=int(options.road))
    scope = ONLY_FAITHFULNESS if options.ablation else Scope()
    return replace(scope, seed=options.seed, road_pictures=_ROAD_PICTURES * options.road)


def _subjects(options: EvaluateOptions, refuse: Callable[[str], None]) -> list[Subject]:
    if options.inputs:
        subjects = subjects_of(options.inputs, options.frames_per_film, refuse)
    else:
        subjects = bundled_subjects(options.frames_per_film)
    if not subjects:
        raise ConfigurationError('there is no picture to measure on; name photos or videos')
    return subjects


def _boxes(options: EvaluateOptions) -> dict[str, list[Box]]:
    if options.boxes is not None:
        return read_boxes(options.boxes)
    # A user's picture may be called as a bundled one.
    return {} if options.inputs else bundled_boxes()


def _questions(
    network: Network,
    subjects: Sequence[Subject],
    boxes: dict[str, list[Box]],
    refuse: Callable[[str], None],
) -> list[Question]:
    questions = []
    for subject in subjects:
        try:
            questions.append(network.question(subject, boxes.get(subject.name, ())))
        except ValueError as error:  # FrameError among them
            refuse(f"'{subject.name}': {error}")
    if not questions:
        raise ConfigurationError('none of the pictures can be measured on')
    return questions


def _box_share(questions: Sequence[Question]) -> float | None:
    """Return the mean share of a picture that its boxes have: the energy of a flat map."""
    shares = [
        area_of_boxes(question.boxes, (question.image.shape[1], question.image.shape[2]))
        for question in questions
        if question.boxes
    ]
    return fmean(shares) if shares else None


def _methods(
    network: Network, options: EvaluateOptions, question: Question, say: Callable[[str], None]
) -> list[MapMethod]:
    if options.ablation:
        return ablation_methods(network.explainer)
    peers = available_peers()
    methods = [*standard_methods(network.explainer), *baseline_methods(network.explainer)]
    names = {name.lower(): name for name in (*(method.name for method in methods), *peers)}
    for name in options.methods:
        if name.lower() not in names:
            raise unknown_name('method', name, names)
    wanted = dict.fromkeys(names[name.lower()] for name in options.methods) or names.values()
    for reason in dict.fromkeys(peers[name] for name in wanted if name in peers):
        if reason:
            say(f'left out: {reason}')
    there = [name for name in wanted if name in peers and not peers[name]]
    methods += peer_methods(network.model, network.explainer, there, question.image[None])
    by_name = {method.name: method for method in methods}
    chosen = [by_name[name] for name in wanted if name in by_name]
    if not chosen:
        raise ConfigurationError(f'none of the methods asked for can be used; {HOW_TO_INSTALL}')
    return chosen


def _films(
    options: EvaluateOptions, network: Network
) -> list[tuple[str, Callable[[int], FollowedFilm]]]:
    def reader(film: Film) -> Callable[[int], FollowedFilm]:
        return lambda count: FollowedFilm(film_frames(film, count), film.rate, network)

    films = films_of(options.inputs)[: 1 if options.quick else None]
    return [(film.name, reader(film)) for film in films]


def _task(options: EvaluateOptions, study: Study, subjects: Sequence[Subject]) -> dict[str, Any]:
    """What makes the run what it is: other options would give other figures."""
    asked = asdict(options)
    for name in ('output', 'resume', 'inputs', 'boxes', 'threads', 'device', 'allow_download'):
        del asked[name]
    pictures = [zlib.crc32(subject.rgb.tobytes()) for subject in subjects]
    boxes = options.boxes and zlib.crc32(Path(options.boxes).read_bytes())
    task = {**asked, **study.description(), 'checksums': pictures, 'boxes': boxes}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in task.items()
    }
