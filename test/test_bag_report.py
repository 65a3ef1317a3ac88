# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a bag: what it says is what the bag holds, in one file that needs nothing else."""

import base64
import html
import re
from array import array
from collections import namedtuple
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from explained_bags import (
    AGE,
    CONTRIBUTIONS,
    START,
    USUAL,
    Recorder,
    diagnostics,
    explanation,
    header,
    picture,
    wandering,
)
from sensor_msgs.msg import CompressedImage

from smoe_ros.bags import BagWriter
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.report.charts import line_colours
from smoe_ros.offline.report.ratings import bands_of, pace_of, rate_frames
from smoe_ros.offline.report.report import write_report
from smoe_ros.offline.serializing import message_types

THREE_SECONDS = np.arange(0, 3, 0.1)


@pytest.fixture
def recorder(tmp_path):
    return Recorder(tmp_path / 'street')


# A report that was written, and its texts as a person reads them.
Report = namedtuple('Report', 'page code said text')


def report_on(bag):
    output, said = bag.with_name('report.html'), []
    code = write_report(bag, output, said.append)
    page = output.read_text(encoding='utf-8')
    body = page[page.index('<body>') :]
    text = ' '.join(html.unescape(re.sub(r'<[^>]*>', ' ', body)).split())
    return Report(page, code, said, text)


