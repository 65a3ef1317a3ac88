# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The contact sheet: chosen frames with their pictures, classes and contributions."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from smoe_ros.offline.report.pictures import Picture
from smoe_ros.offline.report.ratings import LEAST_UNUSUAL, Floats

# Pictures of this aspect ratio lie above each other, others side by side.
_WIDE = 1.6


@dataclass(frozen=True)
class Chosen:
    """A frame of the sheet.

    Attributes:
        frame: Its number among the camera's.
        seconds: When it was, since the bag's first message.
        label: Its class; empty without a classifier.
        probability: Of that class.
        distance: From the running mean.
        layers: Names of the scales.
        contributions: Shape (S,).
        mean: The running mean before it, shape (S,).
        pictures: That were found of it.
    """

    frame: int
    seconds: float
    label: str
    probability: float
    distance: float
    layers: tuple[str, ...]
    contributions: Floats
    mean: Floats
    pictures: tuple[Picture, ...] = ()


def contact_sheet(
    unusual: Sequence[Chosen], usual: Sequence[Chosen], typical: float | None, hint: str
) -> str:
    """Return the sheet.

    Args:
        unusual: The most unusual frames first.
        usual: The least unusual frames first.
        typical: The median distance; None if no frame is rated.
        hint: What is missing, in a sentence.

    Returns:
        HTML.
    """
    parts = [f'<p>{escape(hint)}</p>'] if hint else []
    if typical is None:
        parts.append('<p>No frame is rated: there are none before it to compare it with.</p>')
        return ''.join(parts)
    parts.append(
        '<p class="faint">Distance from the running mean; the median of all frames is '
        f'{typical:.3f}. The stroke on each bar is the running mean, the number behind it the '
        'difference in percentage points.</p><h4>Most unusual</h4>'
    )
    if unusual:
        parts.append(_tiles(unusual, numbered=True))
    else:
        parts.append(f'<p>None: every frame is nearer than {LEAST_UNUSUAL} to its mean.</p>')
    if usual:
        parts.append(f'<h4>Least unusual</h4>{_tiles(usual, numbered=False)}')
    return ''.join(parts)


def _tiles(frames: Sequence[Chosen], *, numbered: bool) -> str:
    tiles = (_tile(frame, str(rank) if numbered else '') for rank, frame in enumerate(frames, 1))
    return f'<ol class="sheet">{"".join(tiles)}</ol>'


def _tile(frame: Chosen, rank: str) -> str:
    badge = f'<span class="badge">{rank}</span>' if rank else ''
    label = ''
    if frame.label:
        label = f'<div>{escape(frame.label)} ({frame.probability:.0%})</div>'
    return (
        f'<li class="tile">{_pictures(frame)}<div class="about"><div class="when">'
        f'<span>{badge}<b>{frame.seconds:.2f} s</b></span>'
        f'<span>distance {frame.distance:.3f}</span></div>{label}{_bars(frame)}</div></li>'
    )


def _pictures(frame: Chosen) -> str:
    if not frame.pictures:
        return '<div class="none">no picture of this frame in the bag</div>'
    images = ''.join(
        f'<img src="data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode()}" '
        f'alt="{escape(picture.topic)} at {frame.seconds:.2f} s" '
        f'width="{picture.width}" height="{picture.height}">'
        for picture in frame.pictures
    )
    wide = all(picture.width >= _WIDE * picture.height for picture in frame.pictures)
    return f'<div class="pictures {"stacked" if wide else "beside"}">{images}</div>'


def _bars(frame: Chosen) -> str:
    """Return a bar a scale, and the running mean as a stroke on it."""
    shares = [*frame.contributions.tolist(), *frame.mean.tolist(), 0.0]
    low, high = min(shares), max(shares)
    unit = 100 / max(high - low, 1e-9)
    zero = -low * unit
    rows = []
    for index, (layer, share, mean) in enumerate(
        zip(frame.layers, frame.contributions.tolist(), frame.mean.tolist(), strict=True)
    ):
        begin, end = sorted((zero, zero + share * unit))
        rows.append(
            f'<div class="bar" title="{escape(layer)}">'
            f'<i style="left:{begin:.1f}%;width:{end - begin:.1f}%;background:var(--s{index})">'
            f'</i><b style="left:{zero + mean * unit:.1f}%"></b></div>'
            f'<span class="number">{share:.0%}</span>'
            f'<span class="number">{_points(share - mean)}</span>'
        )
    return f'<div class="bars scales{len(frame.layers)}">{"".join(rows)}</div>'


def _points(difference: float) -> str:
    """Return a difference in percentage points, without the sign of a zero."""
    points = round(100 * difference)
    return f'{points:+d}' if points else '0'
