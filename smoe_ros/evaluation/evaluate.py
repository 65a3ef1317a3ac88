# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One run of smoe_evaluate: from what was asked for to the files."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

from smoe_ros.commands.inputs import find_inputs
from smoe_ros.commands.line_log import LineLog
from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.evaluation.boxes import Box, bundled_boxes, read_boxes
from smoe_ros.evaluation.evaluate_options import EvaluateOptions
from smoe_ros.evaluation.evaluated_network import Network, Question
from smoe_ros.evaluation.map_methods import (
    DEFAULTS,
    MapMethod,
    ablation_methods,
    baseline_methods,
    standard_methods,
)
from smoe_ros.evaluation.metrics.localisation import area_of_boxes
from smoe_ros.evaluation.peers import HOW_TO_INSTALL, available_peers, peer_methods
from smoe_ros.evaluation.results_folder import write_results
from smoe_ros.evaluation.study import ONLY_FAITHFULNESS, QUICK, Scope, run, units_of
from smoe_ros.evaluation.subjects import Subject, bundled_inputs, read_subjects
from smoe_ros.evaluation.summary import REFERENCES, summarize
from smoe_ros.explainer.settings import Settings

PROGRESS = 'progress.jsonl'
_QUICK_PICTURES = 3
_ROAD_PICTURES = 6


def evaluate(options: EvaluateOptions, say: Callable[[str], None]) -> int:
    """Measure, print the tables and write the results; `say` is told what is left out.

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
    inputs = find_inputs(options.inputs, refuse) if options.inputs else bundled_inputs()
    subjects, films = read_subjects(inputs, options.frames_per_film, refuse)
    if not subjects:
        raise ConfigurationError('there is no picture to measure on; name photos or videos')
    boxes = _boxes(options)
    network = Network(Settings.of(options))
    questions = _questions(network, subjects, boxes, refuse)
    if options.quick:
        questions, films = questions[:_QUICK_PICTURES], films[:1]
    methods = _methods(network, options, questions[0], say)
    if not scope.film_frames:
        films = []
    planned = {
        'pictures': [question.name for question in questions],
        'films': [film.name for film in films],
        'methods': [method.name for method in methods],
        'scope': asdict(scope),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    with LineLog(path, _task(options, subjects) | planned) as log:
        entries = run(list(units_of(network, methods, questions, films, scope)), log, refuse)
    told = [{'name': one.name, 'kind': one.kind, 'note': one.note} for one in methods]
    references = tuple(DEFAULTS.values()) if options.ablation else REFERENCES
    # The energy of a flat map.
    shares = [
        area_of_boxes(one.boxes, (one.image.shape[1], one.image.shape[2]))
        for one in questions
        if one.boxes
    ]
    summary = {
        'backbone': network.name,
        'weights': options.weights,
        'ablation': options.ablation,
        **planned,
        'answers': [
            {
                'picture': one.name,
                'class': one.label_name,
                'probability': round(one.probability, 4),
            }
            for one in questions
        ],
        'box_share': fmean(shares) if shares else None,
        **summarize(entries, told, references, curves=not options.ablation),
    }
    write_results(summary, entries, questions, methods, options.output)
    path.unlink()
    return int(bool(refused))


def _scope(options: EvaluateOptions) -> Scope:
    if options.road and not find_spec('pytorch_grad_cam'):
        raise ConfigurationError(f'ROAD needs the package grad-cam: {HOW_TO_INSTALL}')
    if options.quick:
        scope = replace(QUICK, film_frames=0, smoothing_frames=0) if options.ablation else QUICK
        return replace(scope, seed=options.seed, road_pictures=int(options.road))
    scope = ONLY_FAITHFULNESS if options.ablation else Scope()
    return replace(scope, seed=options.seed, road_pictures=_ROAD_PICTURES * options.road)


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


def _methods(
    network: Network, options: EvaluateOptions, question: Question, say: Callable[[str], None]
) -> list[MapMethod]:
    if options.ablation:
        return ablation_methods(network.explainer)
    peers = available_peers()
    methods = standard_methods(network.explainer) + baseline_methods(network.explainer)
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


def _task(options: EvaluateOptions, subjects: Sequence[Subject]) -> dict[str, Any]:
    """What makes the run what it is, as JSON gives it back: others would give other figures."""
    asked = asdict(options)
    for name in ('output', 'resume', 'inputs', 'boxes', 'threads', 'device', 'allow_download'):
        del asked[name]
    asked['checksums'] = [zlib.crc32(subject.rgb.tobytes()) for subject in subjects]
    asked['boxes'] = options.boxes and zlib.crc32(Path(options.boxes).read_bytes())
    return {key: list(one) if isinstance(one, tuple) else one for key, one in asked.items()}
