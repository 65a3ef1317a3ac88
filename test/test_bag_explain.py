# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_bag explain: what comes out, what is refused, what damage costs."""

from array import array

import pytest

pytest.importorskip('rclpy')

import small_networks
from bags_of_frames import (
    COMPRESSED,
    DELAY,
    RAW,
    message_at,
    messages_of,
    record,
    stamp_at,
    storage_of,
    write_bag,
)
from rclpy.serialization import deserialize_message, serialize_message
from ros_peers import image_of, small, stamp_of
from rosbags.highlevel import AnyReader
from scripted_network import __file__ as SCRIPTED
from sensor_msgs.msg import CompressedImage, Image

from smoe_msgs.msg import ScaleContributions
from smoe_ros.offline.smoe_bag import main

one_thread = small_networks.one_thread

NETWORK = ['--backbone', f'{SCRIPTED}:build', '--short-side', '64']
SMALL = [*NETWORK, '--outputs', 'contributions,saliency']


@pytest.fixture
def explain(tmp_path, capfd):
    """Give a function that explains a bag, and returns exit code, lines and the new bag."""

    def run(bag, *options, output='out'):
        code = main(['explain', str(bag), str(tmp_path / output), *options])
        lines = capfd.readouterr().err.strip().splitlines()
        return code, lines, tmp_path / output

    return run


def contributions_of(bag, topic='/smoe/contributions'):
    return [
        deserialize_message(message.data, ScaleContributions)
        for message in messages_of(bag, topic)
    ]


# What comes out


@pytest.mark.parametrize(('storage', 'compressed'), [('mcap', False), ('sqlite3', True)])
def test_every_image_is_explained_in_order_with_its_stamp_and_time(
    tmp_path, explain, storage, compressed
):
    topic = '/front/image_raw' + ('/compressed' if compressed else '')
    bag = write_bag(tmp_path / 'in', cameras={topic: compressed}, storage=storage)
    code, lines, out = explain(bag, *SMALL)
    assert code == 0
    assert lines == [f"smoe_bag: explained 8 frames; written to '{out}'"]
    for name in ('contributions', 'saliency'):
        written = messages_of(out, f'/front/smoe/{name}')
        assert [message.time for message in written] == [stamp_at(i) + DELAY for i in range(8)]
    headers = [message.header for message in contributions_of(out, '/front/smoe/contributions')]
    stamps = [header.stamp.sec * 10**9 + header.stamp.nanosec for header in headers]
    assert stamps == [stamp_at(index) for index in range(8)]
    assert {header.frame_id for header in headers} == {'front'}


def test_all_outputs_are_written_if_asked_for(tmp_path, explain):
    from smoe_ros.messages.outputs import OUTPUT_TYPES

    bag = write_bag(tmp_path / 'in', count=2)
    code, _, out = explain(bag, *NETWORK, '--outputs', ','.join(OUTPUT_TYPES))
    assert code == 0
    with AnyReader([out]) as reader:  # by the definitions inside it alone
        counts = {connection.topic: connection.msgcount for connection in reader.connections}
        for connection, _, data in reader.messages():
            assert reader.deserialize(data, connection.msgtype).header.frame_id == 'front'
    assert counts == {f'/smoe/{name}': 2 for name in OUTPUT_TYPES}


@pytest.mark.parametrize('size', [3, 50])
def test_batches_change_nothing_but_the_last_digits(tmp_path, explain, size):
    bag = write_bag(tmp_path / 'in')
    *_, alone = explain(bag, *SMALL, output='alone')
    *_, together = explain(bag, *SMALL, '--batch', str(size))
    for one, other in zip(contributions_of(alone), contributions_of(together), strict=True):
        assert stamp_of(one) == stamp_of(other)
        for mine, others in zip(one.scales, other.scales, strict=True):
            assert mine.contribution == pytest.approx(others.contribution, abs=1e-5)


def test_cameras_of_different_sizes_are_explained_each_beside_itself(tmp_path, explain):
    heights = {'left': 48, 'right': 64}
    bag = record(
        tmp_path / 'in',
        [
            (f'/{name}/image_raw', RAW, stamp_at(index), message_at(index, small(index, height)))
            for index in range(4)
            for name, height in heights.items()
        ],
    )
    code, _, out = explain(bag, *NETWORK, '--outputs', 'overlay', '--batch', '3')
    assert code == 0
    for name, height in heights.items():
        written = messages_of(out, f'/{name}/smoe/overlay')
        sizes = {deserialize_message(message.data, Image).height for message in written}
        assert (len(written), sizes) == (4, {height})


