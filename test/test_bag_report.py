# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a bag: what it says is what the bag holds, in one file that needs nothing else."""

from __future__ import annotations

import base64
import html
import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContribution, ScaleContributions
from smoe_ros.bags import BagWriter, Recording, typestore
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.report import report
from smoe_ros.offline.report.explained_bag import read_content
from smoe_ros.offline.report.ratings import Band, bands_of, pace_of, rate_frames
from smoe_ros.offline.report.style import style_sheet

DEFINITIONS = sorted((Path(__file__).parents[1] / 'smoe_msgs' / 'msg').glob('*.msg'))
TYPES = {
    ScaleContributions: 'smoe_msgs/msg/ScaleContributions',
    DiagnosticArray: 'diagnostic_msgs/msg/DiagnosticArray',
    Image: 'sensor_msgs/msg/Image',
    CompressedImage: 'sensor_msgs/msg/CompressedImage',
}
START = 1_700_000_000_000_000_000
AGE = 0.15
USUAL = (0.2, 0.3, 0.5)


def header(seconds: float) -> Header:
    nanoseconds = START + round(seconds * 1e9)
    sec, nanosec = divmod(nanoseconds, 10**9)
    return Header(stamp=Time(sec=sec, nanosec=nanosec))


def explanation(
    seconds: float,
    shares: Sequence[float] = USUAL,
    label: str = 'street',
    backbone: str = 'resnet18',
    layers: Sequence[str] = (),
) -> ScaleContributions:
    names = layers or [f'layer{index}' for index in range(1, len(shares) + 1)]
    return ScaleContributions(
        header=header(seconds),
        backbone=backbone,
        statistic='smoe_scale',
        normalization='gaussian_cdf',
        scales=[
            ScaleContribution(
                layer=name,
                channels=64,
                height=7,
                width=9,
                contribution=share,
                information=float(index),
            )
            for index, (name, share) in enumerate(zip(names, shares, strict=True), 1)
        ],
        class_id=7 if label else -1,
        class_label=label,
        class_probability=0.25 if label else 0.0,
    )


def picture(seconds: float, grey: int, width: int = 64) -> Image:
    pixels = np.full((48, width, 3), grey, np.uint8)
    return Image(
        header=header(seconds),
        height=48,
        width=width,
        encoding='rgb8',
        step=3 * width,
        data=array('B', pixels.tobytes()),
    )


def diagnostics(seconds: float, topic: str = '/image_raw', **values: str) -> DiagnosticArray:
    pairs = [KeyValue(key=key.replace('_', ' '), value=value) for key, value in values.items()]
    status = DiagnosticStatus(name=f'/smoe: {topic}', hardware_id=topic, values=pairs)
    return DiagnosticArray(header=header(seconds), status=[status])


@dataclass
class Recorder:
    """Collects messages, and writes them as a bag in the order in which they were received."""

    path: Path
    messages: list[tuple[int, str, str, bytes]] = field(default_factory=list)

    def add(self, topic: str, message: Any, received: float | None = None) -> None:
        """Record a message `AGE` seconds after its stamp, or at another time."""
        stamp = message.header.stamp
        time = stamp.sec * 10**9 + stamp.nanosec + round(AGE * 1e9)
        if received is not None:
            time = START + round(received * 1e9)
        kind = TYPES[type(message)]
        self.messages.append((time, topic, kind, serialize_message(message)))

    def frames(self, seconds: Sequence[float], topic: str = '/smoe/contributions') -> None:
        """Record usual frames."""
        for second in seconds:
            self.add(topic, explanation(second))

    def write(self) -> Path:
        with BagWriter(self.path, typestore(DEFINITIONS)) as writer:
            for topic, kind in dict.fromkeys((topic, kind) for _, topic, kind, _ in self.messages):
                writer.add_topic(topic, kind)
            for time, topic, _, data in sorted(self.messages, key=lambda one: one[0]):
                writer.write(topic, time, data)
        return self.path


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / 'street')


@dataclass
class Report:
    """A report that was written."""

    page: str
    code: int
    said: list[str]
    text: str


