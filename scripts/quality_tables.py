# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The generated parts of docs/quality.md, from what smoe_evaluate wrote."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smoe_ros.evaluation.map_methods import DEFAULTS
from smoe_ros.evaluation.tables import (
    best_table,
    choice_table,
    edge_table,
    method_table,
    randomisation_table,
    smoothing_table,
    stability_table,
    with_interval,
)

Row = Mapping[str, Any]

PRODUCT, ALONE, REFERENCE = 'SMOE Scale × Grad-CAM', 'SMOE Scale', 'Grad-CAM'
SLOW = 'SmoothGrad² (captum)'


def quality_parts(evaluation: Path, ablation: Path) -> dict[str, str]:
    """Return every generated part of docs/quality.md by its name.

    Args:
        evaluation: The evaluation.json of a run of smoe_evaluate.
        ablation: That of a run with --ablation.
    """
    summary = json.loads(evaluation.read_text(encoding='utf-8'))
    settings = json.loads(ablation.read_text(encoding='utf-8'))
    return {
        'scope': scope(summary),
        'answers': answers_of(evaluation),
        'limits': '\n'.join(f'- {line}' for line in limits(summary)),
        'methods': method_table(summary['methods']),
        'flat': f'Of a map that is the same everywhere, {summary["box_share"]:.3f} lies in the '
        'boxes.',
        'stability': stability_table(summary['stability']),
        'steadiness': steadiness(summary),
        'smoothing': smoothing_table(summary['smoothing']),
        'smoothed': smoothed(summary['smoothing']),
        'spearman': randomisation_table(summary['randomisation'], 'spearman'),
        'ssim': randomisation_table(summary['randomisation'], 'ssim'),
        'edges': edge_table(summary['edge_likeness']),
        'ablation scope': scope(settings),
        'choices': choice_table(settings['methods']),
        'settings': best_table(settings['methods']),
        'default': '\n'.join(f'- {line}' for line in defaults(settings['methods'])),
    }


def answers_of(evaluation: Path) -> str:
    """Return what an evaluation says of our maps, a line each.

    Args:
        evaluation: The evaluation.json of a run of smoe_evaluate.
    """
    summary = json.loads(evaluation.read_text(encoding='utf-8'))
    return '\n'.join(f'- {line}' for line in answers(summary))


def scope(summary: Row) -> str:
    """Say on what was measured."""
    films = [name for name in summary['pictures'] if name[-3:].isdecimal()]
    photos = len(summary['pictures']) - len(films)
    return (
        f'{summary["backbone"]}, {photos} photos and {len(films)} frames of films, '
        f'{len(summary["methods"])} methods, {summary["scope"]["steps"]} steps, seed '
        f'{summary["scope"]["seed"]}.'
    )


def answers(summary: Row) -> list[str]:
    """Say what the figures say of our maps."""
    rows = {row['name']: row for row in summary['methods']}
    product, alone, slow = rows[PRODUCT], rows[ALONE], rows[SLOW]
    against = product['against'][REFERENCE]
    if against['low'] > 0:
        verdict = 'better, and the interval excludes a loss'
    elif against['high'] < 0:
        verdict = '**worse**: the interval excludes a gain'
    else:
        verdict = 'neither better nor worse that these pictures could tell: the interval holds 0'
    return [
        f'**{PRODUCT} against {REFERENCE} alone**, insertion − deletion, picture by picture: '
        f'{with_interval(against, signed=True)}: {verdict}. It takes {product["ms"]:.1f} ms, '
        f'Grad-CAM {rows[REFERENCE]["ms"]:.1f} ms, {SLOW} {slow["ms"]:.0f} ms: '
        f'{100 * product["ms"] / slow["ms"]:.1f} % of its cost.',
        f'**{ALONE} against {REFERENCE}**: '
        f'{with_interval(alone["against"][REFERENCE], signed=True)}, without any gradient.',
        f'**{ALONE} on deletion alone**: {alone["deletion"]["mean"]:.3f} against '
        f'{rows[REFERENCE]["deletion"]["mean"]:.3f} of {REFERENCE} (less is better); on insertion '
        f'{alone["insertion"]["mean"]:.3f} against {rows[REFERENCE]["insertion"]["mean"]:.3f} '
        '(more is better).',
        f'**{SLOW} against {REFERENCE}**: '
        f'{with_interval(slow["against"][REFERENCE], signed=True)}.',
    ]