def elements(page):
    """Return the page's start tags, each with its attributes."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(page)
    return found


# A frame of the contact sheet, as the page shows it.
Tile = namedtuple('Tile', 'seconds distance greys')


def tiles(page):
    """Return the most and the least unusual frames."""
    unusual, _, usual = page.partition('<h4>Least unusual</h4>')
    return _tiles(unusual), _tiles(usual)


def _tiles(page):
    found = []
    for tile in page.split('<li class="tile">')[1:]:
        (second,) = re.findall(r'<b>(-?[\d.]+) s</b>', tile)
        (distance,) = re.findall(r'distance ([\d.]+)</span>', tile)
        greys = [round(float(p.mean())) for p in pictures(tile)]
        found.append(Tile(float(second), float(distance), greys))
    return found


def pictures(page):
    files = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    return [
        cv2.imdecode(np.frombuffer(base64.b64decode(f), np.uint8), cv2.IMREAD_COLOR) for f in files
    ]


def distances_of(camera):
    return rate_frames(camera, camera.groups[0]).distances


# One page


def test_page_needs_no_other_file(recorder):
    recorder.frames(THREE_SECONDS)
    for second in THREE_SECONDS:
        recorder.add('/smoe/overlay', picture(second, 100))
    page = report_on(recorder.write()).page
    assert '<img' in page
    assert '<svg' in page
    for tag, attributes in elements(page):
        assert tag not in {'script', 'link', 'iframe', 'object', 'embed', 'base'}
        for name in ('src', 'srcset', 'href', 'xlink:href', 'poster', 'data', 'action'):
            value = attributes.get(name)
            assert value is None or value.startswith(('#', 'data:image/jpeg;base64,')), value
    assert not re.search(r'url\((?!#)', page)
    assert '@import' not in page
    assert 'http://' not in page
    assert 'https://' not in page


def test_ids_of_the_page_are_unique_and_links_lead_to_them(recorder):
    recorder.frames(THREE_SECONDS, topic='/front/smoe/contributions')
    recorder.frames(THREE_SECONDS, topic='/rear/smoe/contributions')
    page = report_on(recorder.write()).page
    ids = [attributes['id'] for _, attributes in elements(page) if 'id' in attributes]
    links = re.findall(r'(?:url\(|href=")#([^")]+)', page)
    assert len(links) == 3
    assert len(ids) == len(set(ids))
    assert set(links) <= set(ids)


def test_texts_of_the_bag_are_escaped(recorder):
    evil = '"><script>alert(1)</script>&$x_1$'
    for second, row in zip(THREE_SECONDS, wandering(30).tolist(), strict=True):
        message = explanation(second, row, evil, evil, [evil] * 3)
        message.statistic = message.normalization = evil
        recorder.add(CONTRIBUTIONS, message)
        recorder.add('/diagnostics', diagnostics(second, frames_in=evil, last_error=evil))
    written = report_on(recorder.write())
    assert '<script' not in written.page
    assert written.text.count('<script>alert(1)</script>') > 10
    assert not [1 for tag, attributes in elements(written.page) if 'alert(1)' in attributes]


def test_title_tells_what_was_recorded(recorder):
    recorder.frames(np.arange(0, 90.05, 0.5))
    written = report_on(recorder.write())
    title = 'street Recorded 2023-11-14 22:13:20 UTC Duration 1 min 30 s Network resnet18'
    assert written.text.startswith(f'{title} Camera camera')
    assert (written.code, 'class="flaws"' in written.page) == (0, False)


def chart_of(page, name):
    """Return the lines of a chart: from left to right in 1000 parts, and values by its ticks."""
    (chart,) = re.findall(rf'<div class="chart {name}">(.*?)</div>', page, re.DOTALL)
    ticks = re.findall(r'class="up" style="bottom:([\d.]+)%">(-?[\d.]+)<', chart)
    (low, first), *_, (high, last) = [(1000 - 10 * float(p), float(v)) for p, v in ticks]
    found = []
    for path in re.findall(r'<path d="([^"]*)"', chart):
        points = np.array(re.findall(r'[ML]([\d.]+) ([\d.]+)', path), float)
        points[:, 1] = first + (points[:, 1] - low) / (high - low) * (last - first)
        found.append(points)
    return found


def breaks_of(page):
    """Return how often each line of contributions is broken."""
    return [path.count('M') - 1 for path in re.findall(r'<path d="([^"]*)" style="stroke', page)]


def test_lines_of_the_charts_go_through_contributions_and_distances(recorder):
    shares = np.full((11, 3), USUAL)
    shares[5] = (0.3, 0.3, 0.4)
    recorder.frames(np.arange(11), shares)
    page = report_on(recorder.write()).page
    lines = chart_of(page, 'contributions')
    assert len(lines) == 3
    for points, row in zip(lines, shares.T, strict=True):
        np.testing.assert_allclose(points[:, 1], 100 * row, atol=0.05)
        # A hundredth of the time is left free at both ends.
        assert np.diff(points[:, 0]) == pytest.approx(1000 / 1.02 / 10, abs=0.11)
    (distances,) = chart_of(page, 'distances')
    expected = plain_distances(np.arange(11), shares)[1:]  # the first is not rated
    np.testing.assert_allclose(distances[:, 1], expected, atol=5e-4)


def test_long_recording_stays_a_small_page_of_means_and_largest_distances(recorder):
    shares = wandering(4000)
    recorder.frames(np.arange(4000) / 10, shares)
    written = report_on(recorder.write())
    assert len(written.page) < 700_000
    assert 'Each point stands for 3 frames in a row' in written.text
    means = [np.mean(shares[first : first + 3], axis=0) for first in range(0, 4000, 3)]
    for points, row in zip(
        chart_of(written.page, 'contributions'), np.transpose(means), strict=True
    ):
        np.testing.assert_allclose(points[:, 1], 100 * row, atol=0.3)
    (points,) = chart_of(written.page, 'distances')
    distances = plain_distances(np.arange(4000) / 10, shares)
    largest = [max(distances[first : first + 3]) for first in range(12, 4000, 3)]
    np.testing.assert_allclose(points[-len(largest) :, 1], largest, atol=1e-3)


@pytest.mark.parametrize('count', [1, 2, 5, 12])
@pytest.mark.parametrize('background', [(255, 255, 255), (27, 29, 34)])
def test_lines_stand_out_from_light_and_dark(count, background):
    colours = [bytes.fromhex(colour[1:]) for colour in line_colours(count, background)]
    assert len(colours) == count
    for colour in colours:
        darker, brighter = sorted(map(luminance, (colour, background)))
        assert (brighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour):
    """Return the relative luminance of WCAG 2."""
    channels = [channel / 255 for channel in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(np.multiply(linear, (0.2126, 0.7152, 0.0722)))


# Unusual frames


def plain_distances(seconds, shares):
    """Return each frame's distance from the running mean before it, as its definition says."""
    shares = shares.astype(np.float64)
    distances = np.zeros(len(seconds))
    mean = shares[0].copy()
    for now in range(1, len(seconds)):
        distances[now] = np.sqrt(sum((shares[now] - mean) ** 2))
        old = np.exp(-(seconds[now] - seconds[now - 1]) / 5.0)
        mean = old * mean + (1 - old) * shares[now]
    return distances


