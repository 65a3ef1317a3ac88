# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A page about a bag, for people: what the network looked at, and when that was unusual."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from smoe_ros.bags import Recording
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.report import ratings
from smoe_ros.offline.report.camera_report import CameraReport
from smoe_ros.offline.report.charts import BOX, line_colours
from smoe_ros.offline.report.explained_bag import BagContent, read_content
from smoe_ros.offline.report.pictures import Wish, find_pictures, lovi_topics, main_topics

FINE, FLAWED = 0, 3
_TEMPLATE = 'report.html.j2'
# Backgrounds of the style sheet's cards.
_LIGHT, _DARK = (255, 255, 255), (27, 29, 34)


def write_report(bag: Path, output: Path, say: Callable[[str], None]) -> int:
    """Write a report of a bag as one HTML page that needs nothing besides itself.

    Args:
        bag: The bag's folder, or one of its files.
        output: The page; replaced if it exists, and whole or not there at all.
        say: Told in a sentence each what is wrong with the bag and what it lacks.

    Returns:
        `FINE`, or `FLAWED` if the bag is damaged and the report about what is left of it.

    Raises:
        ConfigurationError: If there is no bag, it has no explanation, or the page cannot be
            written.
    """
    _check_output(output)
    with Recording(bag) as recording:
        content = read_content(recording)
        reports = [CameraReport(camera, content) for camera in content.cameras]
        problems = _add_pictures(reports, recording)
        flaws = [*recording.flaws, *content.lost]
    page = _page(bag.resolve().name, content, reports, flaws)
    for sentence in (*flaws, *problems, *(report.hint for report in reports if report.hint)):
        say(sentence)
    _write_whole(output, page)
    return FLAWED if flaws else FINE


def _add_pictures(reports: Sequence[CameraReport], recording: Recording) -> list[str]:
    """Add the pictures of the chosen frames; return what kept some from being shown."""
    topics = recording.topics
    wanted = []
    for report in reports:
        camera = report.camera
        main = main_topics(topics, camera.namespace)
        if not main:
            report.hint = (
                f"The bag has no pictures of '{camera.name}': recording "
                f"'{camera.namespace}/overlay/compressed', too, would show them here."
            )
        for tile in (*report.unusual, *report.usual):
            stamp, time = int(camera.stamps[tile.frame]), int(camera.times[tile.frame])
            for names in (main, lovi_topics(topics, camera.namespace)):
                wanted.append((tile, Wish(stamp, time, names)))
    found, problems = find_pictures(recording, [wish for _, wish in wanted])
    for tile, wish in wanted:
        picture = found.get(wish)
        # LOVI itself may be the best that there is of a frame.
        if picture is not None and picture.topic not in {one.topic for one in tile.pictures}:
            tile.pictures.append(picture)
    return problems


def _page(
    title: str, content: BagContent, reports: Sequence[CameraReport], flaws: Sequence[str]
) -> str:
    environment = Environment(
        loader=PackageLoader(__package__, '.'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=format, base64=lambda data: b64encode(data).decode())
    counts = {len(group.layers) for camera in content.cameras for group in camera.groups}
    return environment.get_template(_TEMPLATE).render(
        title=title,
        recorded=datetime(1970, 1, 1, tzinfo=timezone.utc)
        + timedelta(microseconds=content.start // 1000),
        duration=_duration((content.end - content.start) * 1e-9),
        reports=reports,
        flaws=flaws,
        colours={n: (line_colours(n, _LIGHT), line_colours(n, _DARK)) for n in sorted(counts)},
        box=BOX,
        ratings=ratings,
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours} h {minutes} min {rest} s'
    return f'{minutes} min {rest} s' if minutes else f'{seconds:.1f} s'


def _check_output(output: Path) -> None:
    """Refuse before the bag is read what could not be written after it."""
    if output.is_dir():
        raise ConfigurationError(f"'{output}' is a folder; name a file for the report")
    if not output.parent.is_dir():
        raise ConfigurationError(
            f"the report '{output}' cannot be written: there is no folder '{output.parent}'"
        )


def _write_whole(output: Path, page: str) -> None:
    unfinished = output.with_name(f'.{output.name}.{os.getpid()}.unfinished')
    try:
        try:
            # What is no Unicode in a bag's texts is shown as a question mark.
            unfinished.write_text(page, encoding='utf-8', errors='replace')
            unfinished.replace(output)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the report '{output}' cannot be written: {error.strerror}"
        ) from None
