# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_explain writes what the network saw, and says what it could not explain."""

import csv
import os
import signal
import subprocess
import sys
import time

import av
import cv2
import numpy as np
import pytest
import skimage.data
from small_networks import one_thread  # noqa: F401

from smoe_ros.commands.class_names import find_class
from smoe_ros.commands.smoe_explain import main
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.images.footage import footage_path

FRAMES = 8
PHOTO_FILES = {'saliency.png', 'lovi.png', 'overlay.png', 'scales.png', 'contributions.csv'}
PHOTOS = {'a2': skimage.data.chelsea, 'a10': skimage.data.rocket}


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def rows(path):
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def names(folder):
    return {path.name for path in folder.iterdir()}


def figures(row, kind):
    return [float(value) for key, value in row.items() if key.startswith(f'{kind}:')]


def write_video(path, codec):
    source = cv2.VideoCapture(str(footage_path('bikes')))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 12.5, (640, 272))
    for _ in range(FRAMES):
        writer.write(source.read()[1])
    writer.release()


@pytest.fixture(scope='module')
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp('inputs')
    (folder / 'photos').mkdir()
    for name, photo in PHOTOS.items():
        cv2.imwrite(str(folder / 'photos' / f'{name}.png'), photo()[:, :, ::-1])
    (folder / 'photos' / 'text.jpg').write_text('not an image')
    whole = cv2.imencode('.jpg', skimage.data.coffee())[1].tobytes()
    (folder / 'photos' / 'truncated.jpg').write_bytes(whole[: len(whole) // 2])
    write_video(folder / 'street.mp4', 'mp4v')
    write_video(folder / 'damaged.avi', 'MJPG')
    for name in ('street.mp4', 'damaged.avi'):
        data = (folder / name).read_bytes()
        (folder / name.replace('street', 'cut')).write_bytes(data[: len(data) // 2])
    (folder / 'empty').mkdir()
    return folder


@pytest.fixture(scope='module')
def run(inputs):
    """One run over good and bad inputs, as a process without ROS in sight."""
    output = inputs / 'results'
    bad = ('damaged.avi', 'cut.mp4', 'missing.jpg', 'empty')
    paths = [inputs / name for name in ('photos', 'street.mp4', *bad)]
    command = [sys.executable, '-m', 'smoe_ros.commands.smoe_explain', *paths]
    done = subprocess.run(
        [*command, '--output', output, '--batch', '3', '--cam', 'grad_cam', '--threads', '1'],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    done.output = output
    return done


@pytest.fixture(scope='module')
def pipeline():
    return Pipeline(Settings(cam='grad_cam'))


def test_good_inputs_have_results_and_bad_ones_none_nor_leftovers(run):
    assert names(run.output) == {'a2', 'a10', 'street', 'damaged'}
    for name in PHOTOS:
        assert names(run.output / name) == PHOTO_FILES | {'rest.png'}
    assert names(run.output / 'street') == {'explanation.mp4', 'contributions.csv'}


def test_each_bad_input_costs_one_line_and_the_exit_code(run):
    assert run.returncode == 1
    lines = run.stderr.splitlines()
    bad = ('missing.jpg', 'empty', 'text.jpg', 'truncated.jpg', 'damaged.avi', 'cut.mp4')
    assert len(lines) == len(bad) + 1, run.stderr
    for name in bad:
        assert sum(f'/{name}' in line for line in lines) == 1, run.stderr
    assert 'explained 3 of 9' in lines[-1]


@pytest.mark.parametrize('name', PHOTOS)
def test_pictures_have_the_photos_size_and_the_maps_16_bits(run, name):
    size = PHOTOS[name]().shape[:2]
    for file in ('saliency.png', 'rest.png'):
        assert read(run.output / name / file).dtype == np.uint16
    for file in ('lovi.png', 'overlay.png'):
        image = read(run.output / name / file)
        assert (image.shape, image.dtype) == ((*size, 3), np.uint8)
    assert read(run.output / name / 'scales.png').std() > 10


@pytest.mark.parametrize('name', PHOTOS)
def test_a_photos_files_hold_what_the_pipeline_says(run, pipeline, name):
    photo = PHOTOS[name]()
    (explanation,) = pipeline.explain([photo])
    for file, values in (('saliency', explanation.saliency), ('rest', explanation.rest)):
        wanted = cv2.resize(values, photo.shape[1::-1])
        found = read(run.output / name / f'{file}.png') / 65535
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    (row,) = rows(run.output / name / 'contributions.csv')
    assert row['class_label'] == pipeline.backbone.labels[explanation.class_id]
    np.testing.assert_allclose(figures(row, 'contribution'), explanation.contributions, atol=1e-4)
    np.testing.assert_allclose(figures(row, 'information'), explanation.information, rtol=1e-4)
    assert sum(figures(row, 'contribution')) == pytest.approx(1, abs=1e-4)
    assert 'contribution:_blocks.1._swish#0' in row
    peak = [float(row['peak_x']), float(row['peak_y'])]
    ratio = np.divide(photo.shape[1::-1], explanation.saliency.shape[::-1])
    np.testing.assert_allclose(peak, (explanation.peak + 0.5) * ratio - 0.5, atol=1e-3)


def test_the_overlay_is_the_photo_where_nothing_is_laid_over(inputs, tmp_path):
    photo = inputs / 'photos' / 'a2.png'
    assert main([str(photo), '--output', str(tmp_path), '--alpha', '0']) == 0
    assert np.array_equal(read(tmp_path / 'a2' / 'overlay.png'), read(photo))


def test_a_video_plays_and_has_a_row_a_frame(run):
    with av.open(str(run.output / 'street' / 'explanation.mp4')) as film:
        pictures = [(frame.time, frame.to_ndarray(format='rgb24')) for frame in film.decode()]
    assert all(picture.std() > 10 for _, picture in pictures)
    table = rows(run.output / 'street' / 'contributions.csv')
    assert [int(row['frame']) for row in table] == list(range(FRAMES))
    expected = np.arange(FRAMES) / 12.5
    np.testing.assert_allclose([float(row['time_s']) for row in table], expected)
    np.testing.assert_allclose([time for time, _ in pictures], expected)


def test_of_a_damaged_video_what_can_be_read_is_explained(run):
    assert 0 < len(rows(run.output / 'damaged' / 'contributions.csv')) < FRAMES


def test_maps_of_a_video_are_averaged_over_the_time_asked_for(run, inputs, tmp_path):
    args = ['--output', str(tmp_path), '--cam', 'grad_cam', '--smoothing-time', '60']
    assert main([str(inputs / 'street.mp4'), *args]) == 0
    plain, smooth = (rows(o / 'street' / 'contributions.csv') for o in (run.output, tmp_path))
    shares, own = ([figures(row, 'contribution') for row in t] for t in (smooth, plain))
    # So long that the first frame is all that is seen.
    np.testing.assert_allclose(shares, [own[0]] * FRAMES, atol=1e-3)
    assert np.abs(np.subtract(own[-1], own[0])).max() > 5e-3
    # What the network said of each frame is its own.
    a, b = ([figures(row, 'information') for row in table] for table in (plain, smooth))
    np.testing.assert_allclose(a, b, rtol=1e-4)


def test_own_results_are_replaced_and_a_strangers_file_survives(inputs, tmp_path, capsys):
    photo, place = inputs / 'photos' / 'a2.png', tmp_path / 'a2'
    place.mkdir()
    (place / 'lovi.png').write_text('old')
    assert main([str(photo), '--output', str(tmp_path)]) == 0
    assert names(place) == PHOTO_FILES
    (place / 'notes.txt').write_text('mine')
    assert main([str(photo), '--output', str(tmp_path)]) == 1
    assert (place / 'notes.txt').read_text() == 'mine'
    assert 'notes.txt' in capsys.readouterr().err
    assert names(tmp_path) == {'a2'}


def test_inputs_of_one_name_lie_apart(inputs, tmp_path):
    photo = inputs / 'photos' / 'a2.png'
    for name in ('x.png', 'x.bmp'):
        cv2.imwrite(str(tmp_path / name), read(photo))
    assert (
        main([*(str(tmp_path / n) for n in ('x.png', 'x.bmp')), '--output', f'{tmp_path}/o']) == 0
    )
    assert names(tmp_path / 'o') == {'x.png', 'x.bmp'}


def test_an_output_that_cannot_be_written_is_refused_in_one_line(inputs, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    assert main([str(inputs / 'photos'), '--output', str(tmp_path / 'file' / 'o')]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert '--output' in line


def test_a_setting_that_cannot_work_is_refused_in_one_line(inputs, tmp_path, capsys):
    args = [str(inputs / 'photos'), '--output', str(tmp_path), '--cam', 'grad_cam']
    assert main([*args, '--class', 'egyptain']) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert 'Egyptian cat (285)' in line


def test_an_interrupt_leaves_no_half_results(tmp_path):
    command = [sys.executable, '-m', 'smoe_ros.commands.smoe_explain', footage_path('bikes')]
    process = subprocess.Popen(
        [*command, '--output', tmp_path / 'o'], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob('o/.smoe_explain_*/fresh/explanation.mp4')):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, 'smoe_explain: stopped\n')
    assert names(tmp_path / 'o') == set()


LABELS = ('tabby', 'tiger cat', 'Egyptian cat', 'crane', 'crane bird')


@pytest.mark.parametrize(('text', 'index'), [('EGYPT', 2), ('3', 3), ('crane', 3), ('bird', 4)])
def test_a_class_is_an_index_a_name_or_a_part_of_one(text, index):
    assert find_class(text, LABELS) == index


@pytest.mark.parametrize(
    ('text', 'said'),
    [('cat', r'tiger cat \(1\), Egyptian cat \(2\)'), ('taby', r'tabby \(0\)'), ('5', '0 to 4')],
)
def test_a_class_that_is_none_or_several_is_refused_with_the_nearest(text, said):
    with pytest.raises(ConfigurationError, match=said):
        find_class(text, LABELS)