def test_distances_are_those_of_a_plain_loop(recorder):
    # Irregular stamps, as of a busy computer.
    seconds = np.cumsum(np.random.default_rng(2).uniform(0.02, 0.4, 60))
    shares = wandering(60)
    recorder.frames(seconds, shares)
    distances, rated = distances_of(recorder.camera()), seconds - seconds[0] >= 1
    assert np.array_equal(np.isfinite(distances), rated)
    np.testing.assert_allclose(
        distances[rated], plain_distances(seconds, shares)[rated], rtol=1e-6
    )


def test_running_mean_and_lines_begin_anew_where_time_goes_back(recorder):
    for begin in (0.0, 3.0):
        recorder.frames(THREE_SECONDS, wandering(30), late=begin)
    first, second = np.split(distances_of(recorder.camera()), 2)
    assert np.isfinite(second).any()
    np.testing.assert_array_equal(first, second)
    assert breaks_of(report_on(recorder.path).page) == [1, 1, 1]


def test_running_mean_begins_anew_after_another_network(recorder):
    seconds = np.arange(90) / 10
    recorder.frames(seconds[:40])
    recorder.frames(seconds[40:60], backbone='vgg16')
    recorder.frames(seconds[60:], [(0.5, 0.3, 0.2)] * 30)
    distances = distances_of(recorder.camera())
    for run in (distances[:40], distances[40:]):
        assert np.isnan(run[:10]).all()
        assert run[10:] == pytest.approx(0, abs=1e-9)


def test_planted_frame_is_the_most_unusual_one(recorder):
    seconds, shares = np.arange(100) / 10, np.full((100, 3), USUAL)
    shares[63] = (0.7, 0.2, 0.1)
    recorder.frames(seconds, shares)
    for index, second in enumerate(seconds):
        recorder.add('/smoe/overlay', picture(second, 2 * index))
    page = report_on(recorder.write()).page
    unusual, usual = tiles(page)
    # The bag begins with the first frame, which is as old as all others.
    assert unusual[0].seconds == pytest.approx(6.3)
    assert unusual[0].distance == pytest.approx(np.sqrt(0.5**2 + 0.1**2 + 0.4**2), abs=6e-4)
    assert unusual[0].greys == [pytest.approx(126, abs=2)]
    (mark,) = re.findall(r'class="mark" style="left:([\d.]+)%;bottom:([\d.]+)%">1<', page)
    # From a hundredth before the first frame; the chart is a third higher than the line.
    assert [float(place) for place in mark] == pytest.approx([64.37 / 1.02, 100 / 1.35], abs=0.4)
    assert 6.3 not in [tile.seconds for tile in usual]
    assert [tile.distance for tile in unusual] == sorted(
        (tile.distance for tile in unusual), reverse=True
    )


def test_bars_tell_a_frames_contributions_and_their_distance_from_the_mean(recorder):
    recorder.frames(np.arange(0, 5, 0.1))
    recorder.frames([5], [(0.6, 0.5, -0.1)])
    page = report_on(recorder.write()).page
    tile = page.split('<li class="tile">')[1]
    numbers = re.findall(r'<span class="number">(.*?)</span>', tile)
    assert numbers == ['60%', '+40', '50%', '+20', '-10%', '-60']
    # From -10 % at the left to 60 % at the right; the strokes are at 20, 30 and 50 %.
    assert re.findall(r'left:([\d.]+)%;width:([\d.]+)%', tile) == [
        ('14.3', '85.7'),
        ('14.3', '71.4'),
        ('0.0', '14.3'),
    ]
    assert re.findall(r'<b style="left:([\d.]+)%', tile) == ['42.9', '57.1', '85.7']


