# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags are read whatever their version and storage, as far as they are sound; ours are sound."""

import dataclasses
import json
import random
import sqlite3
from pathlib import Path

import pytest
import yaml

pytest.importorskip('rclpy')

import zstandard
from ament_index_python.packages import get_package_share_directory
from bags_of_frames import messages_of, record, storage_of, write_bag
from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader

from smoe_msgs.msg import ScaleContribution, ScaleContributions
from smoe_ros.bags import BagWriter, Recording, typestore
from smoe_ros.errors import ConfigurationError

STORAGES = ('mcap', 'sqlite3')
# Two frames fill a chunk of an MCAP file.
LARGE = (480, 640)


def with_metadata(bag, change):
    """Change what metadata.yaml says of a bag."""
    path = bag / 'metadata.yaml'
    content = yaml.safe_load(path.read_text())
    change(content['rosbag2_bagfile_information'])
    path.write_text(yaml.safe_dump(content))
    return bag


def flaws_after_reading(bag):
    with Recording(bag) as recording:
        count = sum(1 for _ in recording.messages())
        return recording.flaws, count


def as_of_version(bag, version):
    """Turn a bag into one of an older version, as far as a reader sees it."""

    def older(content):
        content['version'] = version
        for key, since in (('files', 5), ('custom_data', 6), ('ros_distro', 8)):
            if version < since:
                del content[key]
        for topic in content['topics_with_message_count']:
            if version < 9:
                topic['topic_metadata']['offered_qos_profiles'] = ''
            if version < 7:
                del topic['topic_metadata']['type_description_hash']
        if version == 4:
            name = content['relative_file_paths'][0]
            content['relative_file_paths'] = [f'{bag.name}/{name}']

    with_metadata(bag, older)
    file = storage_of(bag)
    if file.suffix == '.db3' and version < 8:
        with sqlite3.connect(file) as database:
            database.execute('DROP TABLE message_definitions')
            if version < 7:
                database.execute('ALTER TABLE topics DROP COLUMN type_description_hash')
    return bag


# Sound bags


@pytest.mark.parametrize('storage', STORAGES)
def test_messages_are_those_that_rosbags_reads(tmp_path, storage):
    bag = write_bag(
        tmp_path / 'bag',
        cameras={'/a/image_raw': False, '/b/image/compressed': True},
        storage=storage,
    )
    with AnyReader([bag]) as reader:
        expected = [(c.topic, time, bytes(data)) for c, time, data in reader.messages()]
    assert [tuple(message) for message in messages_of(bag)] == expected
    assert len(expected) == 24


@pytest.mark.parametrize('version', range(4, 10))
@pytest.mark.parametrize('storage', STORAGES)
def test_every_version_is_read_without_a_word(tmp_path, storage, version):
    bag = as_of_version(write_bag(tmp_path / 'bag', storage=storage), version)
    with Recording(bag) as recording:
        topics = {topic.name: (topic.type, topic.count) for topic in recording.topics.values()}
        assert len(list(recording.messages())) == 16
        assert recording.flaws == ()
    assert topics == {
        '/image_raw': ('sensor_msgs/msg/Image', 8),
        '/talk': ('std_msgs/msg/String', 8),
    }


@pytest.mark.parametrize('storage', STORAGES)
def test_one_file_of_a_bag_is_read_without_its_folder(tmp_path, storage):
    bag = write_bag(tmp_path / 'bag', storage=storage)
    assert messages_of(storage_of(bag)) == messages_of(bag)


@pytest.mark.parametrize('storage', STORAGES)
def test_topics_and_times_choose_messages(tmp_path, storage):
    bag = write_bag(tmp_path / 'bag', storage=storage)
    times = [message.time for message in messages_of(bag, '/talk')]
    with Recording(bag) as recording:
        chosen = list(recording.messages(['/talk'], start=times[2], end=times[5]))
        assert (recording.start, recording.end) == (times[0] - 1, times[-1])
    assert [message.time for message in chosen] == times[2:5]
    assert {message.topic for message in chosen} == {'/talk'}


