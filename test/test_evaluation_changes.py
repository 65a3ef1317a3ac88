# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How maps change: with noise, from frame to frame, and as a network becomes random."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import sobel
from scipy.stats import spearmanr
from small_networks import CAT, hooks_of, one_thread, photo_batch, plain  # noqa: F401 - a fixture

from smoe_ros.evaluation.evaluated_network import Question
from smoe_ros.evaluation.followed_film import FollowedFilm
from smoe_ros.evaluation.map_methods import MapMethod
from smoe_ros.evaluation.randomisation import NOTHING, cascade
from smoe_ros.evaluation.sensitivity import max_sensitivity
from smoe_ros.evaluation.stability import contribution_change, grey, motion_between
from smoe_ros.evaluation.tasks import edge_likeness
from smoe_ros.explainer import Explainer

# Noise


def test_a_map_that_knows_nothing_of_the_picture_is_not_sensitive():
    def explain(batch):
        return torch.ones(len(batch), 8, 8)

    assert max_sensitivity(explain, torch.rand(3, 8, 8)) == 0


def test_noise_reaches_its_radius_and_not_beyond():
    image = torch.linspace(-2, 3, 3 * 64 * 64).reshape(3, 64, 64)  # a range of 5
    seen = []

    def explain(batch):
        seen.append((batch[0] - image).abs().max().item())
        return batch.sum(dim=1)

    max_sensitivity(explain, image, radius=0.02, samples=10)
    assert len(seen) == 11
    assert max(seen) <= 0.1 + 1e-5
    assert min(seen[1:]) > 0.099


def test_sensitivity_is_the_worst_relative_change_over_the_samples():
    image = torch.ones(3, 8, 8)
    image[0, 0, 0] = 0.0  # a range of 1
    changes = iter([0.0, 1.0, 4.0, 2.0])

    def explain(batch):
        saliency = torch.zeros(1, 8, 8)
        saliency[0, 0, 0] = 2.0 + next(changes)
        return saliency

    assert max_sensitivity(explain, image, samples=3) == pytest.approx(4 / 2)


def test_sensitivity_of_a_map_of_zeros_is_infinite_if_it_moves_at_all():
    image = torch.rand(3, 8, 8)
    clean = image.clone()

    def explain(batch):
        return (batch - clean).abs().sum(dim=1)

    assert max_sensitivity(explain, image) == float('inf')


