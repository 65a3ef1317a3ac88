# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a user runs it: real processes, real footage, and what is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from demo_runs import demo_command, run_demo

from smoe_ros.bags import read_bag

pytestmark = pytest.mark.alone

SECONDS = 6
FILES = {'bag', 'overview.mp4', 'overview.png', 'contributions.png', 'summary.json'}


@dataclass
class Recorded:
    """One run on the street video."""

    folder: Path
    output: str
    summary: dict[str, Any]
    messages: dict[str, list[Any]]


@pytest.fixture(scope='module')
def recorded(ros_domain: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp('demo') / 'output'
    done = run_demo('--seconds', SECONDS, '--output', folder)
    assert done.returncode == 0, done.stdout + done.stderr
    messages: dict[str, list[Any]] = {}
    for topic, _, message in read_bag(folder / 'bag'):
        messages.setdefault(topic, []).append(message)
    summary = json.loads((folder / 'summary.json').read_text())
    yield Recorded(folder, done.stdout, summary, messages)


def stamps(messages: list[Any]) -> list[int]:
    return [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in messages]


def test_output_folder_holds_what_is_promised(recorded: Recorded) -> None:
    assert {entry.name for entry in recorded.folder.iterdir()} == FILES


def test_bag_holds_contributions_for_every_explained_frame(recorded: Recorded) -> None:
    assert len(recorded.messages['/smoe/contributions']) == recorded.summary['explained']
    assert recorded.summary['explained'] >= SECONDS


def test_five_contributions_of_every_frame_sum_to_one(recorded: Recorded) -> None:
    for message in recorded.messages['/smoe/contributions']:
        assert len(message.scales) == 5
        assert sum(scale.contribution for scale in message.scales) == pytest.approx(1, abs=1e-4)


def last_image(recorded: Recorded) -> set[int]:
    """Return the stamp of the last explanation if its image did not reach the recorder.

    The camera is stopped by a signal, and that image may have been on its way.
    """
    last = stamps(recorded.messages['/smoe/contributions'])[-1]
    return {last} - set(stamps(recorded.messages['/image_raw']))


@pytest.mark.parametrize('output', ['contributions', 'saliency', 'lovi', 'overlay'])
def test_every_output_has_the_stamps_of_explained_camera_frames(
    recorded: Recorded, output: str
) -> None:
    explained = stamps(recorded.messages['/smoe/contributions'])
    assert stamps(recorded.messages[f'/smoe/{output}']) == explained
    assert set(explained) - last_image(recorded) <= set(stamps(recorded.messages['/image_raw']))
    assert explained == sorted(set(explained))


def test_frames_add_up(recorded: Recorded) -> None:
    figures = recorded.summary
    parts = ('explained', 'dropped', 'rejected', 'lost')
    assert figures['published'] == sum(figures[part] for part in parts)
    assert figures['rejected'] == 0


def test_transport_loses_hardly_a_frame(recorded: Recorded) -> None:
    assert recorded.summary['lost'] <= 0.01 * recorded.summary['published']


def test_recorder_got_the_frames_that_the_camera_published(recorded: Recorded) -> None:
    # The camera is stopped by a signal: what is on its way then may be gone with it.
    published = recorded.summary['published']
    assert published - 2 <= len(recorded.messages['/image_raw']) <= published


def test_summary_tells_rate_and_age_as_the_bag_does(recorded: Recorded) -> None:
    times = np.array(stamps(recorded.messages['/smoe/contributions'])) * 1e-9
    rate = (len(times) - 1) / (times[-1] - times[0])
    assert recorded.summary['frames_per_second'] == pytest.approx(rate, rel=1e-3)
    received = [t for topic, t, _ in read_bag(recorded.folder / 'bag', ['/smoe/contributions'])]
    ages = (np.array(received) - stamps(recorded.messages['/smoe/contributions'])) * 1e-6
    assert recorded.summary['age_p50_ms'] == pytest.approx(np.median(ages), abs=0.01)
    assert recorded.summary['age_p95_ms'] == pytest.approx(np.percentile(ages, 95), abs=0.01)


def test_mean_contributions_are_those_of_the_bag(recorded: Recorded) -> None:
    rows = [[s.contribution for s in m.scales] for m in recorded.messages['/smoe/contributions']]
    assert list(recorded.summary['mean_contributions'].values()) == pytest.approx(
        np.mean(rows, axis=0), abs=1e-4
    )


def test_progress_and_table_are_printed(recorded: Recorded) -> None:
    assert 'a second)   age' in recorded.output
    for row in ('frames published', 'dropped for newer ones', 'age p50 / p95', 'top labels'):
        assert row in recorded.output


def test_pictures_open_and_are_not_blank(recorded: Recorded) -> None:
    for name in ('overview.png', 'contributions.png'):
        picture = cv2.imread(str(recorded.folder / name))
        assert picture.shape[1] >= 1000
        assert picture.std() > 20, name


def test_overview_video_has_a_picture_for_every_explained_frame(recorded: Recorded) -> None:
    video = cv2.VideoCapture(str(recorded.folder / 'overview.mp4'))
    frames = 0
    while video.read()[0]:
        frames += 1
    assert frames == recorded.summary['explained'] - len(last_image(recorded))


def test_overlay_shows_the_street(recorded: Recorded) -> None:
    """The overlay is half the camera's picture: grey values of both go together."""
    cameras = {stamps([image])[0]: image for image in recorded.messages['/image_raw']}
    overlay = recorded.messages['/smoe/overlay'][0]
    camera = cameras[stamps([overlay])[0]]
    grey = [
        np.asarray(image.data).reshape(image.height, image.width, 3).mean(axis=2)
        for image in (camera, overlay)
    ]
    assert np.corrcoef(grey[0].ravel(), grey[1].ravel())[0, 1] > 0.4


def test_a_second_run_replaces_the_results_of_the_first(
    recorded: Recorded, ros_domain: int, tmp_path: Path
) -> None:
    for name in FILES - {'bag'}:
        (tmp_path / name).write_text('old')
    (tmp_path / 'bag').mkdir()
    done = run_demo('--seconds', 1, '--source', 'synthetic', '--output', tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / 'summary.json').read_text())['explained'] > 0


def test_sigterm_ends_the_demo_and_its_processes(ros_domain: int, tmp_path: Path) -> None:
    command = demo_command('--source', 'synthetic', '--output', tmp_path / 'output')
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        line = demo.stdout.readline()
        assert 'starting' in line
        children = children_of(demo.pid)
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=60)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 130
    assert not [pid for pid in children if Path('/proc', str(pid)).exists()]


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]
