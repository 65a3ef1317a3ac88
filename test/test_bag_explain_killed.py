# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_bag explain is killed, and goes on."""

import itertools
import json
import random
import time
from dataclasses import asdict

import pytest

pytest.importorskip('rclpy')

from bags_of_frames import messages_of, write_bag
from forked_nodes import BAG, Forked
from scripted_network import __file__ as SCRIPTED

from smoe_ros.commands.line_log import LineLog
from smoe_ros.offline.smoe_bag import main
from smoe_ros.offline.unfinished import Place, UnfinishedBag

FRAMES = 60
# The overview shows the past, which a run that goes on must know.
OPTIONS = [
    *('--backbone', f'{SCRIPTED}:build', '--short-side', '64', '--copy'),
    *('--outputs', 'contributions,overlay,overview/compressed'),
]


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp('killed') / 'in', FRAMES, size=(240, 320))


@pytest.fixture(scope='module')
def uninterrupted(bag):
    """Return the messages of a run that nothing disturbed."""
    out = bag.parent / 'uninterrupted'
    assert main(['explain', str(bag), str(out), *OPTIONS]) == 0
    return messages_of(out)


def forked(bag, out, folder, *options):
    return Forked([BAG, 'explain', str(bag), str(out), *OPTIONS, *options], folder, {})


def places_of(out):
    """Return how many lines the journal of a run has."""
    journal = out.with_name(f'{out.name}.partial') / 'progress.jsonl'
    return len(journal.read_text().splitlines()) if journal.exists() else 0


def wait_for_places(places, out, process):
    """Wait until the journal of a run has so many lines, or the run ends."""
    deadline = time.monotonic() + 60
    while process.returncode is None and places_of(out) < places:
        assert time.monotonic() < deadline, process.report()
        time.sleep(0.002)


def test_killed_at_ten_moments_there_is_nothing_or_all_and_the_end_is_the_same(
    bag, uninterrupted, tmp_path
):
    out, chance, killed = tmp_path / 'out', random.Random(6), []
    for attempt in range(10):
        process = forked(bag, out, tmp_path / str(attempt), '--resume')
        # From before the network is loaded to after the last frame.
        wait_for_places(places_of(out) + chance.randrange(0, 7), out, process)
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(9)
        process.wait(10)
        killed.append(places_of(out))
        if out.exists():
            break
    # Some were killed while they got further; how many depends on the machine's speed.
    assert sum(later > earlier for earlier, later in itertools.pairwise(killed)) > 4
    if not out.exists():
        assert main(['explain', str(bag), str(out), *OPTIONS, '--resume']) == 0
    assert messages_of(out) == uninterrupted
    assert not out.with_name('out.partial').exists()


def test_killed_before_the_end_nothing_has_the_final_name_and_work_and_averages_are_not_lost(
    bag, uninterrupted, tmp_path, capfd
):
    whole, out, smooth = tmp_path / 'whole', tmp_path / 'out', ['--smoothing-time', '2']
    assert main(['explain', str(bag), str(whole), *OPTIONS, *smooth]) == 0
    process = forked(bag, out, tmp_path / 'process', *smooth)
    wait_for_places(40, out, process)
    assert process.returncode is None, process.report()
    process.send_signal(9)
    process.wait(10)
    assert not out.exists()
    capfd.readouterr()
    assert main(['explain', str(bag), str(out), *OPTIONS, *smooth]) == 1
    assert '--resume' in capfd.readouterr().err
    assert main(['explain', str(bag), str(out), *OPTIONS, *smooth, '--resume']) == 0
    lines = capfd.readouterr().err.splitlines()
    assert int(lines[0].split('after ')[1].split()[0]) > 20
    assert f'explained {FRAMES} frames' in lines[-1]
    assert messages_of(out) == messages_of(whole) != uninterrupted


def test_an_interrupt_says_how_to_go_on(bag, tmp_path):
    out = tmp_path / 'out'
    process = forked(bag, out, tmp_path / 'process')
    wait_for_places(3, out, process)
    process.send_signal(2)
    assert process.wait(20) == 130, process.report()
    assert 'stopped; --resume goes on' in process.stderr
    assert 'Traceback' not in process.stderr
    assert not out.exists()


def test_another_task_is_not_gone_on_with(bag, tmp_path, capfd):
    out = tmp_path / 'out'
    unfinished = UnfinishedBag(out, resume=False)
    unfinished.begin()
    unfinished.journal.write_text(json.dumps({'every': 5}) + '\n')
    assert main(['explain', str(bag), str(out), *OPTIONS, '--resume']) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert 'every 5' in line
    assert 'every 1' in line


# The journal


@pytest.fixture
def journal(tmp_path):
    """Give a function that writes places into the journal, and returns what it held before."""

    def opened(*places):
        with LineLog(tmp_path / 'journal', {'task': 'a'}) as log:
            for place in places:
                log.add(asdict(place))
            return log.entries

    return opened


def test_the_journal_knows_the_last_place_that_was_written_whole(journal):
    journal(*(Place(*one) for one in ((3, 6), (5, 10), (9, 10), (12, 18))))
    entries = journal()
    assert Place.latest(entries, 100) == Place(12, 18)
    assert Place.latest(entries, 17) == Place(9, 10)
    assert Place.latest(entries, 9) == Place(3, 6)
    assert Place.latest(entries, 0) == Place()


@pytest.mark.parametrize('cut', [1, 2, 20, 70])
def test_a_line_that_was_cut_off_does_not_spoil_the_journal(journal, tmp_path, cut):
    journal(Place(3, 6), Place(5, 10))
    path = tmp_path / 'journal'
    path.write_bytes(path.read_bytes()[:-cut])
    found = Place.latest(journal(Place(7, 14)), 100)
    assert found == (Place(5, 10) if cut == 1 else Place(3, 6) if cut < 70 else Place())
    assert Place.latest(journal(), 100) == Place(7, 14)


def test_a_journal_whose_first_line_was_cut_off_begins_anew(journal, tmp_path):
    (tmp_path / 'journal').write_text('{"tas')
    assert journal(Place(1, 2)) == []
    assert Place.latest(journal(), 2) == Place(1, 2)