def test_frames_of_a_constant_stream_are_usual(recorder):
    recorder.frames(np.arange(0, 10, 0.1))
    written = report_on(recorder.write())
    unusual, usual = tiles(written.page)
    assert not unusual
    assert [tile.distance for tile in usual] == [0] * 6
    assert 'None: every frame is nearer than' in written.text


def test_frames_of_a_row_are_a_second_apart(recorder):
    recorder.frames(np.arange(0, 30, 0.1), wandering(300))
    for row in tiles(report_on(recorder.write()).page):
        times = sorted(tile.seconds for tile in row)
        assert len(times) == 6
        assert (np.diff(times) > 1 - 1e-6).all()


def test_all_frames_of_a_short_bag_but_the_first_are_rated(recorder):
    recorder.frames([0, 0.1, 0.2, 0.3])
    assert np.isfinite(distances_of(recorder.camera())).tolist() == [False, True, True, True]


def test_of_a_single_frame_it_is_said_that_none_is_rated(recorder):
    recorder.frames([0])
    written = report_on(recorder.write())
    assert written.code == 0
    assert 'No frame is rated' in written.text
    assert 'unknown: there are no two frames' in written.text


# Figures


def test_rates_and_gaps_are_those_of_the_stamps(recorder):
    stamps = np.concatenate([np.arange(0, 4, 0.1), 3.9 + np.arange(0.75, 3, 0.1)])
    recorder.frames(stamps)
    text = report_on(recorder.write()).text
    overall = (len(stamps) - 1) / (stamps[-1] - stamps[0])
    assert f'10.00 Hz median, {overall:.2f} Hz overall' in text
    assert '1 longer than 3 median periods: 0.75 s at 3.9 s' in text
    assert f'Frames explained {len(stamps)} ' in text


def test_three_longest_gaps_are_named(recorder):
    pauses = [0.5, 0.9, 0.7, 0.6]
    spans = np.concatenate([np.append(np.full(10, 0.1), pause) for pause in pauses])
    recorder.frames(np.cumsum(spans) - spans[0])
    text = report_on(recorder.write()).text
    assert '4 longer than 3 median periods, the longest: 0.90 s at' in text
    # Each begins at its frame: ten steps after the end of the one before.
    assert '0.90 s at 2.4 s 0.70 s at 4.3 s 0.60 s at 6.0 s' in text
    assert '0.50 s' not in text


def test_time_that_goes_back_is_no_gap_and_spoils_no_rate(recorder):
    for begin in (0, 2):
        recorder.frames(np.arange(0, 2, 0.1), late=begin)
    pace = pace_of(recorder.camera())
    assert pace.gaps == ()
    assert (pace.median_rate, pace.overall_rate) == pytest.approx((10, 10))


def test_frames_without_stamps_are_told_by_when_they_were_received(recorder):
    for second in THREE_SECONDS:
        message = explanation(0)
        message.header.stamp = Time()
        recorder.add(CONTRIBUTIONS, message, received=second)
    assert pace_of(recorder.camera()).median_rate == pytest.approx(10)


def test_ages_are_those_of_the_bag(recorder):
    ages = np.random.default_rng(3).uniform(0.05, 0.09, 50)
    for index, age in enumerate(ages):
        recorder.frames([index / 10], late=age)
    text = report_on(recorder.write()).text
    p50, p95 = np.percentile(ages * 1000, (50, 95))
    assert f'{p50:.0f} ms p50, {p95:.0f} ms p95, {ages.max() * 1000:.0f} ms max' in text


@pytest.mark.parametrize('age', [-0.01, 3601])
def test_ages_that_cannot_be_are_not_shown(recorder, age):
    recorder.frames(THREE_SECONDS, late=age)
    text = report_on(recorder.write()).text
    assert "the bag's times are not those of the stamps" in text
    assert ' ms p50' not in text


