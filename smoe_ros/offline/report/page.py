# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report's page around its cameras: title, flaws, how to read it. One file, no script."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from html import escape

from smoe_ros.offline.report.camera_section import CameraReport, camera_section
from smoe_ros.offline.report.explained_bag import BagContent
from smoe_ros.offline.report.ratings import TIME_CONSTANT
from smoe_ros.offline.report.style import style_sheet

# Nothing may be loaded, and nothing run, whatever the bag holds.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_HOW_TO_READ = f"""
<p><b>Contribution.</b> A vision network sees at several scales: its first layers see fine detail,
its deepest ones whole objects. A saliency map is computed from the activations of each scale, and
their weighted sum says how salient each pixel is. The contribution of a scale is the share of that
sum's pattern that this scale explains (its weight times the covariance of both maps, divided by
the variance of the sum). The contributions of a frame add up to 100 %; a scale that works against
the pattern has a negative one.</p>
<p><b>Unusual.</b> A frame is unusual if its contributions differ from those of the seconds before:
the distance is the Euclidean distance of its contributions from their running mean
(exponentially weighted, time constant {TIME_CONSTANT:.0f} s, frames before it only). Cuts, glare,
a blocked lens or a new kind of scene stand out. The distance says that the network looked
differently, not that it was wrong.</p>
<p><b>Information.</b> The spatial mean of a scale's raw statistic, in the activation's own units:
to be compared between frames of one scale, not between scales.</p>
<p><b>Age.</b> From a frame's stamp until its contributions were recorded. In a bag that was
explained afterwards, the explanation has the time of the image, and the age is the image's.</p>
<p><b>LOVI</b> shows in one picture which scale saw what. The hue is the scale; a strong colour
means that few scales saw the place, white all of them, black none.</p>
"""


def report_page(
    title: str, content: BagContent, cameras: Sequence[CameraReport], flaws: Sequence[str]
) -> str:
    """Return the whole page.

    Args:
        title: Name of the bag.
        content: What the bag holds.
        cameras: What is told about each camera.
        flaws: What is wrong with the bag.

    Returns:
        HTML.
    """
    counts = [len(group.layers) for camera in content.cameras for group in camera.groups]
    sections = [
        camera_section(f'camera{number}', report, content) for number, report in enumerate(cameras)
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)} – saliency report</title>
<style>{style_sheet(counts)}</style>
</head>
<body>
<main>
{_header(title, content, flaws)}
{''.join(sections)}
<h2 id="how">How to read this</h2>
<section class="card">
{_HOW_TO_READ}
{_lovi_legend()}
</section>
</main>
</body>
</html>
"""


def _header(title: str, content: BagContent, flaws: Sequence[str]) -> str:
    networks = dict.fromkeys(
        group.backbone or 'unnamed' for camera in content.cameras for group in camera.groups
    )
    frames = sum(len(camera.times) for camera in content.cameras)
    facts = {
        'Recorded': _time_of_day(content.start),
        'Duration': _duration((content.end - content.start) * 1e-9),
        'Network' if len(networks) == 1 else 'Networks': ', '.join(networks),
        'Camera' if len(content.cameras) == 1 else 'Cameras': ', '.join(
            camera.name for camera in content.cameras
        ),
        'Explained frames': f'{frames:,}',
    }
    entries = ''.join(
        f'<div><dt>{name}</dt><dd>{escape(value)}</dd></div>' for name, value in facts.items()
    )
    return f"""<header>
<h1>{escape(title)}</h1>
<dl class="facts">{entries}</dl>
{_flaw_box(flaws)}
{_navigation(content)}
</header>"""


def _flaw_box(flaws: Sequence[str]) -> str:
    if not flaws:
        return ''
    entries = ''.join(f'<li>{escape(flaw)}</li>' for flaw in flaws)
    return f'<div class="flaws" role="note"><b>The bag has flaws</b><ul>{entries}</ul></div>'


def _navigation(content: BagContent) -> str:
    if len(content.cameras) < 2:
        return ''
    links = ''.join(
        f'<a href="#camera{number}">{escape(camera.name)}</a>'
        for number, camera in enumerate(content.cameras)
    )
    return f'<nav>{links}<a href="#how">How to read this</a></nav>'


def _lovi_legend() -> str:
    stops = []
    for percent in range(0, 101, 5):
        red, green, blue = (
            round(255 * part) for part in colorsys.hsv_to_rgb((100 - percent) / 120, 1, 1)
        )
        stops.append(f'<stop offset="{percent}%" stop-color="rgb({red},{green},{blue})"/>')
    return f"""<div class="lovi">
<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img"
aria-label="LOVI's colours from violet, the finest scale, to red, the deepest">
<defs><linearGradient id="lovi">{''.join(stops)}</linearGradient></defs>
<rect width="100" height="10" fill="url(#lovi)"/></svg>
<div class="axis"><span>finest scale</span><span>deepest scale</span></div>
</div>"""


def _time_of_day(nanoseconds: int) -> str:
    time = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=nanoseconds // 1000)
    return f'{time:%Y-%m-%d %H:%M:%S} UTC'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours} h {minutes} min {rest} s'
    return f'{minutes} min {rest} s' if minutes else f'{seconds:.1f} s'
