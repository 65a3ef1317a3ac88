# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of an evaluation."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smoe_ros.evaluation import tables
from smoe_ros.evaluation.evaluated_network import Question
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.plots import draw_plots

_KEYS = ('task', 'subject', 'method')


def write_results(
    summary: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    questions: Sequence[Question],
    methods: Sequence[MapMethod],
    folder: Path,
) -> None:
    """Print the tables, and write ``evaluation.md``, ``.json``, ``.csv`` and the plots.

    Tables and plots show the summary, the CSV every entry, one plot some of the pictures.
    """
    (folder / 'evaluation.json').write_text(json.dumps(summary, indent=1) + '\n', encoding='utf-8')
    with (folder / 'evaluation.csv').open('w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow((*_KEYS, 'figure', 'value'))
        writer.writerows(row for entry in entries for row in _figures(entry))
    plots = [] if summary['ablation'] else draw_plots(summary, questions, methods, folder)
    text = _report(summary, plots)
    (folder / 'evaluation.md').write_text(text, encoding='utf-8')
    print(text)


def _report(summary: Mapping[str, Any], plots: Sequence[str]) -> str:
    """Return the tables, and the plots by their files' names, as Markdown."""
    scope = summary['scope']
    parts = [
        f'# Saliency of {summary["backbone"]} ({summary["weights"]}), measured',
        f'{len(summary["pictures"])} pictures, {scope["steps"]} steps, seed {scope["seed"]}; 95 % '
        'intervals by bootstrap over the pictures. The class is what the network says of the '
        'clean picture.',
    ]
    for title, text in _sections(summary):
        parts += [f'## {title}', text]
    parts += [f'![{Path(plot).stem}]({plot})' for plot in plots]
    return '\n\n'.join(parts) + '\n'


def _sections(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if summary['ablation']:
        rows = [row for row in summary['methods'] if row['difference']]
        yield 'Choices', tables.choice_table(rows)
        yield 'Settings', tables.best_table(rows)
    else:
        text = tables.method_table(summary['methods'])
        if summary['box_share'] is not None:
            share = f'{summary["box_share"]:.3f}'
            text += f'\n\nOf a map that is the same everywhere, {share} lies in the boxes.'
        yield 'Methods', text
    if summary['stability']:
        films = ', '.join(summary['films'])
        yield f'Consecutive frames ({films})', tables.stability_table(summary['stability'])
    if summary['smoothing']:
        yield 'Averaged over time', tables.smoothing_table(summary['smoothing'])
    if random := summary['randomisation']:
        titles = {'spearman': 'Spearman correlation', 'ssim': 'Structural similarity'}
        for figure, title in titles.items():
            yield f'{title} as layers become random', tables.randomisation_table(random, figure)
    if summary['edge_likeness']:
        likeness = tables.edge_table(summary['edge_likeness'])
        yield 'How like the edges of the picture the maps are', likeness
    yield 'Pictures', tables.answer_table(summary['answers'])


def _figures(entry: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give a row a figure; curves and lists are in the log's form, as JSON."""
    task, subject, method = (entry[key] for key in _KEYS)
    for figure, value in entry.items():
        if figure in _KEYS:
            continue
        for name, one in value.items() if figure == 'ms' else [(method, value)]:
            text = json.dumps(one) if isinstance(one, (list, dict)) else one
            yield task, subject, name, figure, '' if text is None else text