def test_mean_contribution_and_information_of_each_scale(recorder):
    shares = wandering(40)
    recorder.frames(np.arange(40) / 10, shares)
    text = report_on(recorder.write()).text
    for number, mean in enumerate(shares.astype(np.float64).mean(axis=0), 1):
        assert f'layer{number}#0 64 × 7 × 9 {mean:.1%} {number}' in text


def test_figures_of_the_node_are_the_last_ones(recorder):
    recorder.frames(THREE_SECONDS)
    others = {'frames_explained': '20', 'frames_dropped': '1', 'frames_rejected': '0'}
    for second, count in ((1, '10'), (2, '21')):
        figures = diagnostics(second, frames_in=count, last_error='step is <3> bytes', **others)
        recorder.add('/diagnostics', figures)
    text = report_on(recorder.write()).text
    assert '21 in, 20 explained, 1 dropped, 0 rejected' in text
    assert 'Last error step is <3> bytes' in text


def test_every_camera_has_its_own_part(recorder):
    for name, grey in (('front', 40), ('rear', 200)):
        topic = f'/{name}/smoe/contributions'
        recorder.frames(THREE_SECONDS, wandering(30, grey), topic, label=name)
        for second in THREE_SECONDS:
            recorder.add(f'/{name}/smoe/overlay', picture(second, grey))
        recorder.add('/diagnostics', diagnostics(2, f'/{name}/image_raw', frames_in=str(grey)))
    written = report_on(recorder.write())
    parts = re.split(r'<h2 id="camera\d">', written.page)
    assert [part.partition('</h2>')[0] for part in parts[1:]] == ['Camera /front', 'Camera /rear']
    for part, grey, other in zip(parts[1:], (40, 200), ('rear', 'front'), strict=True):
        assert f'>{other}<' not in part
        assert f'{grey} in' in part
        for tile in _tiles(part):
            assert tile.greys == [pytest.approx(grey, abs=2)]
    assert 'Cameras /front, /rear' in written.text
    assert 'Explained frames 60' in written.text


def test_change_of_network_gives_each_its_plot_and_its_means(recorder):
    seconds = np.arange(80) / 10
    recorder.frames(np.delete(seconds, slice(40, 60)))
    recorder.frames(seconds[40:60], [(0.9, 0.1)] * 20, backbone='vgg16', layers=('a', 'b'))
    written = report_on(recorder.write())
    assert 'Networks resnet18, vgg16' in written.text
    assert written.page.count('<figure') == 2
    assert breaks_of(written.page) == [1, 1, 1, 0, 0]
    assert 'resnet18, 60 frames' in written.text
    assert 'vgg16, 20 frames' in written.text
    assert 'a#0 64 × 7 × 9 90.0%' in written.text
    # No frame is unusual because the other network was before it.
    assert tiles(written.page)[0] == []


def test_change_of_scales_gives_each_its_plot(recorder):
    recorder.frames(THREE_SECONDS)
    recorder.frames(THREE_SECONDS + 3, [(0.9, 0.1)] * 30)
    written = report_on(recorder.write())
    assert written.page.count('<figure') == 2
    assert written.text.count('resnet18, 30 frames') == 4


def spans(band):
    return ((band.spans - START) * 1e-9 - AGE).round(3).tolist()


def test_classes_have_their_shares_and_times(recorder):
    labels = ['car'] * 20 + ['bus'] * 10 + ['car'] * 5 + ['tram'] * 5
    for index, label in enumerate(labels):
        recorder.frames([index / 10], label=label)
    car, bus = bands_of(recorder.camera(), 2)
    assert (car.label, car.share, bus.label, bus.share) == ('car', 25 / 40, 'bus', 10 / 40)
    assert spans(car) == [[0, 2], [3, 3.5]]
    assert spans(bus) == [[2, 3]]