@pytest.mark.parametrize('mode', ['FILE', 'MESSAGE'])
def test_compressed_bags_are_read(tmp_path, mode):
    bag = write_bag(tmp_path / 'bag', storage='sqlite3')
    expected = messages_of(bag)
    file = storage_of(bag)
    compress = zstandard.ZstdCompressor().compress
    if mode == 'FILE':
        compressed = file.with_suffix(f'{file.suffix}.zstd')
        compressed.write_bytes(compress(file.read_bytes()))
        file.unlink()
        file = compressed
    else:
        with sqlite3.connect(file) as database:
            rows = database.execute('SELECT id, data FROM messages').fetchall()
            database.executemany(
                'UPDATE messages SET data = ? WHERE id = ?',
                [(compress(data), number) for number, data in rows],
            )
    with_metadata(
        bag,
        lambda content: content.update(
            compression_mode=mode, compression_format='zstd', relative_file_paths=[file.name]
        ),
    )
    assert messages_of(bag) == expected


def test_files_of_a_split_bag_follow_each_other(tmp_path):
    bag = write_bag(tmp_path / 'bag')
    other = write_bag(tmp_path / 'other', count=3)
    storage_of(bag).rename(bag / 'bag_9.mcap')
    storage_of(other).rename(bag / 'bag_10.mcap')
    names = ['bag_9.mcap', 'bag_10.mcap']
    with_metadata(bag, lambda content: content.update(relative_file_paths=names))
    assert [message.topic for message in messages_of(bag, '/talk')] == ['/talk'] * 11
    listed = messages_of(bag)
    (bag / 'metadata.yaml').unlink()
    assert messages_of(bag) == listed


# Damaged bags


@pytest.mark.parametrize('share', [0.1, 0.3, 0.5, 0.77, 0.98, 0.9999])
@pytest.mark.parametrize('storage', STORAGES)
def test_of_a_bag_that_is_cut_off_the_beginning_is_read(tmp_path, storage, share):
    bag = write_bag(tmp_path / 'bag', count=12, storage=storage, size=LARGE)
    whole, file = messages_of(bag), storage_of(bag)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with Recording(bag) as recording:
        read = list(recording.messages())
        assert len(recording.flaws) >= 1
        assert all(file.name in flaw for flaw in recording.flaws)
    wrong = [mine for mine, other in zip(read, whole, strict=False) if mine != other]
    # SQLite takes the missing rest of a page for zeros.
    assert len(wrong) <= (storage == 'sqlite3')
    # MCAP: all but the chunk that is cut. SQLite keeps the way to a row some megabytes behind it.
    lost = 5 if storage == 'mcap' else 10
    assert len(read) >= int(share * len(whole)) - lost


def test_a_wrong_checksum_costs_its_chunk_only_and_is_told(tmp_path):
    bag = tmp_path / 'bag'
    source = write_bag(tmp_path / 'source', count=12, size=LARGE)
    copy_with_checksums(source, bag)
    whole, file = messages_of(bag), storage_of(bag)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with Recording(bag) as recording:
        read = list(recording.messages())
        (flaw,) = recording.flaws
    assert 'checksum is wrong' in flaw
    lost = [message for message in whole if message not in read]
    assert 1 <= len(lost) <= 5
    assert lost == whole[whole.index(lost[0]) :][: len(lost)]


def test_without_metadata_the_files_speak_for_themselves(tmp_path):
    bag = write_bag(tmp_path / 'bag')
    whole = messages_of(bag)
    for broken in (None, '', 'rosbag2_bagfile_information: 7', '}{', '\x00\x01'):
        (bag / 'metadata.yaml').unlink(missing_ok=True)
        if broken is not None:
            (bag / 'metadata.yaml').write_text(broken)
        assert messages_of(bag) == whole
        flaws, _ = flaws_after_reading(bag)
        assert 'no readable metadata.yaml' in flaws[0]


@pytest.mark.parametrize(
    ('content', 'words'),
    [(b'', 'is empty'), (b'no bag at all, but text', 'neither an MCAP nor an SQLite file')],
)
def test_a_file_that_is_no_storage_is_named(tmp_path, content, words):
    bag = write_bag(tmp_path / 'bag')
    storage_of(bag).write_bytes(content)
    flaws, count = flaws_after_reading(bag)
    assert words in flaws[0]
    assert count == 0


def test_a_missing_file_of_a_split_bag_is_named_and_the_others_are_read(tmp_path):
    bag = write_bag(tmp_path / 'bag')
    names = [storage_of(bag).name, 'gone.mcap']
    with_metadata(bag, lambda content: content.update(relative_file_paths=names))
    flaws, count = flaws_after_reading(bag)
    assert 'gone.mcap' in flaws[0]
    assert count == 16


