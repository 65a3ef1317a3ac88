# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a user runs it: real processes and footage, what it leaves and refuses."""

import json
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from ament_index_python.packages import get_package_prefix
from rosbags.highlevel import AnyReader

from smoe_ros.demo import demo_options
from smoe_ros.demo.smoe_demo import main

pytestmark = pytest.mark.alone

SECONDS = 6
FILES = {'bag', 'overview.mp4', 'overview.png', 'report.html', 'summary.json'}


def demo_command(*arguments):
    executable = Path(get_package_prefix('smoe_ros'), 'lib', 'smoe_ros', 'smoe_demo')
    return [str(executable), *map(str, arguments)]


def run_demo(*arguments):
    command = demo_command(*arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


# One run on the street video; messages by topic, and when contributions were received.
Recorded = namedtuple('Recorded', 'folder output summary messages received')


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


def test_frames_add_up_and_hardly_one_is_lost(recorded):
    figures = recorded.summary
    parts = ('explained', 'dropped', 'rejected', 'lost')
    assert figures['published'] == sum(figures[part] for part in parts)
    assert figures['rejected'] == 0
    assert figures['lost'] <= 0.01 * figures['published']


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


# What it refuses


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--backbone', 'resnet51'], ["unknown backbone 'resnet51'", 'resnet50']),
        (['--source', '/nowhere/street.mp4'], ['/nowhere/street.mp4']),
        (['--weights', '/nowhere/net.pth'], ['/nowhere/net.pth']),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(ros_domain, tmp_path, arguments, words):
    done = run_demo('--seconds', 1, '--output', tmp_path / 'output', *arguments)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_a_folder_with_other_things_is_left_alone(tmp_path, capsys):
    (tmp_path / 'thesis.tex').write_text('mine')
    (tmp_path / 'summary.json').write_text('mine too')
    assert main(['--output', str(tmp_path)]) == 1
    assert 'thesis.tex' in capsys.readouterr().err
    assert (tmp_path / 'summary.json').read_text() == 'mine too'


@pytest.mark.parametrize('seconds', ['0', '-3', 'soon', 'nan', 'inf'])
def test_length_that_is_no_length_is_refused(seconds, capsys):
    with pytest.raises(SystemExit) as ended:
        main([f'--seconds={seconds}'])
    assert ended.value.code == 2
    assert seconds in capsys.readouterr().err


def test_help_needs_nothing_installed():
    command = [sys.executable, '-I', '-S', demo_options.__file__, '--help']
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert '--seconds' in done.stdout
