# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Motion between frames, from flows that are known: what is followed, and the error along it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from smoe_ros.evaluation.stability import Motion, motion_between

SIZE = (40, 64)
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]]


def constant(x, y):
    """Return the flow of a picture that moves as a whole."""
    return np.broadcast_to(np.float32([x, y]), (*SIZE, 2)).copy()


def smooth(seed, strength):
    """Return a flow that differs from place to place, in whole 32nds, as OpenCV samples."""
    noise = np.random.default_rng(seed).normal(size=(*SIZE, 2))
    flow = gaussian_filter(noise, (5, 5, 0))
    return np.round(strength * flow / flow.std() * 32).astype(np.float32) / 32


def sample(values, x, y):
    return map_coordinates(values.astype(np.float64), [y, x], order=1, mode='constant')


def followed_by_hand(flow, back):
    x, y = COLUMNS + flow[..., 0].astype(np.float64), ROWS + flow[..., 1].astype(np.float64)
    missed = [flow[..., axis] + sample(back[..., axis], x, y) for axis in (0, 1)]
    inside = (x >= 0) & (x <= SIZE[1] - 1) & (y >= 0) & (y <= SIZE[0] - 1)
    return inside & (np.sqrt(missed[0] ** 2 + missed[1] ** 2) <= 1), x, y


# Steps below the agreement of 1 pixel are the ones that the way back alone does not refuse.
@pytest.mark.parametrize('step', [0.75, 5])
@pytest.mark.parametrize(
    ('direction', 'leaves'),
    [
        ((1, 0), np.s_[:, -1:]),
        ((-1, 0), np.s_[:, :1]),
        ((0, 1), np.s_[-1:]),
        ((0, -1), np.s_[:1]),
    ],
    ids=['right', 'left', 'down', 'up'],
)
def test_pixels_that_leave_the_view_on_any_side_are_not_followed(direction, leaves, step):
    flow = constant(*(step * one for one in direction))
    followed = Motion(flow, -flow).followed
    assert not followed[leaves].any()
    assert followed[6:-6, 6:-6].all()
    lost = int(np.ceil(step)) * (SIZE[0] if direction[0] else SIZE[1])
    assert (~followed).sum() == lost


@pytest.mark.parametrize(('miss', 'agrees'), [(0.9, True), (1.1, False)])
def test_ways_there_and_back_may_miss_each_other_by_a_pixel(miss, agrees):
    there, back = constant(3, 0), constant(-3, miss)
    assert Motion(there, back).followed[5:-5, 5:-5].all() == agrees
    assert Motion(there, back).followed.any() == agrees


def test_followed_pixels_and_flow_error_are_those_of_scipys_interpolation():
    flow = smooth(0, 2.0)
    back = smooth(1, 0.4) - flow
    before, after = (
        np.random.default_rng(seed).random(SIZE).astype(np.float32) for seed in (2, 3)
    )
    followed, x, y = followed_by_hand(flow, back)
    motion = Motion(flow, back)
    assert 0.2 < followed.mean() < 0.9  # a part of each
    assert (motion.followed != followed).mean() < 0.01  # those within 1/32 of a pixel of the limit
    wanted = np.abs(sample(after, x, y) - before)[motion.followed].mean()
    assert motion.flow_error(before, after) == pytest.approx(wanted, abs=1e-4)


def test_changes_up_and_down_do_not_cancel():
    still = Motion(constant(0, 0), constant(0, 0))
    before = np.full(SIZE, 0.5)
    after = before + np.where((ROWS + COLUMNS) % 2, 0.25, -0.25)
    assert still.flow_error(before, after) == pytest.approx(0.25)


@pytest.mark.parametrize(('share', 'enough'), [(0.0, False), (0.005, False), (0.02, True)])
def test_a_flow_error_of_fewer_pixels_than_one_in_a_hundred_is_refused(share, enough):
    flow = constant(999, 0)
    stays = ROWS * SIZE[1] + COLUMNS < round(share * ROWS.size)
    flow[stays] = 0
    motion = Motion(flow, constant(0, 0))
    assert np.array_equal(motion.followed, stays)
    if enough:
        assert motion.flow_error(np.zeros(SIZE), np.ones(SIZE)) == pytest.approx(1)
    else:
        with pytest.raises(ValueError, match='a cut between the frames'):
            motion.flow_error(np.zeros(SIZE), np.ones(SIZE))


@pytest.mark.parametrize('shift', [(0, 0), (5, 0), (-3, 4)], ids=str)
def test_the_flow_of_a_rolled_texture_is_its_shift(shift):
    noise = gaussian_filter(np.random.default_rng(0).random((96, 128, 3)), (2, 2, 0))
    noise = (noise - noise.min()) / np.ptp(noise)
    before = (255 * noise).astype(np.uint8)
    after = np.roll(before, (shift[1], shift[0]), axis=(0, 1))
    motion = motion_between(before, after)
    inner = np.s_[16:-16, 16:-16]
    assert motion.followed[inner].mean() > 0.98
    assert np.abs(motion.flow[inner] - shift).mean() < 0.1


@pytest.mark.parametrize('size', [(15, 60), (60, 15)], ids=str)
def test_frames_that_are_short_on_either_side_are_refused(size):
    frame = np.zeros((*size, 3), np.uint8)
    with pytest.raises(ValueError, match='at least 16x16'):
        motion_between(frame, frame)


def test_frames_of_the_smallest_size_are_followed():
    frame = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    assert motion_between(frame, frame).followed.all()
