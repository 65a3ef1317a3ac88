# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the page tells about one camera: its contributions, frames, labels and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from smoe_ros.offline.report.charts import (
    Series,
    band_strip,
    contribution_plot,
    frames_per_point,
)
from smoe_ros.offline.report.explained_bag import BagContent, Camera, Group
from smoe_ros.offline.report.picture_sheet import Chosen, contact_sheet
from smoe_ros.offline.report.ratings import (
    GAP_PERIODS,
    Ratings,
    ages_of,
    bands_of,
    pace_of,
)

_LABELS = 5
_LONGEST_GAPS = 3
_COUNTS = ('in', 'explained', 'dropped', 'rejected')


@dataclass(frozen=True)
class CameraReport:
    """What is told about one camera.

    Attributes:
        camera: Its frames.
        ratings: Of each of its groups.
        unusual: The most unusual frames, the most unusual first.
        usual: The least unusual ones, the least unusual first.
        counts: The node's last figures by their keys.
        hint: What is missing, in a sentence.
    """

    camera: Camera
    ratings: Sequence[Ratings]
    unusual: Sequence[Chosen]
    usual: Sequence[Chosen]
    counts: Mapping[str, str]
    hint: str = ''


def camera_section(identity: str, report: CameraReport, content: BagContent) -> str:
    """Return a camera's part of the page.

    Args:
        identity: Its id in the page.
        report: What is told.
        content: What the bag holds.

    Returns:
        HTML.
    """
    return f"""
<h2 id="{identity}">{escape(_heading(report.camera))}</h2>
<section class="card"><h3>Contribution of each scale over time</h3>
{_contributions(identity, report, content)}</section>
<section class="card"><h3>Unusual and usual frames</h3>
{contact_sheet(report.unusual, report.usual, _typical(report), report.hint)}</section>
<section class="card"><h3>Most frequent classes over time</h3>
{_label_bands(report.camera, content)}</section>
<section class="card"><h3>Figures</h3>
{_figures(report, content)}
{''.join(_scales(group, report) for group in report.camera.groups)}</section>
"""


def _heading(camera: Camera) -> str:
    return 'Camera' if camera.name == 'camera' else f'Camera {camera.name}'


def _typical(report: CameraReport) -> float | None:
    """Return the median distance of the camera's frames."""
    distances = np.concatenate([ratings.distances for ratings in report.ratings])
    rated = distances[np.isfinite(distances)]
    return float(np.median(rated)) if len(rated) else None


def _contributions(identity: str, report: CameraReport, content: BagContent) -> str:
    camera = report.camera
    seconds, clock = content.seconds(camera.times), camera.clock
    limits = float(seconds.min()), float(seconds.max())
    parts = []
    for number, (group, ratings) in enumerate(zip(camera.groups, report.ratings, strict=True)):
        frames = group.frames
        broken = (np.diff(clock[frames]) < 0) | (np.diff(frames) > 1)
        series = Series(
            seconds[frames],
            group.contributions,
            ratings.distances,
            np.flatnonzero(broken) + 1,
        )
        places = {int(frame): place for place, frame in enumerate(frames)}
        marks = {
            rank: places[chosen.frame]
            for rank, chosen in enumerate(report.unusual, 1)
            if chosen.frame in places
        }
        title = f'Contribution of {len(group.layers)} scales over time, and distance below'
        plot = contribution_plot(f'{identity}-{number}', series, marks, limits, title)
        parts.append(
            f'<figure class="scales{len(group.layers)}">{_group_title(group, camera)}'
            f'{_legend(group)}{plot}{_caption(len(frames), bool(marks))}</figure>'
        )
    return ''.join(parts)


def _group_title(group: Group, camera: Camera) -> str:
    if len(camera.groups) == 1:
        return ''
    return f'<h4>{escape(group.backbone or "unnamed network")}, {_frames(len(group.frames))}</h4>'


def _legend(group: Group) -> str:
    entries = ''.join(
        f'<li>{swatch(index)}{escape(layer)}</li>' for index, layer in enumerate(group.layers)
    )
    return f'<ul class="legend" aria-label="scales, finest first">{entries}</ul>'


def swatch(index: int) -> str:
    """Return a square in the colour of a scale."""
    return f'<span class="swatch" style="background:var(--s{index})"></span>'


def _caption(frames: int, marked: bool) -> str:
    sentences = ['Finest scale first. Below: distance from the running mean']
    sentences.append('; the numbers are those of the unusual frames.' if marked else '.')
    together = frames_per_point(frames)
    if together > 1:
        sentences.append(
            f' Each point stands for {together} frames in a row: their mean contributions, and '
            'their largest distance.'
        )
    return f'<figcaption>{"".join(sentences)}</figcaption>'