# Which frames


@pytest.mark.parametrize(
    ('options', 'frames'),
    [
        (['--end', '0.1'], [0, 1]),
        (['--start', '0.05', '--end', '0.2'], [1, 2, 3]),
        (['--every', '3'], [0, 3, 6]),
        (['--every', '2', '--start', '0.05'], [1, 3, 5, 7]),
        (['--every', '2', '--batch', '3'], [0, 2, 4, 6]),
        (['--start', '0.35'], [7]),
    ],
)
def test_frames_are_chosen_by_time_and_number(tmp_path, explain, options, frames):
    *_, out = explain(write_bag(tmp_path / 'in'), *SMALL, *options)
    times = [message.time for message in messages_of(out, '/smoe/contributions')]
    assert times == [stamp_at(index) + DELAY for index in frames]


def test_of_a_camera_recorded_twice_the_raw_images_are_explained(tmp_path, explain):
    cameras = {'/image_raw/compressed': True, '/image_raw': False}
    code, _, out = explain(write_bag(tmp_path / 'in', cameras=cameras), *SMALL, '--copy')
    assert code == 0
    assert len(messages_of(out, '/smoe/contributions')) == 8
    assert len(messages_of(out, '/image_raw/compressed')) == 8


def test_explanations_are_not_explained_again_nor_copied(tmp_path, explain):
    *_, first = explain(
        write_bag(tmp_path / 'in'),
        *NETWORK,
        '--outputs',
        'lovi,contributions,overlay/compressed',
        '--copy',
        output='first',
    )
    code, _, second = explain(first, *SMALL, '--copy')
    assert code == 0
    topics = {message.topic for message in messages_of(second)}
    assert topics == {'/image_raw', '/talk', '/smoe/contributions', '/smoe/saliency'}


def test_copies_are_the_bytes_that_were_recorded(tmp_path, explain):
    bag = write_bag(tmp_path / 'in')
    *_, out = explain(bag, *SMALL, '--copy')
    for topic in ('/image_raw', '/talk'):
        assert messages_of(out, topic) == messages_of(bag, topic)
    *_, chosen = explain(bag, *SMALL, '--copy', '/talk', output='chosen')
    assert messages_of(chosen, '/talk') == messages_of(bag, '/talk')
    assert not messages_of(chosen, '/image_raw')


def test_class_and_alpha_reach_the_pictures(tmp_path, explain):
    bag, seen = write_bag(tmp_path / 'in', count=1), set()
    for options in ([], ['--alpha', '0.9'], ['--cam', 'grad_cam', '--class', '1']):
        *_, out = explain(bag, *NETWORK, '--outputs', 'overlay', *options, output=f'{len(seen)}')
        seen.add(messages_of(out)[0].data)
    assert len(seen) == 3


# What is refused


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--topics', '/nowhere'], ["no topic '/nowhere'", '/image_raw']),
        (['--topics', '/talk'], ['std_msgs/msg/String', 'not images']),
        (['--outputs', 'lovy'], ["'lovy'", 'lovi']),
        (['--copy', '/image_ra'], ["'/image_ra'", '/image_raw']),
        (['--backbone', 'resnet5'], ['resnet50']),
        (['--start', '60'], ['--start 60', 'its end']),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_and_leaves_nothing(
    tmp_path, explain, options, words
):
    bag = write_bag(tmp_path / 'in', count=1)
    code, lines, out = explain(bag, *NETWORK, *options)
    assert code == 1
    assert len(lines) == 1
    assert all(word in lines[0] for word in words), lines
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == ['in']


@pytest.mark.parametrize(
    ('options', 'word'),
    [(['--end', '1', '--start', '2'], 'not after'), (['--class', '3'], '--cam')],
)
def test_options_that_do_not_go_together_end_with_2(tmp_path, explain, capfd, options, word):
    with pytest.raises(SystemExit) as ended:
        explain(tmp_path, *options)
    assert ended.value.code == 2
    assert word in capfd.readouterr().err


