# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An explainer leaves no trace: not in the network, not in torch, not in another explainer."""

import random
import threading

import numpy as np
import pytest
import torch
from small_networks import Raises, Turnstile, TurnstileReLU, hooks_of, noise, one_thread, plain  # noqa: F401
from torch import nn

from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer

BATCH = noise(2, 3, 32, 48)


def training_network(module=None):
    """Return a network in training mode but for one frozen BatchNorm, as in fine-tuning."""
    network = plain(batch_norm=True).train()
    network.pause = (module or Raises()).eval()
    network.norm2.eval()
    return network


def snapshot_of(network):
    """Return what is to stay as it is: hooks, modes, weights, and statistics of BatchNorm."""
    modes = {name: module.training for name, module in network.named_modules()}
    state = {name: value.tolist() for name, value in network.state_dict().items()}
    return hooks_of(network), modes, state


def assert_same(one, other):
    for name, value in vars(one).items():
        torch.testing.assert_close(value, getattr(other, name), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('error', [RuntimeError('no memory left'), KeyboardInterrupt('stop')])
def test_hooks_modes_and_statistics_are_left_as_found_after_a_call_and_after_an_exception(error):
    network = training_network()
    before = snapshot_of(network)
    explainer = Explainer(network)
    expected = explainer(BATCH)
    assert snapshot_of(network) == before
    network.pause.error = error
    with pytest.raises(type(error)) as raised:
        explainer(BATCH)
    assert raised.value is error
    assert snapshot_of(network) == before
    refusal = ConfigurationError if isinstance(error, RuntimeError) else KeyboardInterrupt
    for scales in ('auto', ['act1']):
        with pytest.raises(refusal, match=str(error)):
            Explainer(network, scales=scales)
        assert snapshot_of(network) == before
    network.pause.error = None
    assert_same(explainer(BATCH), expected)
    assert_same(Explainer(network.eval())(BATCH), expected)


# --- hooks --------------------------------------------------------------------------------------


def test_only_the_modules_that_are_read_carry_a_hook_and_only_during_a_call():
    network, during = plain(), []
    explainer = Explainer(network, scales=['act1', 'act3'])
    assert hooks_of(network) == {}
    network.pause.forward = lambda x: during.extend(hooks_of(network).items()) or x
    explainer(BATCH)
    hooks = {key: len(hooks) for key, hooks in during}
    assert hooks == {('act1', '_forward_hooks'): 1, ('act3', '_forward_hooks'): 1}
    assert hooks_of(network) == {}


def test_no_hook_is_left_where_the_next_cannot_be_registered(monkeypatch):
    network = plain()
    explainer = Explainer(network)
    monkeypatch.delattr(nn.Module, 'register_forward_hook')
    with pytest.raises(AttributeError, match='register_forward_hook'):
        Explainer(network)  # the hooks before the modules are there by then
    assert hooks_of(network) == {}
    with pytest.raises(AttributeError, match='register_forward_hook'):
        explainer(BATCH)
    assert hooks_of(network) == {}


def test_hooks_of_others_stay_and_are_called_as_before_in_their_order():
    network, calls = plain(), []

    def note(text):
        return lambda *_: calls.append(text)

    network.act1.register_forward_pre_hook(note('before act1'))
    network.act1.register_forward_hook(note('after act1, first'))
    network.act1.register_forward_hook(note('after act1, second'))
    network.register_forward_hook(note('after all'))
    before = hooks_of(network)
    with Explainer(network) as explainer:
        assert hooks_of(network) == before
        calls.clear()
        explainer(BATCH)
        assert calls == ['before act1', 'after act1, first', 'after act1, second', 'after all']
    assert hooks_of(network) == before


def test_what_anothers_hook_puts_in_place_of_an_activation_is_what_is_read():
    network = plain()
    explainer = Explainer(network)
    network.act1.register_forward_hook(lambda _module, _args, output: 0 * output)
    information = explainer(BATCH).information
    assert (information[:, 0] == 0).all()
    assert (information[:, 1:] > 0).all()


# --- generators, gradients ----------------------------------------------------------------------


def state_of_libraries():
    return (
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),
        random.getstate(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )


@pytest.mark.parametrize('cam', ['none', 'grad_cam'])
@pytest.mark.parametrize('outer', [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_random_generators_gradients_and_the_callers_mode_are_left_as_found(outer, cam):
    network = plain()
    expected = Explainer(network, cam=cam)(BATCH)
    with outer():
        before = state_of_libraries()
        explanation = Explainer(network, cam=cam)(BATCH)
        assert state_of_libraries() == before
    assert torch.equal(explanation.saliency, expected.saliency)
    tensors = [value for value in vars(explanation).values() if isinstance(value, torch.Tensor)]
    assert not any(tensor.requires_grad for tensor in tensors)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


# --- two threads in one network -----------------------------------------------------------------


def run_held(name, turnstile, work):
    """Run work in a thread that stops in the turnstile; return once it stands there."""
    results = []
    turnstile.hold(name)
    thread = threading.Thread(target=lambda: results.append(work()), name=name, daemon=True)
    thread.start()
    assert turnstile.entered[name].wait(20), f'{name} never reached the turnstile'

    def finish():
        turnstile.opened[name].set()
        thread.join(20)
        assert results, f'{name} failed'
        return results[0]

    return finish


@pytest.mark.parametrize('statistic', ['smoe_scale', 'truncated_normal_entropy'])
@pytest.mark.parametrize('first_out', ['one', 'other'])
def test_two_explainers_inside_one_activation_at_once_do_not_disturb_each_other(
    first_out, statistic
):
    network = training_network()
    network.act2 = TurnstileReLU()
    before = snapshot_of(network)
    explainers = {
        'one': (Explainer(network, statistic=statistic), BATCH),
        'other': (Explainer(network, scales=['act2', 'act3'], statistic=statistic), BATCH[1:]),
    }
    expected = {name: explainer(batch) for name, (explainer, batch) in explainers.items()}
    finish = {
        name: run_held(name, network.act2, lambda e=explainer, b=batch: e(b))
        for name, (explainer, batch) in explainers.items()
    }
    for name in (first_out, *({'one', 'other'} - {first_out})):
        assert_same(finish[name](), expected[name])
    assert snapshot_of(network) == before


def test_scales_are_found_while_another_thread_runs_the_network():
    network = training_network(Turnstile())
    before = snapshot_of(network)
    one = Explainer(network)
    expected = one(BATCH)
    finish_construction = run_held('constructor', network.pause, lambda: Explainer(network))
    finish_call = run_held('caller', network.pause, lambda: one(BATCH))
    assert_same(finish_call(), expected)
    assert finish_construction().scales == Explainer(network).scales
    assert snapshot_of(network) == before