def test_the_same_seed_draws_the_same_noise():
    image = photo_batch(16, 16)[0]
    first, same, other = (
        max_sensitivity(lambda batch: batch.sum(dim=1).abs(), image, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == same != other


# Frames

SHIFT = (6, -4)  # pixels to the right and down in which the picture moves


@pytest.fixture(scope='module')
def frames():
    """One photograph seen through a window that moves."""
    photo = CAT()[60:260, 100:400]
    x, y = 30, 30
    before = photo[y : y + 128, x : x + 160]
    after = photo[y - SHIFT[1] : y - SHIFT[1] + 128, x - SHIFT[0] : x - SHIFT[0] + 160]
    return np.ascontiguousarray(before), np.ascontiguousarray(after)


@pytest.fixture(scope='module')
def motion(frames):
    return motion_between(*frames)


def test_the_motion_of_a_shifted_picture_is_found(motion):
    inner = motion.flow[20:-20, 20:-20]
    assert np.median(inner, axis=(0, 1)) == pytest.approx(SHIFT, abs=0.2)
    assert motion.followed[20:-20, 20:-20].mean() > 0.9


def test_pixels_that_leave_the_view_are_not_followed(motion):
    assert not motion.followed[:, -5:].any()  # they move to the right, out of the frame
    assert not motion.followed[:3].any()


def test_a_map_that_moves_with_the_picture_has_no_error_and_one_that_stays_has(frames, motion):
    moving = [grey(frame) for frame in frames]
    assert motion.flow_error(*moving) < 0.01
    staying = [moving[0], moving[0]]
    assert motion.flow_error(*staying) > 5 * motion.flow_error(*moving)


def test_error_is_the_mean_over_the_followed_pixels(motion):
    before, after = np.zeros(motion.followed.shape), np.full(motion.followed.shape, 0.25)
    after[~motion.followed] = 0.25
    assert motion.flow_error(before, after) == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize(('off', 'jitter'), [((0, 0), 0), ((3, 4), 5)])
def test_jitter_is_how_far_the_peak_is_from_where_the_picture_went(motion, off, jitter):
    before, after = np.zeros(motion.followed.shape), np.zeros(motion.followed.shape)
    before[60, 70] = 1
    after[60 + SHIFT[1] + off[1], 70 + SHIFT[0] + off[0]] = 1
    assert motion.peak_jitter(before, after) == pytest.approx(jitter, abs=0.3)


def test_between_unlike_frames_hardly_a_pixel_is_followed(frames):
    noise = np.random.default_rng(0).integers(0, 255, frames[0].shape, np.uint8)
    cut = motion_between(frames[0], noise)
    assert cut.followed.mean() < 0.3


def test_frames_that_cannot_be_followed_are_refused(frames):
    with pytest.raises(ValueError, match='16x16'):
        motion_between(frames[0], frames[0][:-1])
    small = np.zeros((12, 60, 3), np.uint8)
    with pytest.raises(ValueError, match='16x16'):
        motion_between(small, small)


def test_maps_of_another_size_are_refused(motion):
    for measure in (motion.flow_error, motion.peak_jitter):
        with pytest.raises(ValueError, match=r'size of the frames, \(128, 160\)'):
            measure(np.zeros((64, 80)), np.zeros((64, 80)))


def test_grey_is_the_brightness_from_0_to_1(frames):
    weights = np.array([0.299, 0.587, 0.114])
    assert grey(frames[0]) == pytest.approx(frames[0] @ weights / 255, abs=0.003)


def test_contributions_change_by_the_sum_of_their_differences():
    assert contribution_change([0.5, 0.3, 0.2], [0.4, 0.5, 0.1]) == pytest.approx(0.4)
    with pytest.raises(ValueError, match='those of the same scales'):
        contribution_change([0.5, 0.3, 0.2], [1.0])


# Random networks


@pytest.fixture
def network():
    network = plain(batch_norm=True)
    network(photo_batch(64, 96))  # in evaluation mode: changes nothing
    return network


@pytest.fixture
def images():
    return photo_batch(64, 96)


def weights(model):
    return {name: value.clone() for name, value in model.named_parameters()}


def test_layers_become_random_from_the_output_to_the_input(network, images):
    before = weights(network)
    changed = []
    for _, model in cascade(network, images, steps=4):
        now = weights(model)
        changed.append({name for name in now if not torch.equal(now[name], before[name])})
    assert changed[0] == set()
    order = ['classifier', 'norm3', 'conv3', 'norm2', 'conv2', 'norm1', 'conv1']
    # A new batch normalisation has the weights 1 and 0, as an untrained one has.
    learned = [name for name in order if not name.startswith('norm')]
    reached = [[name for name in learned if f'{name}.weight' in one] for one in changed]
    assert reached[-1] == learned
    for one, following in pairwise(reached):
        assert following[: len(one)] == one
        assert one == learned[: len(one)]


def test_the_last_layer_of_a_step_names_it(network, images):
    names = [name for name, _ in cascade(network, images, steps=3)]
    assert names[0] == NOTHING
    assert names[-1] == 'conv1'
    assert len(names) == 4


def test_statistics_are_those_of_the_new_activations(network, images):
    *_, (_, model) = cascade(network, images, steps=2)
    with torch.no_grad():
        seen = model.conv1(images)
    assert model.norm1.running_mean.numpy() == pytest.approx(
        seen.mean(dim=(0, 2, 3)).numpy(), abs=1e-5
    )
    assert model.norm1.running_var.numpy() == pytest.approx(
        seen.var(dim=(0, 2, 3)).numpy(), rel=1e-4
    )


def test_the_network_itself_stays_as_it_is(network, images):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    for _, model in cascade(network, images):
        assert not model.training
        assert not any(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert hooks_of(network) == {}
    assert torch.equal(torch.get_rng_state(), state)


def test_a_seed_draws_the_same_weights_each_time(network, images):
    def last(seed):
        *_, (_, model) = cascade(network, images, steps=2, seed=seed)
        return model.conv1.weight.clone()

    assert torch.equal(last(3), last(3))
    assert not torch.equal(last(3), last(4))


def test_no_steps_are_refused(images):
    with pytest.raises(ValueError, match='steps is 0'):
        next(cascade(torch.nn.Conv2d(3, 4, 1), images, steps=0))


def test_pictures_too_small_for_statistics_are_refused_in_words():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2, 1), torch.nn.BatchNorm2d(4))
    with pytest.raises(ValueError, match='a batch of 1×3×2×2: give more pictures, or larger'):
        next(cascade(network, torch.rand(1, 3, 2, 2)))


def test_a_network_without_weights_is_refused(images):
    with pytest.raises(ValueError, match='no layer of ReLU has weights'):
        next(cascade(torch.nn.ReLU(), images))


# Edges


def test_likeness_to_edges_is_the_mean_rank_correlation_over_the_pictures():
    class Network:
        def __init__(self, explainer):
            self.explainer = explainer

    batch = photo_batch(64, 96)
    questions = [Question('one', None, image, 0, '', 1.0) for image in batch]
    with Explainer(plain(), ['act1', 'act3']) as explainer:
        likeness = edge_likeness(Network(explainer), questions)['spearman']
        maps = explainer(batch).scale_maps.numpy()
    wanted = []
    for image, scales in zip(batch, maps, strict=True):
        mean = image.numpy().mean(axis=0, dtype=np.float64)
        edges = np.hypot(sobel(mean, 0, mode='mirror'), sobel(mean, 1, mode='mirror'))
        wanted.append([spearmanr(one.ravel(), edges.ravel()).statistic for one in scales])
    assert likeness[:2] == pytest.approx(np.mean(wanted, axis=0), abs=0.01)
    assert len(likeness) == 3


def test_the_stability_of_a_method_is_that_of_its_maps(frames):
    class Network:
        def classify(self, batch):
            return torch.tensor([[0.2, 0.8]])

        def prepare(self, rgb):
            return torch.from_numpy(rgb.copy()).permute(2, 0, 1).float()

    film = FollowedFilm([frames[0]] * 3, 25.0, Network())  # nothing moves
    values = iter([0.0, 1.0, 0.0])
    gradient = torch.linspace(0, 1, 128 * 160).reshape(128, 160)

    def explain(batch, labels):
        assert labels.tolist() == [1]
        sign = next(values)
        return (sign * gradient + (1 - sign) * gradient.flip(0))[None]

    found = film.stability(MapMethod('flips', 'ours', explain))
    g, h = gradient.flip(0).numpy(), gradient.numpy()
    assert found['flow_error'] == pytest.approx(np.abs(h - g).mean(), rel=0.02)
    correlation = spearmanr(g.ravel(), h.ravel()).statistic
    assert found['correlation'] == pytest.approx(correlation, abs=1e-4)