@pytest.fixture
def reported(tmp_path: Path) -> Callable[[Path], Report]:
    def write(bag: Path) -> Report:
        output, said = tmp_path / 'report.html', []
        code = report.write_report(bag, output, said.append)
        page = output.read_text(encoding='utf-8')
        body = page[page.index('<body>') :]
        text = ' '.join(html.unescape(re.sub(r'<[^>]*>', ' ', body)).split())
        return Report(page, code, said, text)

    return write


class Elements(HTMLParser):
    """Lists the page's start tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@dataclass
class Tile:
    """A frame of the contact sheet, as the page shows it."""

    seconds: float
    distance: float
    greys: list[int]


def tiles(page: str) -> tuple[list[Tile], list[Tile]]:
    """Return the most and the least unusual frames."""
    unusual, _, usual = page.partition('<h4>Least unusual</h4>')
    return _tiles(unusual), _tiles(usual)


def _tiles(page: str) -> list[Tile]:
    found = []
    for tile in page.split('<li class="tile">')[1:]:
        (second,) = re.findall(r'<b>(-?[\d.]+) s</b>', tile)
        (distance,) = re.findall(r'distance ([\d.]+)</span>', tile)
        greys = [round(float(p.mean())) for p in pictures(tile)]
        found.append(Tile(float(second), float(distance), greys))
    return found


def pictures(page: str) -> list[NDArray[np.uint8]]:
    files = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    return [
        cv2.imdecode(np.frombuffer(base64.b64decode(f), np.uint8), cv2.IMREAD_COLOR) for f in files
    ]


def shares_of(count: int, seed: int = 1) -> NDArray[np.float32]:
    """Return contributions that wander, shape (count, 3)."""
    steps = np.random.default_rng(seed).normal(0, 0.01, (count, 3)).cumsum(axis=0)
    return (steps + USUAL).astype(np.float32)


def plain_distances(seconds: NDArray[np.float64], shares: NDArray[Any]) -> NDArray[np.float64]:
    """Return each frame's distance from the running mean before it, as its definition says."""
    shares = shares.astype(np.float64)
    distances = np.zeros(len(seconds))
    mean = shares[0].copy()
    for now in range(1, len(seconds)):
        distances[now] = np.sqrt(sum((shares[now] - mean) ** 2))
        old = np.exp(-(seconds[now] - seconds[now - 1]) / 5.0)
        mean = old * mean + (1 - old) * shares[now]
    return distances


def test_page_needs_no_other_file(recorder: Recorder, reported: Callable[[Path], Report]) -> None:
    for index in range(40):
        recorder.add('/smoe/contributions', explanation(index / 10))
        recorder.add('/smoe/overlay', picture(index / 10, 100))
    page = reported(recorder.write()).page
    assert '<img' in page
    assert '<svg' in page
    for tag, attributes in Elements(page).found:
        assert tag not in {'script', 'link', 'iframe', 'object', 'embed', 'base'}
        for name in ('src', 'srcset', 'href', 'xlink:href', 'poster', 'data', 'action'):
            value = attributes.get(name)
            assert value is None or value.startswith(('#', 'data:image/jpeg;base64,')), value
    assert not re.search(r'url\((?!#)', page)
    assert '@import' not in page
    assert 'http://' not in page
    assert 'https://' not in page


def test_ids_of_the_page_are_unique_and_links_lead_to_them(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 3, 0.1), '/front/smoe/contributions')
    recorder.frames(np.arange(0, 3, 0.1), '/rear/smoe/contributions')
    page = reported(recorder.write()).page
    ids = [attributes['id'] for _, attributes in Elements(page).found if 'id' in attributes]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)


def test_distances_are_those_of_a_plain_loop(recorder: Recorder) -> None:
    # Irregular stamps, as of a busy computer.
    seconds = np.cumsum(np.random.default_rng(2).uniform(0.02, 0.4, 60))
    shares = shares_of(60)
    for second, row in zip(seconds, shares, strict=True):
        recorder.add('/smoe/contributions', explanation(second, row.tolist()))
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    ratings = rate_frames(camera, camera.groups[0])
    rated = seconds - seconds[0] >= 1
    assert np.array_equal(np.isfinite(ratings.distances), rated)
    expected = plain_distances(seconds, shares)
    np.testing.assert_allclose(ratings.distances[rated], expected[rated], rtol=1e-6)


