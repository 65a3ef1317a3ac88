# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A page about a bag, for people: what the network looked at, and when that was unusual."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from smoe_ros.bags import Recording
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.report.camera_section import CameraReport
from smoe_ros.offline.report.explained_bag import BagContent, Camera, counts_of, read_content
from smoe_ros.offline.report.page import report_page
from smoe_ros.offline.report.picture_sheet import Chosen
from smoe_ros.offline.report.pictures import Wish, find_pictures, lovi_topics, main_topics
from smoe_ros.offline.report.ratings import LEAST_UNUSUAL, Ratings, pick, rate_frames

FINE, FLAWED = 0, 3
_TILES = 6


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
        reports = [_chosen_of(camera, content) for camera in content.cameras]
        reports, problems = _with_pictures(reports, recording)
        flaws = [*recording.flaws, *content.lost]
    page = report_page(bag.resolve().name, content, reports, flaws)
    for sentence in (*flaws, *problems, *(report.hint for report in reports if report.hint)):
        say(sentence)
    _write_whole(output, page)
    return FLAWED if flaws else FINE


def _chosen_of(camera: Camera, content: BagContent) -> CameraReport:
    """Rate a camera's frames and choose those of the contact sheet."""
    ratings = [rate_frames(camera, group) for group in camera.groups]
    distances = np.full(len(camera.times), np.nan)
    for group, rating in zip(camera.groups, ratings, strict=True):
        distances[group.frames] = rating.distances
    far = np.where(distances > LEAST_UNUSUAL, distances, np.nan)
    unusual = pick(-far, camera.times, _TILES)
    distances[unusual] = np.nan
    usual = pick(distances, camera.times, _TILES)
    return CameraReport(
        camera,
        ratings,
        [_chosen(frame, camera, ratings, content) for frame in unusual],
        [_chosen(frame, camera, ratings, content) for frame in usual],
        counts_of(camera, content.cameras, content),
    )


def _chosen(frame: int, camera: Camera, ratings: Sequence[Ratings], content: BagContent) -> Chosen:
    for group, rating in zip(camera.groups, ratings, strict=True):
        place = int(np.searchsorted(group.frames, frame))
        if place < len(group.frames) and group.frames[place] == frame:
            return Chosen(
                frame,
                float(content.seconds(camera.times[frame])),
                camera.label(frame),
                float(camera.probabilities[frame]),
                float(rating.distances[place]),
                group.layers,
                group.contributions[place],
                rating.means[place],
            )
    raise AssertionError('every frame is of a group')


def _with_pictures(
    reports: Sequence[CameraReport], recording: Recording
) -> tuple[list[CameraReport], list[str]]:
    """Add the chosen frames' pictures; return what kept some from being shown, too."""
    topics = recording.topics
    wishes: dict[tuple[int, int], tuple[Wish, Wish]] = {}
    for number, report in enumerate(reports):
        camera = report.camera
        main = main_topics(topics, camera.namespace)
        lovi = lovi_topics(topics, camera.namespace)
        for chosen in (*report.unusual, *report.usual):
            stamp, time = int(camera.stamps[chosen.frame]), int(camera.times[chosen.frame])
            both = Wish(stamp, time, main), Wish(stamp, time, lovi)
            wishes[number, chosen.frame] = both
    found, problems = find_pictures(recording, [wish for both in wishes.values() for wish in both])

    def shown(number: int, frames: Sequence[Chosen]) -> list[Chosen]:
        with_pictures = []
        for chosen in frames:
            pictures = [found[wish] for wish in wishes[number, chosen.frame] if wish in found]
            by_topic = {picture.topic: picture for picture in pictures}
            with_pictures.append(replace(chosen, pictures=tuple(by_topic.values())))
        return with_pictures

    return [
        replace(
            report,
            unusual=shown(number, report.unusual),
            usual=shown(number, report.usual),
            hint=_hint(report.camera, main_topics(topics, report.camera.namespace)),
        )
        for number, report in enumerate(reports)
    ], problems


def _hint(camera: Camera, topics: Sequence[str]) -> str:
    if topics:
        return ''
    return (
        f"The bag has no pictures of '{camera.name}': recording "
        f"'{camera.namespace}/overlay/compressed', too, would show them here."
    )


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