def limits(summary: Row) -> list[str]:
    """Say what the figures say against our maps."""
    rows = {row['name']: row for row in summary['methods']}
    alone, product, reference = rows[ALONE], rows[PRODUCT], rows[REFERENCE]
    edges = summary['edge_likeness']
    last = summary['randomisation']['steps'][-1]
    share = summary['box_share']
    return [
        f'**It knows no class.** {ALONE} shows what the network finds informative, of whatever '
        f'class. Its energy in the boxes is {alone["energy"]["mean"]:.3f}; a flat map has '
        f'{share:.3f}, {PRODUCT} {product["energy"]["mean"]:.3f}, {REFERENCE} '
        f'{reference["energy"]["mean"]:.3f}. Where the class matters, take the product.',
        f'**Fine scales look like edges.** Spearman with Sobel edges: {edges[0]:.2f} for the '
        f'finest scale, {edges[-2]:.2f} for the deepest, {edges[-1]:.2f} for the fused map.',
        '**It survives a random network in part.** With every layer random the fused map still '
        f'correlates {last["spearman"][-1]:.2f} with the true one, the finest scale '
        f'{last["spearman"][0]:.2f}: random convolutions find edges, too. A map that looks '
        'sensible is no proof that the network was trained.',
        '**Its peak jumps.** The fused map has many maxima of nearly one height; which is the '
        'highest changes from frame to frame (table below). For anything that has to be steady, '
        'use the map or the contributions rather than `peak_x` and `peak_y`, or a '
        '`smoothing_time`.',
    ]


def steadiness(summary: Row) -> str:
    """Say how the maps' changes compare with the film's own."""
    rows = {row['name']: row for row in summary['stability']}
    film, ours = rows['the camera image itself'], rows[ALONE]
    contributions = rows['contributions']['contribution_change']
    return (
        f'The camera image itself correlates {film["correlation"]:.3f} from frame to frame, the '
        f'maps of {ALONE} {ours["correlation"]:.3f} and of {PRODUCT} '
        f'{rows[PRODUCT]["correlation"]:.3f}. The contributions change by {contributions:.3f} '
        '(sum of the absolute changes; they sum to 1).'
    )


def smoothed(averages: list[Row]) -> str:
    """Say what the shortest average over time brings, and what it costs."""
    off, on = averages[:2]
    return (
        f'`smoothing_time: {on["time_constant"]:g}` lowers the error of {ALONE} from '
        f'{off["flow_error"]:.3f} to {on["flow_error"]:.3f} and the jitter of its peak from '
        f'{off["peak_jitter"]:.0f} to {on["peak_jitter"]:.0f} pixels. Its map correlates '
        f'{on["likeness"]:.3f} with that of its own frame, and is {on["lag"]:.2f} s late after a '
        f'cut; to average takes {on["ms"]:.1f} ms a frame.'
    )


def defaults(rows: list[Row]) -> list[str]:
    """Say for each CAM how the default compares with the best setting."""
    lines = []
    for cam in ('none', 'grad_cam'):
        of_cam = [row for row in rows if row['name'].endswith(f', {cam}')]
        ordered = sorted(of_cam, key=lambda row: -row['difference']['mean'])
        names = [row['name'] for row in ordered]
        place = names.index(DEFAULTS[cam])
        default, best = ordered[place], ordered[0]
        line = f'`cam: {cam}`: the default is number {place + 1} of {len(names)}'
        if place:
            gain = best['against'][DEFAULTS[cam]]
            sure = 'excludes' if gain['low'] > 0 else 'holds'
            line += (
                f'; the best, `{best["name"].rsplit(", ", 1)[0]}`, is better by '
                f'{with_interval(gain, signed=True)}, which {sure} 0, and takes '
                f'{best["ms"]:.1f} ms against {default["ms"]:.1f} ms'
            )
        lines.append(line + '.')
    return lines