@pytest.mark.parametrize('made', ['nothing', 'folder'])
def test_what_is_no_bag_is_refused(tmp_path, made):
    path = tmp_path / 'bag'
    if made == 'folder':
        path.mkdir()
    with pytest.raises(ConfigurationError, match='no bag'):
        Recording(path)


@pytest.mark.parametrize('damage', range(12))
def test_random_damage_never_stops_the_reading(tmp_path, damage):
    chance = random.Random(damage)
    bag = write_bag(tmp_path / 'bag', count=6, size=(240, 320), storage=STORAGES[damage % 2])
    file = storage_of(bag)
    content = bytearray(file.read_bytes())
    for _ in range(20):
        content[chance.randrange(len(content))] = chance.randrange(256)
    file.write_bytes(content)
    _, count = flaws_after_reading(bag)
    assert count <= 12


# Bags that we write


def copy_with_checksums(source, target):
    """Write a bag anew by our writer."""
    with Recording(source) as recording, BagWriter(target, typestore()) as writer:
        for topic in recording.topics.values():
            writer.copy_topic(topic)
        for message in recording.messages():
            writer.write(*message)


def test_what_we_write_passes_the_checks_of_mcap(tmp_path):
    copy_with_checksums(write_bag(tmp_path / 'source', size=LARGE), tmp_path / 'bag')
    file = storage_of(tmp_path / 'bag')
    with file.open('rb') as stream:
        records = StreamReader(stream, validate_crcs=True).records
        assert sum(isinstance(record, Message) for record in records) == 16
        stream.seek(0)
        summary = make_reader(stream, validate_crcs=True).get_summary()
    assert summary.statistics.message_count == 16
    assert summary.statistics.chunk_count > 2


def test_what_we_write_is_read_by_what_is_inside_it_and_typed_as_ros_does(tmp_path):
    kind = 'smoe_msgs/msg/ScaleContributions'
    message = ScaleContributions(backbone='network', class_id=3)
    message.scales = [ScaleContribution(layer='relu', contribution=0.25, width=7)]
    written = ('/smoe/contributions', kind, 10**18, serialize_message(message))
    bag = record(tmp_path / 'bag', [written])
    with AnyReader([bag]) as reader:
        ((connection, time, data),) = reader.messages()
        read = reader.deserialize(data, kind)
    assert (connection.topic, connection.msgtype, time) == written[:3]
    assert (read.backbone, read.class_id) == ('network', 3)
    (scale,) = read.scales
    assert (scale.layer, scale.contribution, scale.width) == ('relu', 0.25, 7)
    generated = Path(get_package_share_directory('smoe_msgs'), 'msg', 'ScaleContributions.json')
    hashes = json.loads(generated.read_text())['type_hashes']
    assert {'type_name': kind, 'hash_string': connection.digest} in hashes
    # The format of Jazzy.
    content = yaml.safe_load((bag / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    found = [content[key] for key in ('version', 'storage_identifier', 'message_count')]
    assert found == [9, 'mcap', 1]


def test_a_copied_topic_keeps_type_definition_and_qos(tmp_path):
    source = write_bag(tmp_path / 'source')
    qos = '- history: keep_last\n  depth: 1\n  reliability: reliable\n'
    qos += '  durability: transient_local\n'
    qos += ''.join(
        f'  {name}:\n    sec: 9223372036\n    nsec: 854775807\n'
        for name in ('deadline', 'lifespan', 'liveliness_lease_duration')
    )
    qos += '  liveliness: automatic\n  avoid_ros_namespace_conventions: false\n'
    with Recording(source) as recording, BagWriter(tmp_path / 'bag', typestore()) as writer:
        topic = dataclasses.replace(recording.topics['/talk'], qos=qos)
        writer.copy_topic(topic)
        for message in recording.messages(['/talk']):
            writer.write(*message)
    with AnyReader([tmp_path / 'bag']) as reader:
        (connection,) = reader.connections
        assert connection.ext.offered_qos_profiles[0].durability.name == 'TRANSIENT_LOCAL'
        _, _, data = next(reader.messages())
        assert reader.deserialize(data, connection.msgtype).data == 'said 0'
