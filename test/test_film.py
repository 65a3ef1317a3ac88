# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Films are what browsers play, and show each picture at its time in its colours."""

import resource
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from smoe_ros.commands.film import Film
from smoe_ros.errors import ConfigurationError

RATES = {12.5: Fraction(25, 2), 30000 / 1001: Fraction(30000, 1001), 6.25: Fraction(25, 4)}
COLOURS = [(230, 20, 30), (20, 210, 40), (20, 40, 220), (200, 200, 10), (10, 10, 10), (250,) * 3]


def write(path, pictures, rate=25.0):
    with Film(path, rate) as film:
        for picture in pictures:
            film.add(picture)
    return path


def painted(colour):
    return np.full((48, 64, 3), colour, np.uint8)


def boxes_of(path):
    """Return the names of an MP4 file's parts in their order."""
    data, place, names = path.read_bytes(), 0, []
    while place < len(data):
        names.append(data[place + 4 : place + 8].decode())
        place += int.from_bytes(data[place : place + 4], 'big')
    return names


@pytest.mark.parametrize('rate', RATES)
def test_every_picture_is_at_its_time(tmp_path, rate):
    path = write(tmp_path / 'film.mp4', map(painted, COLOURS), rate)
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert stream.average_rate == RATES[rate]
        times = [frame.pts * frame.time_base for frame in file.decode(stream)]
    assert times == [index / RATES[rate] for index in range(len(COLOURS))]


def test_a_browser_can_play_it_while_it_loads(tmp_path):
    path = write(tmp_path / 'film.mp4', map(painted, COLOURS))
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec.name, stream.format.name) == ('h264', 'yuv420p')
        assert (stream.width, stream.height, stream.frames) == (64, 48, len(COLOURS))
    boxes = boxes_of(path)
    assert boxes.index('moov') < boxes.index('mdat')


def test_colours_are_those_of_the_pictures(tmp_path):
    with av.open(str(write(tmp_path / 'film.mp4', map(painted, COLOURS)))) as file:
        codec = file.streams.video[0].codec_context
        # BT.709, 16..235: the numbers are those of ITU-T H.273.
        assert (codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1)
        assert codec.color_range == 1
        shown = [frame.to_ndarray() for frame in file.decode(video=0)]
    for colour, planes in zip(COLOURS, shown, strict=True):
        luma, blue, red = (part.mean() for part in np.split(planes, (48, 60)))
        y, b, r = (luma - 16) / 219, (blue - 128) / 112, (red - 128) / 112
        # https://www.itu.int/rec/R-REC-BT.709: from what is stored to red, green and blue
        found = y + 0.7874 * r, y - 0.09366 * b - 0.23406 * r, y + 0.9278 * b
        np.testing.assert_allclose(np.multiply(found, 255), colour, atol=4)


def test_a_full_disk_is_told(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (20, 48, 64, 3), np.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r'film\.mp4'):
            write(tmp_path / 'film.mp4', noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_without_the_package_that_writes_films_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(ConfigurationError, match='pip install av'):
        Film(tmp_path / 'film.mp4', 25)
