# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How steady maps are: under noise, and along motion from flows that are known."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from small_networks import one_thread, photo_batch, plain  # noqa: F401 - a fixture

from smoe_ros.evaluation.metrics.stability import Motion, max_sensitivity, motion_between
from smoe_ros.explainer import Explainer

# Noise


def test_noise_is_uniform_within_its_radius_and_another_for_every_sample():
    image = torch.linspace(-2, 3, 3 * 64 * 64).reshape(3, 64, 64)  # a range of 5
    seen = []

    def explain(picture):
        seen.append(((picture - image) / (0.02 * 5)).numpy())
        return picture.sum(dim=0).numpy()

    max_sensitivity(explain, image, samples=4)
    clean, *noise = seen
    assert len(noise) == 4
    assert not clean.any()
    assert len({one.tobytes() for one in noise}) == 4
    for one in noise:
        counts, _ = np.histogram(one, bins=4, range=(-1.0001, 1.0001))
        assert counts / one.size == pytest.approx(0.25, abs=0.03)


def test_sensitivity_of_a_network_is_the_worst_of_a_loop_in_float64():
    image = photo_batch(32, 48)[0]
    maps = []
    with Explainer(plain(), ['act1', 'act3'], input_size=(32, 48)) as explainer:

        def explain(picture):
            maps.append(explainer(picture[None]).saliency[0].numpy())
            return maps[-1]

        found = max_sensitivity(explain, image, samples=5)
    clean, *noisy = (one.astype(np.float64) for one in maps)
    changes = [math.sqrt(((one - clean) ** 2).sum() / (clean**2).sum()) for one in noisy]
    assert len(changes) == 5
    assert found == pytest.approx(max(changes))
    assert max(changes) > min(changes) > 0


def test_sensitivity_of_a_map_of_zeros_is_infinite_if_it_moves_at_all():
    image = photo_batch(8, 8)[0]
    assert max_sensitivity(lambda one: (one - image).abs()[0].numpy(), image) == math.inf
    assert max_sensitivity(lambda one: np.zeros((8, 8)), image) == 0


def test_a_seed_draws_the_same_noise_and_nothing_from_the_global_generator():
    image, state = photo_batch(16, 16)[0], torch.get_rng_state()
    first, same, other = (
        max_sensitivity(lambda one: one.sum(dim=0).abs().numpy(), image, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == same != other
    assert torch.equal(torch.get_rng_state(), state)


# Frames

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


def test_jitter_is_how_far_the_peak_is_from_where_the_picture_went():
    before, after = np.zeros(SIZE), np.zeros(SIZE)
    before[20, 30] = after[20 - 4 + 4, 30 + 6 + 3] = 1
    assert Motion(constant(6, -4), constant(-6, 4)).peak_jitter(before, after) == 5


@pytest.mark.parametrize('sizes', [[(15, 60)] * 2, [(60, 15)] * 2, [(60, 60), (60, 59)]], ids=str)
def test_frames_that_cannot_be_followed_are_refused(sizes):
    with pytest.raises(ValueError, match='one size of at least 16x16'):
        motion_between(*(np.zeros((*size, 3), np.uint8) for size in sizes))


def test_frames_of_the_smallest_size_are_followed():
    frame = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    assert motion_between(frame, frame).followed.all()
