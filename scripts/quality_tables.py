# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The generated parts of docs/quality.md, from what smoe_evaluate wrote."""

from collections.abc import Mapping
from typing import Any

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


def quality_parts(summary: Row, settings: Row) -> dict[str, str]:
    """Return every generated part of docs/quality.md by its name.

    Args:
        summary: The evaluation.json of a run of smoe_evaluate.
        settings: That of a run with --ablation.
    """
    return {
        'scope': scope(summary),
        'answers': '\n'.join(f'- {line}' for line in answers(summary)),
        'methods': method_table(summary['methods']),
        'flat': f'Of a map that is the same everywhere, {summary["box_share"]:.3f} lies in the '
        'boxes.',
        'stability': stability_table(summary['stability']),
        'smoothing': smoothing_table(summary['smoothing']),
        'spearman': randomisation_table(summary['randomisation'], 'spearman'),
        'ssim': randomisation_table(summary['randomisation'], 'ssim'),
        'edges': edge_table(summary['edge_likeness']),
        'ablation scope': scope(settings),
        'choices': choice_table(settings['methods']),
        'settings': best_table(settings['methods']),
    }


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
