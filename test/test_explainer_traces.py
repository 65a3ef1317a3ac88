# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An explainer leaves no trace: not in the network, not in torch, not in another explainer."""

import random
import threading

import numpy as np
import pytest
import torch
from small_networks import (
    Raises,
    Turnstile,
    TurnstileReLU,
    hooks_of,
    one_thread,  # noqa: F401  # the fixture is autouse
    plain,
)
from torch import nn

from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer

BATCH = torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def with_pause(module, **options):
    """Return a Plain network that runs `module` between its first and second scale."""
    network = plain(**options)
    network.pause = module.eval()
    return network


def training_network(module=None):
    """Return a network in training mode but for one frozen BatchNorm, as in fine-tuning."""
    network = with_pause(module or Raises(), batch_norm=True).train()
    network.norm2.eval()
    return network


def modes_of(network):
    return {name: module.training for name, module in network.named_modules()}


def state_of(network):
    """Return a copy of all weights and of the statistics of BatchNorm."""
    return {name: value.clone() for name, value in network.state_dict().items()}


def assert_unchanged(network, state, modes):
    assert modes_of(network) == modes
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name]), name


def assert_same(one, other):
    for name, value in vars(one).items():
        torch.testing.assert_close(value, getattr(other, name), rtol=1e-6, atol=1e-6)


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


@pytest.mark.parametrize('error', [OSError('the disk is gone'), KeyboardInterrupt()])
def test_no_hook_is_left_after_an_exception_inside_the_network(error):
    network = with_pause(Raises())
    explainer = Explainer(network)
    expected = explainer(BATCH)
    network.pause.error = error
    with pytest.raises(type(error)) as raised:
        explainer(BATCH)
    assert raised.value is error
    assert hooks_of(network) == {}
    network.pause.error = None
    assert_same(explainer(BATCH), expected)


@pytest.mark.parametrize('error', [RuntimeError('no memory left'), KeyboardInterrupt('stop')])
@pytest.mark.parametrize('scales', ['auto', ['act1']])
def test_no_hook_is_left_after_an_exception_during_construction(error, scales):
    network = with_pause(Raises())
    network.pause.error = error
    expected = ConfigurationError if isinstance(error, RuntimeError) else KeyboardInterrupt
    with pytest.raises(expected, match=str(error)):
        Explainer(network, scales=scales)
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


# --- modes, generators --------------------------------------------------------------------------


def test_training_mode_of_each_module_and_batch_norm_statistics_are_left_as_found():
    network = training_network()
    state, modes = state_of(network), modes_of(network)
    assert set(modes.values()) == {True, False}
    explainer = Explainer(network)
    explanation = explainer(BATCH)
    assert_unchanged(network, state, modes)
    network.pause.error = OSError('the disk is gone')
    with pytest.raises(OSError, match='the disk is gone'):
        explainer(BATCH)
    assert_unchanged(network, state, modes)
    network.pause.error = RuntimeError('no memory left')
    with pytest.raises(ConfigurationError):
        Explainer(network)
    assert_unchanged(network, state, modes)
    network.pause.error = None
    assert_same(explanation, Explainer(network.eval())(BATCH))


@pytest.mark.parametrize('enabled', [True, False])
def test_random_generators_and_grad_mode_are_left_as_found(enabled):
    network = plain()
    with torch.set_grad_enabled(enabled):
        state = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
        Explainer(network)(BATCH)
        after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
        assert torch.equal(after[0], state[0])
        assert after[1:] == state[1:]
        assert torch.is_grad_enabled() is enabled
        assert not torch.is_inference_mode_enabled()
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
    state, modes = state_of(network), modes_of(network)
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
    assert_unchanged(network, state, modes)
    assert hooks_of(network) == {}


def test_scales_are_found_while_another_thread_runs_the_network():
    network = training_network(Turnstile())
    state, modes = state_of(network), modes_of(network)
    one = Explainer(network)
    expected = one(BATCH)
    finish_construction = run_held('constructor', network.pause, lambda: Explainer(network))
    finish_call = run_held('caller', network.pause, lambda: one(BATCH))
    assert_same(finish_call(), expected)
    assert finish_construction().scales == Explainer(network).scales
    assert_unchanged(network, state, modes)
    assert hooks_of(network) == {}