def test_two_cameras_in_one_namespace_are_refused_unless_chosen_topics_say_where(
    tmp_path, explain
):
    names = ('/c/image_raw', '/c/image_rect', '/d/image_raw')
    bag = write_bag(tmp_path / 'in', cameras=dict.fromkeys(names, False))
    code, (line,), _ = explain(bag, *SMALL)
    assert code == 1
    assert all(word in line for word in ('/c/image_raw', '/c/image_rect', '--topics'))
    code, _, out = explain(bag, *SMALL, '--topics', '/c/image_raw,/c/image_rect=/c/rect')
    assert code == 0
    topics = {message.topic for message in messages_of(out)}
    assert topics == {
        *('/c/smoe/contributions', '/c/smoe/saliency'),
        *('/c/rect/contributions', '/c/rect/saliency'),
    }


@pytest.mark.parametrize(
    ('cameras', 'count', 'words'),
    [({}, 3, 'no image topic'), ({'/image_raw': False}, 0, 'holds no messages')],
)
def test_a_bag_without_images_is_refused_in_one_line(tmp_path, explain, cameras, count, words):
    code, lines, out = explain(write_bag(tmp_path / 'in', count, cameras), *SMALL)
    assert code == 1
    assert len(lines) == 1
    assert words in lines[0]
    assert not out.exists()


def test_an_output_that_exists_is_left_alone(tmp_path, explain):
    bag = write_bag(tmp_path / 'in')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'precious').touch()
    code, lines, out = explain(bag, *SMALL)
    assert code == 1
    assert 'exists already' in lines[0]
    assert [path.name for path in out.iterdir()] == ['precious']


# Damage


def test_of_a_bag_that_is_cut_off_what_can_be_read_is_explained(tmp_path, explain):
    bag = write_bag(tmp_path / 'in', count=12, size=(480, 640))
    file = storage_of(bag)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    code, lines, out = explain(bag, *SMALL)
    assert code == 3
    assert any('cut off' in line for line in lines)
    readable = len(messages_of(bag, '/image_raw'))
    assert 3 <= readable <= 7
    assert len(messages_of(out, '/smoe/contributions')) == readable
    assert f'explained {readable} frames' in lines[-1]


def test_images_that_cannot_be_explained_cost_only_themselves(tmp_path, explain):
    strange, short = image_of(small()), image_of(small())
    strange.encoding = 'rgb48'
    short.data = array('B', bytes(100))
    broken = CompressedImage(format='jpeg', data=array('B', b'\xff\xd8\xff broken'))
    raw = [message_at(0, small()), *map(serialize_message, (strange, short)), b'']
    packed = [serialize_message(broken), message_at(0, small(), compressed=True)]
    messages = [('/a/image_raw', RAW, data) for data in (*raw, message_at(1, small()))]
    messages += [('/b/image_raw/compressed', COMPRESSED, data) for data in packed]
    bag = record(
        tmp_path / 'in',
        [(topic, kind, stamp_at(i), data) for i, (topic, kind, data) in enumerate(messages)],
    )
    code, lines, out = explain(bag, *SMALL, '--batch', '2')
    assert code == 3
    assert len(messages_of(out, '/a/smoe/contributions')) == 2
    assert len(messages_of(out, '/b/smoe/contributions')) == 1
    assert 'explained 3 frames, 4 could not be' in lines[-1]
    for word in ('rgb48', 'truncated', 'cannot be read', '/b/image_raw/compressed'):
        assert sum(word in line for line in lines) == 1, word


def test_a_thousand_bad_images_are_not_a_thousand_lines(tmp_path, explain):
    bad = serialize_message(Image())
    bag = record(tmp_path / 'in', [('/image_raw', RAW, stamp_at(i), bad) for i in range(1000)])
    code, lines, _ = explain(bag, *SMALL)
    assert code == 3
    assert len(lines) < 10
    assert '1000 could not be' in lines[-1]


def test_a_copy_that_nobody_could_read_is_left_out_and_told(tmp_path, explain):
    import sqlite3

    bag = write_bag(tmp_path / 'in', storage='sqlite3')
    with sqlite3.connect(storage_of(bag)) as database:
        database.execute('DROP TABLE message_definitions')
        database.execute("UPDATE topics SET type = 'their_msgs/msg/Secret' WHERE name = '/talk'")
    code, lines, out = explain(bag, *SMALL, '--copy')
    assert code == 3
    assert any("'/talk' is not copied" in line for line in lines)
    assert len(messages_of(out, '/image_raw')) == 8
    assert not messages_of(out, '/talk')
