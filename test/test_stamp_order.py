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


BACK = ' s before that of the frame before: out of order, or a recording that began again'
AGAIN = 'its stamp is that of the frame before: the same frame again'


@pytest.mark.parametrize(
    ('seconds', 'replayed', 'texts'),
    [
        ((1, 1.000000001, 2, 1e9), False, [None] * 4),
        ((5, 3.75, 6), False, [None, f'its stamp is 1.250{BACK}', None]),
        ((98, 99, 1, 2, 3), False, [None, None, f'its stamp is 98.000{BACK}', None, None]),
        ((5, 5), False, [None, AGAIN]),
        ((0, 0, 0, 7, 0, 3), False, [None] * 6),
        ((5, 4.9, 4.9), True, [None, f'its stamp is 0.100{BACK}', AGAIN]),
    ],
    ids=['growing', 'late', 'beginning again', 'again', 'without stamps', 'in simulated time'],
)
def test_a_frame_is_refused_whose_stamp_does_not_grow(seconds, replayed, texts):
    assert refused(StampOrder(), *seconds, replayed=replayed) == texts


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


@pytest.mark.parametrize(('sec', 'nanosec', 'expected'), [(-5, 0, -5e9), (1, 5, 1e9 + 5)])
def test_stamps_before_1970_count_too(sec, nanosec, expected):
    assert nanoseconds(Time(sec=sec, nanosec=nanosec)) == expected
