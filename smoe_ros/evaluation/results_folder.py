# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of an evaluation."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smoe_ros.evaluation.ablation_tables import best_table, choice_table
from smoe_ros.evaluation.evaluated_network import Question
from smoe_ros.evaluation.examples import draw_examples
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.plots import draw_plots
from smoe_ros.evaluation.tables import (
    answer_table,
    edge_table,
    method_table,
    randomisation_table,
    smoothing_table,
    stability_table,
)

_EXAMPLES = 7


def write_results(
    summary: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    questions: Sequence[Question],
    methods: Sequence[MapMethod],
    folder: Path,
) -> None:
    """Print the tables, and write ``evaluation.md``, ``.json``, ``.csv`` and the plots.

    Args:
        summary: What the tables show.
        entries: Every measurement.
        questions: The pictures, of which some become examples.
        methods: What was compared.
        folder: Where to write.
    """
    (folder / 'evaluation.json').write_text(json.dumps(summary, indent=1) + '\n', encoding='utf-8')
    with (folder / 'evaluation.csv').open('w', encoding='utf-8', newline='') as file:
        _write_figures(csv.writer(file, lineterminator='\n'), entries)
    plots = []
    if not summary['ablation']:
        plots = draw_plots(summary, folder)
        draw_examples(examples_of(questions), methods, folder / 'examples.png')
        plots.append(folder / 'examples.png')
    text = report(summary, [plot.name for plot in plots])
    (folder / 'evaluation.md').write_text(text, encoding='utf-8')
    print(text)


def examples_of(questions: Sequence[Question]) -> list[Question]:
    """Return the pictures that are shown: those with boxes first, in their order."""
    ordered = sorted(questions, key=lambda question: not question.boxes)
    return ordered[:_EXAMPLES]


def report(summary: Mapping[str, Any], plots: Sequence[str]) -> str:
    """Return the report as Markdown.

    Args:
        summary: What the tables show.
        plots: Names of the plots' files.
    """
    pictures, scope = summary['pictures'], summary['scope']
    lines = [
        f'# Saliency of {summary["backbone"]} ({summary["weights"]}), measured',
        '',
        f'{len(pictures)} pictures, {scope["steps"]} steps, seed {scope["seed"]}; 95 % intervals '
        'by bootstrap over the pictures. The class is what the network says of the clean picture.',
    ]
    if summary['ablation']:
        rows = [row for row in summary['methods'] if row['difference']]
        lines += ['', '## Choices', '', choice_table(rows)]
        lines += ['', '## Settings', '', best_table(rows)]
    else:
        lines += ['', '## Methods', '', method_table(summary['methods'])]
        if summary['box_share'] is not None:
            share = f'{summary["box_share"]:.3f}'
            lines += ['', f'Of a map that is the same everywhere, {share} lies in the boxes.']
        if summary['stability']:
            lines += [
                '',
                f'## Consecutive frames ({", ".join(summary["films"])})',
                '',
                stability_table(summary['stability']),
            ]
        if summary['smoothing']:
            lines += ['', '## Averaged over time', '', smoothing_table(summary['smoothing'])]
        if summary['randomisation']:
            table = randomisation_table(summary['randomisation'], 'spearman')
            lines += ['', '## Spearman correlation as layers become random', '', table]
            table = randomisation_table(summary['randomisation'], 'ssim')
            lines += ['', '## Structural similarity as layers become random', '', table]
        if summary['edge_likeness']:
            table = edge_table(summary['edge_likeness'])
            lines += ['', '## How like the edges of the picture the maps are', '', table]
    lines += ['', '## Pictures', '', answer_table(summary['answers'])]
    for plot in plots:
        lines += ['', f'![{Path(plot).stem}]({plot})']
    return '\n'.join(lines) + '\n'


def _write_figures(writer: Any, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write a row a figure; curves and lists are in the log's form, as JSON."""
    writer.writerow(('task', 'subject', 'method', 'figure', 'value'))
    for entry in entries:
        keys = [entry[key] for key in ('task', 'subject', 'method')]
        for figure, value in entry.items():
            if figure in ('task', 'subject', 'method'):
                continue
            for name, one in value.items() if figure == 'ms' else [('', value)]:
                text = json.dumps(one) if isinstance(one, (list, dict)) else one
                writer.writerow((*keys[:2], name or keys[2], figure, '' if text is None else text))