def test_running_mean_begins_anew_where_time_goes_back(recorder: Recorder) -> None:
    seconds, shares = np.arange(0, 3, 0.1), shares_of(30)
    for begin in (0.0, 3.0):
        for second, row in zip(seconds, shares, strict=True):
            message = explanation(second, row.tolist())
            recorder.add('/smoe/contributions', message, received=begin + second)
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    first, second = np.split(rate_frames(camera, camera.groups[0]).distances, 2)
    assert np.isfinite(second).any()
    np.testing.assert_array_equal(first, second)


def test_planted_frame_is_the_most_unusual_one(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for index in range(100):
        shares = (0.7, 0.2, 0.1) if index == 63 else USUAL
        recorder.add('/smoe/contributions', explanation(index / 10, shares))
        recorder.add('/smoe/overlay', picture(index / 10, 2 * index))
    unusual, usual = tiles(reported(recorder.write()).page)
    # The bag begins with the first frame, which is as old as all others.
    assert unusual[0].seconds == pytest.approx(6.3)
    assert unusual[0].distance == pytest.approx(np.sqrt(0.5**2 + 0.1**2 + 0.4**2), abs=6e-4)
    assert unusual[0].greys == [pytest.approx(126, abs=2)]
    assert 6.3 not in [tile.seconds for tile in usual]
    assert [tile.distance for tile in unusual] == sorted(
        (tile.distance for tile in unusual), reverse=True
    )


def test_frames_of_a_constant_stream_are_usual(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 10, 0.1))
    written = reported(recorder.write())
    unusual, usual = tiles(written.page)
    assert not unusual
    assert [tile.distance for tile in usual] == [0] * 6
    assert 'None: every frame is nearer than' in written.text


@pytest.mark.parametrize('length', [3.5, 30])
def test_frames_of_a_row_are_a_second_apart(
    recorder: Recorder, reported: Callable[[Path], Report], length: float
) -> None:
    seconds = np.arange(0, length, 0.1)
    for second, row in zip(seconds, shares_of(len(seconds)), strict=True):
        recorder.add('/smoe/contributions', explanation(second, row.tolist()))
    for row in tiles(reported(recorder.write()).page):
        times = sorted(tile.seconds for tile in row)
        assert times[0] >= 1
        # A second's begin is not rated.
        assert len(times) == (6 if length == 30 else pytest.approx(2, abs=1))
        assert (np.diff(times) > 1 - 1e-6).all()


def test_all_frames_of_a_short_bag_but_the_first_are_rated(recorder: Recorder) -> None:
    recorder.frames([0, 0.1, 0.2, 0.3])
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    distances = rate_frames(camera, camera.groups[0]).distances
    assert np.isfinite(distances).tolist() == [False, True, True, True]


