# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The slots in which frames wait: newest wins, nobody starves, nobody waits for ever."""

import threading
import time

from smoe_ros.node.frame_slots import FrameSlots


class Taker:
    """Takes once, in a thread of its own."""

    def __init__(self, slots):
        self.result = None
        self._thread = threading.Thread(target=self._take, args=(slots,), daemon=True)
        self._thread.start()

    def _take(self, slots):
        self.result = slots.take()

    def wait(self, seconds=20):
        """Return what was taken, None if it takes longer."""
        self._thread.join(seconds)
        return self.result


def test_the_newest_frame_of_a_camera_wins():
    slots = FrameSlots()
    for frame in ('old', 'older', 'newest'):
        slots.put(0, frame)
    assert slots.take() == {0: 'newest'}


def test_a_frame_that_nobody_took_is_reported_as_replaced():
    slots = FrameSlots()
    assert slots.put(0, 'a') is False
    assert slots.put(0, 'b') is True
    assert slots.put(1, 'c') is False
    slots.take()
    assert slots.put(0, 'd') is False


def test_every_waiting_camera_is_taken_at_once_and_only_once():
    slots = FrameSlots()
    for camera in (2, 0, 1):
        slots.put(camera, f'frame of {camera}')
    assert slots.take() == {0: 'frame of 0', 1: 'frame of 1', 2: 'frame of 2'}
    assert slots.close() == []


def test_a_slow_camera_is_taken_along_however_fast_another_one_is():
    slots = FrameSlots()
    slots.put(1, 'slow')
    for index in range(100):
        slots.put(0, index)
    assert slots.take() == {0: 99, 1: 'slow'}
    for index in range(100):
        slots.put(0, index)
    slots.put(1, 'slow again')
    assert slots.take() == {0: 99, 1: 'slow again'}


def test_take_waits_for_a_frame_and_wakes_up_for_it():
    slots = FrameSlots()
    taker = Taker(slots)
    assert taker.wait(0.1) is None
    slots.put(3, 'frame')
    assert taker.wait() == {3: 'frame'}


def test_close_wakes_whoever_waits_with_nothing():
    slots = FrameSlots()
    takers = [Taker(slots), Taker(slots)]
    assert takers[0].wait(0.1) is None
    slots.close()
    assert [taker.wait() for taker in takers] == [{}, {}]


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