@pytest.mark.parametrize(
    ('classes', 'words'),
    [(6, 'One more class has the other'), (8, '3 more classes share the other'), (5, '')],
)
def test_five_classes_are_shown_and_the_others_counted(recorder, classes, words):
    for index in range(16):
        recorder.frames([index / 10], label=f'class {index % classes}')
    written = report_on(recorder.write())
    assert written.page.count('class="band"') == 5
    assert words in written.text
    assert (' the other frames.' in written.text) == bool(words)


def test_class_does_not_last_through_a_gap(recorder):
    recorder.frames([0, 0.1, 0.2, 5.0, 5.1])
    (band,) = bands_of(recorder.camera(), 5)
    assert spans(band) == [[0, 0.3], [5, 5.2]]


def test_network_that_is_no_classifier(recorder):
    recorder.frames(THREE_SECONDS, label='')
    written = report_on(recorder.write())
    assert 'The network is no classifier' in written.text
    assert 'class="band"' not in written.page


# Pictures


def test_pictures_are_matched_by_stamp_and_lovi_is_shown_with_the_overlay(recorder):
    seconds = np.arange(100) / 10
    recorder.frames(seconds, wandering(100))
    for index, second in enumerate(seconds):
        # Late, so that only the stamp tells which frame it belongs to.
        recorder.add('/smoe/overlay', picture(second, 2 * index, 640), received=second + 0.55)
        recorder.add('/smoe/lovi', picture(second, 250 - 2 * index), received=second + 0.95)
    page = report_on(recorder.write()).page
    unusual, usual = tiles(page)
    assert len(unusual) == len(usual) == 6
    for tile in (*unusual, *usual):
        index = round(tile.seconds * 10)
        assert tile.greys == pytest.approx([2 * index, 250 - 2 * index], abs=1.5)
    assert max(picture.shape[1] for picture in pictures(page)) == 320
    assert page.count('class="pictures beside"') == 12


def test_compressed_overlay_is_read(recorder):
    recorder.frames(THREE_SECONDS, wandering(30))
    pixels = np.full((48, 64, 3), (0, 0, 240), np.uint8)  # red in BGR
    data = array('B', cv2.imencode('.jpg', pixels)[1].tobytes())
    for second in THREE_SECONDS:
        image = CompressedImage(
            header=header(second), format='rgb8; jpeg compressed bgr8', data=data
        )
        recorder.add('/smoe/overlay/compressed', image)
    shown = pictures(report_on(recorder.write()).page)
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
def test_without_overlay_the_next_best_picture_is_shown(recorder, recorded, shown):
    recorder.frames(THREE_SECONDS, wandering(30))
    for second in THREE_SECONDS:
        for name in recorded:
            topic = '/image_raw' if name == 'image_raw' else f'/smoe/{name}'
            recorder.add(topic, picture(second, 230 if name == shown else 20))
    written = report_on(recorder.write())
    for row in tiles(written.page):
        assert row
        assert all(tile.greys == [pytest.approx(230, abs=2)] for tile in row)
    assert written.said == []


def test_frame_whose_overlay_is_missing_has_another_picture(recorder):
    for index in range(50):
        recorder.frames([index / 10], [(0.7, 0.2, 0.1) if index == 30 else USUAL])
        recorder.add('/smoe/lovi', picture(index / 10, 230))
        if index != 30:
            recorder.add('/smoe/overlay', picture(index / 10, 20))
    unusual, _ = tiles(report_on(recorder.write()).page)
    assert unusual[0].greys == [pytest.approx(230, abs=2)]


def test_bag_without_pictures_says_what_to_record(recorder):
    recorder.frames(THREE_SECONDS, topic='/front/smoe/contributions')
    written = report_on(recorder.write())
    assert '<img' not in written.page
    assert "recording '/front/smoe/overlay/compressed'" in written.text
    assert 'no picture of this frame' in written.text
    assert len(written.said) == 1
    assert '/front/smoe/overlay/compressed' in written.said[0]
    assert written.code == 0