def test_rates_and_gaps_are_those_of_the_stamps(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    stamps = np.concatenate([np.arange(0, 4, 0.1), 3.9 + np.arange(0.75, 3, 0.1)])
    recorder.frames(stamps)
    text = reported(recorder.write()).text
    overall = (len(stamps) - 1) / (stamps[-1] - stamps[0])
    assert f'10.00 Hz median, {overall:.2f} Hz overall' in text
    assert '1 longer than 3 median periods: 0.75 s at 3.9 s' in text
    assert f'Frames explained {len(stamps)} ' in text


def test_three_longest_gaps_are_named(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    pauses = [0.5, 0.9, 0.7, 0.6]
    spans = np.concatenate([np.append(np.full(10, 0.1), pause) for pause in pauses])
    recorder.frames(np.cumsum(spans) - spans[0])
    text = reported(recorder.write()).text
    assert '4 longer than 3 median periods, the longest: 0.90 s at' in text
    # Each begins at its frame: ten steps after the end of the one before.
    assert '0.90 s at 2.4 s 0.70 s at 4.3 s 0.60 s at 6.0 s' in text
    assert '0.50 s' not in text


def test_time_that_goes_back_is_no_gap_and_spoils_no_rate(recorder: Recorder) -> None:
    for begin in (0, 2):
        for second in np.arange(0, 2, 0.1):
            recorder.add('/smoe/contributions', explanation(second), received=begin + second)
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    pace = pace_of(camera)
    assert pace.gaps == ()
    assert (pace.median_rate, pace.overall_rate) == pytest.approx((10, 10))


def test_ages_are_those_of_the_bag(recorder: Recorder, reported: Callable[[Path], Report]) -> None:
    ages = np.random.default_rng(3).uniform(0.05, 0.09, 50)
    for index, age in enumerate(ages):
        recorder.add('/smoe/contributions', explanation(index / 10), received=index / 10 + age)
    text = reported(recorder.write()).text
    p50, p95 = np.percentile(ages * 1000, (50, 95))
    assert f'{p50:.0f} ms p50, {p95:.0f} ms p95, {ages.max() * 1000:.0f} ms max' in text


@pytest.mark.parametrize('age', [-0.01, 3601])
def test_ages_that_cannot_be_are_not_shown(
    recorder: Recorder, reported: Callable[[Path], Report], age: float
) -> None:
    for index in range(30):
        recorder.add('/smoe/contributions', explanation(index / 10), received=index / 10 + age)
    text = reported(recorder.write()).text
    assert "the bag's times are not those of the stamps" in text
    assert ' ms p50' not in text


def test_mean_contribution_and_information_of_each_scale(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    shares = shares_of(40)
    for index, row in enumerate(shares):
        recorder.add('/smoe/contributions', explanation(index / 10, row.tolist()))
    text = reported(recorder.write()).text
    for number, mean in enumerate(shares.astype(np.float64).mean(axis=0), 1):
        assert f'layer{number}#0 64 × 7 × 9 {mean:.1%} {number}' in text


def test_figures_of_the_node_are_the_last_ones(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 3, 0.1))
    for second, count in ((1, '10'), (2, '21')):
        recorder.add(
            '/diagnostics',
            diagnostics(
                second,
                frames_in=count,
                frames_explained='20',
                frames_dropped='1',
                frames_rejected='0',
                last_error='step is <3> bytes',
            ),
        )
    text = reported(recorder.write()).text
    assert '21 in, 20 explained, 1 dropped, 0 rejected' in text
    assert 'Last error step is <3> bytes' in text


def test_texts_of_the_bag_are_escaped(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    evil = '"><script>alert(1)</script>&$x_1$'
    for index in range(30):
        message = explanation(index / 10, shares_of(30)[index].tolist(), evil, evil, [evil] * 3)
        message.statistic = message.normalization = evil
        recorder.add('/smoe/contributions', message)
        recorder.add('/diagnostics', diagnostics(index / 10, frames_in=evil, last_error=evil))
    written = reported(recorder.write())
    assert '<script' not in written.page
    assert written.text.count('<script>alert(1)</script>') > 10
    assert not [1 for tag, attributes in Elements(written.page).found if 'alert(1)' in attributes]


def test_every_camera_has_its_own_part(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for topic, grey in (('/front', 40), ('/rear', 200)):
        for index in range(30):
            shares = shares_of(30, grey)[index].tolist()
            recorder.add(f'{topic}/smoe/contributions', explanation(index / 10, shares, topic[1:]))
            recorder.add(f'{topic}/smoe/overlay', picture(index / 10, grey))
        recorder.add('/diagnostics', diagnostics(2, f'{topic}/image_raw', frames_in=str(grey)))
    written = reported(recorder.write())
    parts = re.split(r'<h2 id="camera\d">', written.page)
    assert [part.partition('</h2>')[0] for part in parts[1:]] == ['Camera /front', 'Camera /rear']
    for part, grey, other in zip(parts[1:], (40, 200), ('rear', 'front'), strict=True):
        assert f'>{other}<' not in part
        assert f'{grey} in' in part
        for tile in _tiles(part):
            assert tile.greys == [pytest.approx(grey, abs=2)]
    assert 'Cameras /front, /rear' in written.text
    assert 'Explained frames 60' in written.text


def test_camera_without_a_namespace_is_called_camera(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 3, 0.1))
    assert 'Camera camera' in reported(recorder.write()).text


def test_change_of_network_gives_each_its_plot_and_its_means(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for index in range(80):
        second = index / 10
        message = explanation(second)
        if 40 <= index < 60:
            message = explanation(second, (0.9, 0.1), backbone='vgg16', layers=('a', 'b'))
        recorder.add('/smoe/contributions', message)
    written = reported(recorder.write())
    assert 'Networks resnet18, vgg16' in written.text
    assert written.page.count('<figure') == 2
    assert 'resnet18, 60 frames' in written.text
    assert 'vgg16, 20 frames' in written.text
    assert 'a#0 64 × 7 × 9 90.0%' in written.text
    # No frame is unusual because the other network was before it.
    assert tiles(written.page)[0] == []


def test_running_mean_begins_anew_after_another_network(recorder: Recorder) -> None:
    for index in range(90):
        shares = (0.5, 0.3, 0.2) if index >= 60 else USUAL
        name = 'vgg16' if 40 <= index < 60 else 'resnet18'
        recorder.add('/smoe/contributions', explanation(index / 10, shares, backbone=name))
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    distances = rate_frames(camera, camera.groups[0]).distances
    for run in (distances[:40], distances[40:]):
        assert np.isnan(run[:10]).all()
        assert run[10:] == pytest.approx(0, abs=1e-9)


def test_pictures_are_matched_by_stamp_and_lovi_is_shown_with_the_overlay(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for index, row in enumerate(shares_of(100)):
        second = index / 10
        recorder.add('/smoe/contributions', explanation(second, row.tolist()))
        # Late, so that only the stamp tells which frame it belongs to.
        recorder.add('/smoe/overlay', picture(second, 2 * index, 640), received=second + 0.55)
        recorder.add('/smoe/lovi', picture(second, 250 - 2 * index), received=second + 0.95)
    page = reported(recorder.write()).page
    unusual, usual = tiles(page)
    assert len(unusual) == len(usual) == 6
    for tile in (*unusual, *usual):
        index = round(tile.seconds * 10)
        assert tile.greys == pytest.approx([2 * index, 250 - 2 * index], abs=1.5)
    assert max(picture.shape[1] for picture in pictures(page)) == 320


def test_compressed_overlay_is_read(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for index, row in enumerate(shares_of(30)):
        recorder.add('/smoe/contributions', explanation(index / 10, row.tolist()))
        pixels = np.full((48, 64, 3), (0, 0, 240), np.uint8)  # red in BGR
        data = cv2.imencode('.jpg', pixels)[1].tobytes()
        image = CompressedImage(
            header=header(index / 10), format='rgb8; jpeg compressed bgr8', data=array('B', data)
        )
        recorder.add('/smoe/overlay/compressed', image)
    shown = pictures(reported(recorder.write()).page)
    assert shown
    for one in shown:
        assert one.mean(axis=(0, 1)) == pytest.approx((0, 0, 240), abs=6)


@pytest.mark.parametrize(
    ('recorded', 'shown'),
    [
        (('overview', 'lovi'), 'overview'),
        (('heat_map', 'lovi', 'saliency'), 'heat_map'),
        (('lovi', 'saliency'), 'lovi'),
        (('saliency', 'image_raw'), 'saliency'),
        (('image_raw',), 'image_raw'),
    ],
)
def test_without_overlay_the_next_best_picture_is_shown(
    recorder: Recorder, reported: Callable[[Path], Report], recorded: tuple[str], shown: str
) -> None:
    for index, row in enumerate(shares_of(30)):
        recorder.add('/smoe/contributions', explanation(index / 10, row.tolist()))
        for name in recorded:
            topic = '/image_raw' if name == 'image_raw' else f'/smoe/{name}'
            recorder.add(topic, picture(index / 10, 230 if name == shown else 20))
    written = reported(recorder.write())
    for row in tiles(written.page):
        assert row
        assert all(tile.greys == [pytest.approx(230, abs=2)] for tile in row)
    assert written.said == []


def test_frame_whose_overlay_is_missing_has_another_picture(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for index in range(50):
        shares = (0.7, 0.2, 0.1) if index == 30 else USUAL
        recorder.add('/smoe/contributions', explanation(index / 10, shares))
        recorder.add('/image_raw', picture(index / 10, 230))
        if index != 30:
            recorder.add('/smoe/overlay', picture(index / 10, 20))
    unusual, _ = tiles(reported(recorder.write()).page)
    assert unusual[0].greys == [pytest.approx(230, abs=2)]


def test_bag_without_pictures_says_what_to_record(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 5, 0.1), '/front/smoe/contributions')
    written = reported(recorder.write())
    assert '<img' not in written.page
    assert "recording '/front/smoe/overlay/compressed'" in written.text
    assert 'no picture of this frame' in written.text
    assert len(written.said) == 1
    assert '/front/smoe/overlay/compressed' in written.said[0]
    assert written.code == 0


def test_picture_that_does_not_decode_is_said(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 5, 0.1))
    for second in np.arange(0, 5, 0.1):
        broken = CompressedImage(header=header(second), format='jpeg', data=array('B', b'nothing'))
        recorder.add('/smoe/overlay/compressed', broken)
    written = reported(recorder.write())
    assert 'no picture of this frame' in written.text
    assert ['/smoe/overlay/compressed' in sentence for sentence in written.said] == [True]


def test_classes_have_their_shares_and_times(recorder: Recorder) -> None:
    labels = ['car'] * 20 + ['bus'] * 10 + ['car'] * 5 + ['tram'] * 5
    for index, label in enumerate(labels):
        recorder.add('/smoe/contributions', explanation(index / 10, label=label))
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    car, bus = bands_of(camera, 2)
    assert (car.label, car.share, bus.label, bus.share) == ('car', 25 / 40, 'bus', 10 / 40)

    def spans(band: Band) -> list[list[float]]:
        return ((band.spans - START) * 1e-9 - AGE).round(3).tolist()

    assert spans(car) == [[0, 2], [3, 3.5]]
    assert spans(bus) == [[2, 3]]


def test_class_does_not_last_through_a_gap(recorder: Recorder) -> None:
    recorder.frames([0, 0.1, 0.2, 5.0, 5.1])
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    (band,) = bands_of(camera, 5)
    assert ((band.spans - START) * 1e-9 - AGE).round(3).tolist() == [[0, 0.3], [5, 5.2]]


def test_network_that_is_no_classifier(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for index in range(30):
        recorder.add('/smoe/contributions', explanation(index / 10, label=''))
    written = reported(recorder.write())
    assert 'The network is no classifier' in written.text
    assert 'class="band"' not in written.page


def test_long_recording_stays_a_small_page(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    for index, row in enumerate(shares_of(4000)):
        recorder.add('/smoe/contributions', explanation(index / 10, row.tolist()))
    written = reported(recorder.write())
    assert len(written.page) < 700_000
    assert 'Each point stands for 3 frames in a row' in written.text


def test_bag_without_contributions_is_refused_by_its_topics(
    recorder: Recorder, tmp_path: Path
) -> None:
    recorder.add('/front/image_raw', picture(0, 3))
    with pytest.raises(ConfigurationError, match='/front/image_raw') as refusal:
        report.write_report(recorder.write(), tmp_path / 'report.html', print)
    assert 'ScaleContributions' in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert not (tmp_path / 'report.html').exists()


@pytest.mark.parametrize(
    ('content', 'reason'), [(b'', 'is empty'), (b'text', 'is neither an MCAP')]
)
def test_file_that_is_no_bag_is_refused_with_what_it_is(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / 'bag.mcap'
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=reason):
        report.write_report(file, tmp_path / 'report.html', print)


def test_bag_whose_contributions_are_empty_is_refused(recorder: Recorder, tmp_path: Path) -> None:
    with BagWriter(recorder.path, typestore(DEFINITIONS)) as writer:
        writer.add_topic('/smoe/contributions', TYPES[ScaleContributions])
        writer.add_topic('/image_raw', TYPES[Image])
        writer.write('/image_raw', START, serialize_message(picture(0, 3)))
    with pytest.raises(ConfigurationError, match='/smoe/contributions has no message'):
        report.write_report(recorder.path, tmp_path / 'report.html', print)


def test_message_that_cannot_be_read_is_counted(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 3, 0.1))
    time, topic, kind, data = recorder.messages[7]
    recorder.messages[7] = (time, topic, kind, data[:30])
    written = reported(recorder.write())
    (sentence,) = [said for said in written.said if 'deserialised' in said]
    assert sentence.endswith(': 1')
    assert sentence in written.text
    assert written.code == 3
    assert 'Explained frames 29' in written.text


@pytest.mark.parametrize('share', [float('nan'), float('inf')])
def test_frame_whose_contributions_are_no_numbers_is_left_out(
    recorder: Recorder, reported: Callable[[Path], Report], share: float
) -> None:
    recorder.frames(np.arange(0, 3, 0.1))
    recorder.add('/smoe/contributions', explanation(3, (share, 0.3, 0.5)))
    recorder.add('/smoe/contributions', explanation(3.1, ()))
    written = reported(recorder.write())
    assert 'Explained frames 30' in written.text
    assert any('without finite contributions: 2' in said for said in written.said)


def test_damaged_bag_is_reported_with_its_flaws(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    # Of several chunks, so that half of the file holds some.
    for index in range(60):
        recorder.add('/smoe/contributions', explanation(index / 10))
        recorder.add('/smoe/overlay', picture(index / 10, 90, 640))
    (file,) = recorder.write().glob('*.mcap')
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    written = reported(recorder.path)
    assert written.code == 3
    assert written.said
    box = re.search(r'<div class="flaws".*?</div>', written.page, re.DOTALL)
    assert box is not None
    for sentence in written.said:
        assert html.escape(sentence) in box[0]
    (frames,) = re.findall(r'Explained frames (\d+)', written.text)
    assert 20 <= int(frames) <= 32


def test_sound_bag_has_no_flaws(recorder: Recorder, reported: Callable[[Path], Report]) -> None:
    recorder.frames(np.arange(0, 3, 0.1))
    written = reported(recorder.write())
    assert written.code == 0
    assert 'class="flaws"' not in written.page


def test_title_tells_what_was_recorded(
    recorder: Recorder, reported: Callable[[Path], Report]
) -> None:
    recorder.frames(np.arange(0, 90.05, 0.5))
    text = reported(recorder.write()).text
    assert text.startswith('street Recorded 2023-11-14 22:13:20 UTC Duration 1 min 30 s Network')


@pytest.mark.parametrize('name', ['nowhere/report.html', ''])
def test_output_that_cannot_be_is_refused_before_the_bag_is_read(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=str(tmp_path / name)):
        report.write_report(Path('/no/bag'), tmp_path / name, print)
    assert list(tmp_path.iterdir()) == []


def test_failed_writing_leaves_the_old_report(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / 'report.html'
    output.write_text('old')
    recorder.frames([0, 0.1])
    bag = recorder.write()

    def full(path: Path, text: str, **options: Any) -> None:
        path.write_bytes(text.encode()[:1000])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_text', full)
    with pytest.raises(ConfigurationError, match='No space left on device'):
        report.write_report(bag, output, print)
    assert {entry.name for entry in tmp_path.iterdir()} == {'street', 'report.html'}
    assert output.read_text() == 'old'


@pytest.mark.parametrize('frames', [1, 2])
def test_one_or_two_frames_are_enough(
    recorder: Recorder, reported: Callable[[Path], Report], frames: int
) -> None:
    recorder.frames(np.arange(frames) / 10)
    written = reported(recorder.write())
    assert written.code == 0
    assert ('No frame is rated' in written.text) == (frames == 1)


def test_frames_without_stamps_are_told_by_when_they_were_received(recorder: Recorder) -> None:
    for index in range(30):
        message = explanation(0)
        message.header.stamp = Time()
        recorder.add('/smoe/contributions', message, received=index / 10)
    with Recording(recorder.write()) as recording:
        (camera,) = read_content(recording).cameras
    assert pace_of(camera).median_rate == pytest.approx(10)


@pytest.mark.parametrize('count', [1, 2, 5, 12])
def test_lines_stand_out_from_light_and_dark(count: int) -> None:
    light, dark = re.findall(rf'\.scales{count} {{(.*?)}}', style_sheet([count]))
    for rule, background in ((light, (255, 255, 255)), (dark, (27, 29, 34))):
        colours = re.findall(r'--s\d+: #(..)(..)(..);', rule)
        assert len(colours) == count
        for colour in colours:
            levels = sorted(luminance([int(c, 16) for c in colour]) for colour in (colour,))
            other = luminance(background)
            brighter, darker = max(levels[0], other), min(levels[0], other)
            assert (brighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour: Sequence[int]) -> float:
    """Return the relative luminance of WCAG 2."""
    channels = np.array(colour) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
