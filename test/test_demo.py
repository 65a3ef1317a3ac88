# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a user runs it: real processes, real footage, and what is left behind."""

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from demo_runs import demo_command, run_demo
from rosbags.highlevel import AnyReader

pytestmark = pytest.mark.alone

SECONDS = 6
FILES = {'bag', 'overview.mp4', 'overview.png', 'report.html', 'summary.json'}


@dataclass
class Recorded:
    """One run on the street video."""

    folder: Path
    output: str
    summary: dict[str, Any]
    messages: dict[str, list[Any]]
    received: list[int]  # contributions, in nanoseconds


@pytest.fixture(scope='module')
def recorded(ros_domain, tmp_path_factory):
    folder = tmp_path_factory.mktemp('demo') / 'output'
    done = run_demo('--seconds', SECONDS, '--output', folder)
    assert done.returncode == 0, done.stdout + done.stderr
    messages, received = {}, []
    with AnyReader([folder / 'bag']) as reader:
        for connection, time, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            messages.setdefault(connection.topic, []).append(message)
            if connection.topic == '/smoe/contributions':
                received.append(time)
    summary = json.loads((folder / 'summary.json').read_text())
    return Recorded(folder, done.stdout, summary, messages, received)


def stamps(messages):
    return [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in messages]


def test_output_folder_holds_what_is_promised(recorded):
    assert {entry.name for entry in recorded.folder.iterdir()} == FILES


def test_bag_holds_contributions_for_every_explained_frame(recorded):
    assert len(recorded.messages['/smoe/contributions']) == recorded.summary['explained']
    assert recorded.summary['explained'] >= SECONDS


def last_image(recorded):
    """Return the stamp of the last explanation if its image did not reach the recorder.

    The camera is stopped by a signal, and that image may have been on its way.
    """
    last = stamps(recorded.messages['/smoe/contributions'])[-1]
    return {last} - set(stamps(recorded.messages['/image_raw']))


@pytest.mark.parametrize('output', ['contributions', 'saliency', 'lovi', 'overlay'])
def test_every_output_has_the_stamps_of_explained_camera_frames(recorded, output):
    explained = stamps(recorded.messages['/smoe/contributions'])
    assert stamps(recorded.messages[f'/smoe/{output}']) == explained
    assert set(explained) - last_image(recorded) <= set(stamps(recorded.messages['/image_raw']))
    assert explained == sorted(set(explained))


def test_frames_add_up(recorded):
    figures = recorded.summary
    parts = ('explained', 'dropped', 'rejected', 'lost')
    assert figures['published'] == sum(figures[part] for part in parts)
    assert figures['rejected'] == 0


def test_transport_loses_hardly_a_frame(recorded):
    assert recorded.summary['lost'] <= 0.01 * recorded.summary['published']


def test_recorder_got_the_frames_that_the_camera_published(recorded):
    # The camera is stopped by a signal: what is on its way then may be gone with it.
    published = recorded.summary['published']
    assert published - 2 <= len(recorded.messages['/image_raw']) <= published


def test_summary_tells_rate_and_age_as_the_bag_does(recorded):
    times = np.array(stamps(recorded.messages['/smoe/contributions'])) * 1e-9
    rate = (len(times) - 1) / (times[-1] - times[0])
    assert recorded.summary['frames_per_second'] == pytest.approx(rate, rel=1e-3)
    ages = (np.array(recorded.received) - stamps(recorded.messages['/smoe/contributions'])) * 1e-6
    assert recorded.summary['age_p50_ms'] == pytest.approx(np.median(ages), abs=0.01)
    assert recorded.summary['age_p95_ms'] == pytest.approx(np.percentile(ages, 95), abs=0.01)


def test_mean_contributions_are_those_of_the_bag(recorded):
    rows = [[s.contribution for s in m.scales] for m in recorded.messages['/smoe/contributions']]
    assert list(recorded.summary['mean_contributions'].values()) == pytest.approx(
        np.mean(rows, axis=0), abs=1e-4
    )


def test_progress_and_table_are_printed(recorded):
    assert 'a second)   age' in recorded.output
    for row in ('frames published', 'dropped for newer ones', 'age p50 / p95', 'top labels'):
        assert row in recorded.output


def test_picture_of_moments_opens_and_is_not_blank(recorded):
    picture = cv2.imread(str(recorded.folder / 'overview.png'))
    assert picture.shape == (3 * 720, 1280, 3)
    assert picture.std() > 20


def test_report_is_about_every_explained_frame(recorded):
    page = (recorded.folder / 'report.html').read_text()
    assert f'<dt>Explained frames</dt><dd>{recorded.summary["explained"]}</dd>' in page
    assert 'class="flaws"' not in page
    assert page.count('<img') > 2


def test_overview_film_has_a_picture_for_every_explained_frame(recorded):
    with av.open(str(recorded.folder / 'overview.mp4')) as film:
        stream = film.streams.video[0]
        frames = sum(1 for _ in film.decode(stream))
        assert float(stream.average_rate) == pytest.approx(
            recorded.summary['frames_per_second'], rel=1e-3
        )
    assert frames == recorded.summary['explained'] - len(last_image(recorded))


def test_a_second_run_replaces_the_results_of_the_first(recorded, ros_domain, tmp_path):
    for name in FILES - {'bag'}:
        (tmp_path / name).write_text('old')
    (tmp_path / 'bag').mkdir()
    done = run_demo('--seconds', 1, '--source', 'synthetic', '--output', tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / 'summary.json').read_text())['explained'] > 0


def test_sigterm_ends_the_demo_and_its_processes(ros_domain, tmp_path):
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


def children_of(pid):
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]