def test_picture_that_does_not_decode_is_said(recorder):
    recorder.frames(THREE_SECONDS)
    for second in THREE_SECONDS:
        broken = CompressedImage(header=header(second), format='jpeg', data=array('B', b'nothing'))
        recorder.add('/smoe/overlay/compressed', broken)
    written = report_on(recorder.write())
    assert 'no picture of this frame' in written.text
    assert ['/smoe/overlay/compressed' in sentence for sentence in written.said] == [True]


# What is wrong with a bag, or with where the page belongs


def test_bag_without_contributions_is_refused_by_its_topics(recorder, tmp_path):
    recorder.add('/front/image_raw', picture(0, 3))
    with pytest.raises(ConfigurationError, match='/front/image_raw') as refusal:
        report_on(recorder.write())
    assert 'ScaleContributions' in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert not (tmp_path / 'report.html').exists()


def test_file_that_is_no_bag_is_refused_with_what_it_is(tmp_path):
    (tmp_path / 'bag.mcap').write_text('text')
    with pytest.raises(ConfigurationError, match='is neither an MCAP'):
        report_on(tmp_path / 'bag.mcap')


def test_bag_whose_contributions_are_empty_is_refused(recorder):
    recorder.add('/image_raw', picture(0, 3))
    with BagWriter(recorder.path, message_types()) as writer:
        writer.add_topic(CONTRIBUTIONS, 'smoe_msgs/msg/ScaleContributions')
        writer.add_topic('/image_raw', 'sensor_msgs/msg/Image')
        topic, _, time, data = recorder.messages[0]
        writer.write(topic, time, data)
    with pytest.raises(ConfigurationError, match='/smoe/contributions has no message'):
        report_on(recorder.path)


def test_message_that_cannot_be_read_is_counted(recorder):
    recorder.frames(THREE_SECONDS)
    *where, data = recorder.messages[7]
    recorder.messages[7] = (*where, data[:30])
    written = report_on(recorder.write())
    (sentence,) = [said for said in written.said if 'deserialised' in said]
    assert sentence.endswith(': 1')
    assert sentence in written.text
    assert written.code == 3
    assert 'Explained frames 29' in written.text


def test_frame_whose_contributions_are_no_numbers_is_left_out(recorder):
    recorder.frames(THREE_SECONDS)
    recorder.frames([3, 3.1], [(np.nan, 0.3, 0.5), (0.2, np.inf, 0.5)])
    recorder.add(CONTRIBUTIONS, explanation(3.2, ()))
    written = report_on(recorder.write())
    assert 'Explained frames 30' in written.text
    assert any('without finite contributions: 3' in said for said in written.said)


def test_damaged_bag_is_reported_with_its_flaws(recorder):
    # Of several chunks, so that half of the file holds some.
    for index in range(60):
        recorder.frames([index / 10])
        recorder.add('/smoe/overlay', picture(index / 10, 90, 1920))
    (file,) = recorder.write().glob('*.mcap')
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    written = report_on(recorder.path)
    assert written.code == 3
    assert written.said
    box = re.search(r'<div class="flaws".*?</div>', written.page, re.DOTALL)
    assert box is not None
    for sentence in written.said:
        assert sentence in html.unescape(box[0])
    (frames,) = re.findall(r'Explained frames (\d+)', written.text)
    assert 20 <= int(frames) <= 32


@pytest.mark.parametrize('name', ['nowhere/report.html', ''])
def test_output_that_cannot_be_is_refused_before_the_bag_is_read(tmp_path, name):
    with pytest.raises(ConfigurationError, match=str(tmp_path / name)):
        write_report(Path('/no/bag'), tmp_path / name, print)
    assert list(tmp_path.iterdir()) == []


def test_failed_writing_leaves_the_old_report(recorder, tmp_path, monkeypatch):
    output = tmp_path / 'report.html'
    output.write_text('old')
    recorder.frames([0, 0.1])
    bag = recorder.write()

    def full(path, text, **options):
        path.write_bytes(text.encode()[:1000])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_text', full)
    with pytest.raises(ConfigurationError, match='No space left on device'):
        report_on(bag)
    assert {entry.name for entry in tmp_path.iterdir()} == {'street', 'report.html'}
    assert output.read_text() == 'old'
