# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Stamps that go back cost one frame, and say so."""

import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time

from smoe_ros.errors import FrameError
from smoe_ros.messages.stamp_order import StampOrder, nanoseconds


def refused(order, *seconds, replayed=False):
    """Return the texts of the refusals of frames of some stamps; None where it was taken."""
    texts = []
    for second in seconds:
        try:
            stamp = Time(sec=int(second // 1), nanosec=round(second % 1 * 1e9))
            order.check(stamp, replayed=replayed)
            texts.append(None)
        except FrameError as error:
            texts.append(str(error))
    return texts


def test_stamps_that_grow_are_taken():
    assert refused(StampOrder(), 1, 1.000000001, 2, 1e9) == [None] * 4


def test_a_frame_out_of_order_costs_itself_and_tells_by_how_much():
    before, late, after = refused(StampOrder(), 5, 3.75, 6)
    assert (before, after) == (None, None)
    assert 'its stamp is 1.250 s before that of the frame before' in late


def test_a_recording_that_begins_again_costs_one_frame():
    assert [text is None for text in refused(StampOrder(), 98, 99, 1, 2, 3)] == [
        True,
        True,
        False,
        True,
        True,
    ]


def test_the_same_frame_again_is_refused():
    assert 'the same frame again' in refused(StampOrder(), 5, 5)[1]


def test_frames_without_stamps_have_no_order():
    assert refused(StampOrder(), 0, 0, 0, 7, 0, 3) == [None] * 6


def test_after_a_jump_of_the_clock_no_frame_is_lost():
    order = StampOrder()
    refused(order, 98, 99)
    order.restart()
    assert refused(order, 1, 2) == [None, None]


def test_in_simulated_time_a_frame_may_be_on_either_side_of_the_jump():
    order = StampOrder()
    refused(order, 98, 99, replayed=True)
    # The image is quicker than the clock; or a last image is taken only after the clock's jump.
    assert refused(order, 1, replayed=True) == [None]
    order.restart()
    assert refused(order, 99.1, 1.1, 1.2, replayed=True) == [None] * 3


def test_in_simulated_time_frames_out_of_order_are_refused_all_the_same():
    late, again = refused(StampOrder(), 5, 4.9, 4.9, replayed=True)[1:]
    assert 'out of order' in late
    assert 'the same frame again' in again


@pytest.mark.parametrize(('sec', 'nanosec', 'expected'), [(-5, 0, -5e9), (1, 5, 1e9 + 5)])
def test_stamps_before_1970_count_too(sec, nanosec, expected):
    assert nanoseconds(Time(sec=sec, nanosec=nanosec)) == expected
