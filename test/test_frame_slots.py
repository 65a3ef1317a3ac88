# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The slots in which frames wait: newest wins, nobody starves, nobody waits for ever."""

import queue
import threading
import time

import pytest

from smoe_ros.node.frame_slots import FrameSlots


def test_the_newest_frame_of_each_camera_is_taken_once_and_what_it_replaced_is_reported():
    slots = FrameSlots()
    assert [slots.put(*put) for put in ((0, 'a'), (0, 'b'), (1, 'c'))] == [False, True, False]
    assert slots.take() == {0: 'b', 1: 'c'}
    assert slots.put(0, 'd') is False
    assert slots.take() == {0: 'd'}
    assert slots.close() == []


@pytest.mark.parametrize(
    ('takers', 'wake', 'taken'),
    [(1, lambda slots: slots.put(3, 'frame'), {3: 'frame'}), (2, FrameSlots.close, {})],
    ids=['a frame', 'the close'],
)
def test_take_waits_for_a_frame_or_the_close(takers, wake, taken):
    slots, results = FrameSlots(), queue.Queue()
    for _ in range(takers):
        threading.Thread(target=lambda: results.put(slots.take()), daemon=True).start()
    with pytest.raises(queue.Empty):
        results.get(timeout=0.1)
    wake(slots)
    assert [results.get(timeout=20) for _ in range(takers)] == [taken] * takers


def test_close_reports_the_cameras_whose_frame_was_left_and_take_gives_no_more():
    slots = FrameSlots()
    slots.put(2, 'left')
    slots.put(0, 'left')
    assert sorted(slots.close()) == [0, 2]
    assert slots.take() == {}
    assert slots.close() == []


def test_no_frame_is_lost_or_taken_twice_under_load():
    """Two cameras at full speed: each frame is either taken, replaced, or left at the end."""
    slots, count = FrameSlots(), 5000
    taken, replaced = {0: [], 1: []}, {0: 0, 1: 0}

    def camera(index):
        for frame in range(count):
            replaced[index] += slots.put(index, frame)
            if frame % 100 == 0:
                time.sleep(0)  # let the others run

    def work():
        while frames := slots.take():
            for index, frame in frames.items():
                taken[index].append(frame)

    worker = threading.Thread(target=work, daemon=True)
    cameras = [threading.Thread(target=camera, args=(index,), daemon=True) for index in (0, 1)]
    for thread in (worker, *cameras):
        thread.start()
    for thread in cameras:
        thread.join(30)
    left = slots.close()
    worker.join(30)
    assert not any(thread.is_alive() for thread in (worker, *cameras))
    for index in (0, 1):
        assert len(taken[index]) + replaced[index] + left.count(index) == count
        assert taken[index] == sorted(set(taken[index]))
        assert (count - 1 in taken[index]) != (index in left)