def _label_bands(camera: Camera, content: BagContent) -> str:
    if not camera.label_names:
        return '<p>The network is no classifier: its explanations name no class.</p>'
    limits = int(camera.times.min()), int(camera.times.max())
    bands = bands_of(camera, _LABELS)
    rows = [
        f'<div class="band"><div class="name"><span>{escape(band.label)}</span>'
        f'<span>{band.share:.1%}</span></div>'
        f'{band_strip(band, limits, f"when it was {escape(band.label)}")}</div>'
        for band in bands
    ]
    first, last = ((limit - content.start) * 1e-9 for limit in limits)
    others = len(camera.label_names) - len(bands)
    rest = f' {others} more classes share the other frames.' if others > 1 else ''
    if others == 1:
        rest = ' One more class has the other frames.'
    return (
        f'{"".join(rows)}<div class="axis"><span>{first:.1f} s</span>'
        f'<span>{(first + last) / 2:.1f} s</span><span>{last:.1f} s</span></div>'
        f'<p class="faint">The most frequent classes and their share of the frames.{rest}</p>'
    )


def _figures(report: CameraReport, content: BagContent) -> str:
    camera = report.camera
    rows = {
        'Frames explained': f'{len(camera.times):,}',
        'Rate': escape(_rate(camera)),
        'Gaps': _gaps(camera, content),
        'Age': escape(_age(camera)),
        'Network': _listed([group.backbone for group in camera.groups]),
        'Statistic': _listed(camera.statistics),
        'Normalization': _listed(camera.normalizations),
    }
    if report.counts:
        parts = [
            f'{report.counts[f"frames {what}"]} {what}'
            for what in _COUNTS
            if f'frames {what}' in report.counts
        ]
        rows['Frames of the node'] = escape(', '.join(parts))
        rows['Last error'] = escape(report.counts.get('last error', '')) or 'none'
    lines = ''.join(f'<tr><th>{name}</th><td>{value}</td></tr>' for name, value in rows.items())
    note = '' if report.counts else '<p class="faint">The bag has no /diagnostics of the node.</p>'
    return f'<div class="scroll"><table class="figures">{lines}</table></div>{note}'


def _rate(camera: Camera) -> str:
    pace = pace_of(camera)
    if pace.median_rate is None or pace.overall_rate is None:
        return 'unknown: there are no two frames with a time between them'
    return f'{pace.median_rate:.2f} Hz median, {pace.overall_rate:.2f} Hz overall'


def _gaps(camera: Camera, content: BagContent) -> str:
    gaps = pace_of(camera).gaps
    if not gaps:
        return f'none longer than {GAP_PERIODS} median periods'
    seconds = content.seconds(camera.times)
    longest = ''.join(
        f'<br>{gap.seconds:.2f} s at {seconds[gap.frame]:.1f} s' for gap in gaps[:_LONGEST_GAPS]
    )
    which = ', the longest:' if len(gaps) > _LONGEST_GAPS else ':'
    return f'{len(gaps)} longer than {GAP_PERIODS} median periods{which}{longest}'


def _age(camera: Camera) -> str:
    ages = ages_of(camera)
    if ages is None:
        return "not known: the bag's times are not those of the stamps"
    p50, p95 = np.percentile(ages, (50, 95))
    return f'{p50:.0f} ms p50, {p95:.0f} ms p95, {ages.max():.0f} ms max'


def _listed(names: Sequence[str]) -> str:
    return ', '.join(escape(name or 'unnamed') for name in dict.fromkeys(names))


def _scales(group: Group, report: CameraReport) -> str:
    means = group.contributions.mean(axis=0)
    rows = ''.join(
        f'<tr><td>{swatch(index)}{escape(layer)}</td><td>{escape(size)}</td>'
        f'<td class="number">{mean:.1%}</td><td class="number">{information:.4g}</td></tr>'
        for index, (layer, size, mean, information) in enumerate(
            zip(group.layers, group.sizes, means, group.information, strict=True)
        )
    )
    title = _group_title(group, report.camera) or '<h4>Scales, finest first</h4>'
    return (
        f'{title}<div class="scroll scales{len(group.layers)}"><table class="scales">'
        '<tr><th>scale</th><th>channels × cells</th><th class="number">mean contribution</th>'
        f'<th class="number">mean information</th></tr>{rows}</table></div>'
    )


def _frames(count: int) -> str:
    return '1 frame' if count == 1 else f'{count:,} frames'
