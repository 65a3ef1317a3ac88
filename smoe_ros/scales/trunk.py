# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The rule by which one activation is chosen for each octave of a traced network.

It is the rectified tensor on the trunk just before the resolution drops: the input of the
outermost module that halves it, or of the pooling or classifier at the end, or what the network
returns. Where that tensor is signed (inverted residuals end in a linear layer) or only a pooled
copy, it is the widest activation module's output at that octave, the last among equals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from smoe_ros.scales.activations import is_activation, is_gate
from smoe_ros.scales.feature_maps import feature_map, octave_of
from smoe_ros.scales.tracing import Call, version_of


def activations_by_octave(calls: Sequence[Call]) -> list[Call]:
    """Return those of all calls of a forward pass whose outputs are its scales, finest first."""
    found = {call.octave for call in calls if call.octave is not None}
    chosen = [_activation_of(octave, calls) for octave in sorted(found)]
    return [call for call in chosen if call is not None]


class _TrunkEnd(NamedTuple):
    """The tensor with which the trunk leaves an octave, as it is at that time."""

    tensor: Tensor
    version: int
    time: int


def _activation_of(octave: int, calls: Sequence[Call]) -> Call | None:
    """Return the call whose output is the activation of an octave, None if there is none."""
    for end in _trunk_ends(octave, calls):
        producer = _producer(end, octave, calls)
        if producer is not None:
            return producer
    return _widest(octave, calls)


def _trunk_ends(octave: int, calls: Sequence[Call]) -> list[_TrunkEnd]:
    root = calls[0]
    drops = [call for call in calls if call.input is not root.input and _leaves(call, octave)]
    if drops:
        # The outermost leaving module; of several beside each other the last, nearest the head.
        drop = min(reversed(drops), key=lambda call: len(list(call.ancestors())))
        if drop.input is not None:
            return [_TrunkEnd(drop.input, drop.input_version, drop.start)]
    assert root.input is not None, 'a network is traced on an image'
    return [
        _TrunkEnd(tensor, version_of(tensor), root.end)
        for tensor in reversed(list(_tensors(root.output)))
        if feature_map(tensor, root.input) and octave_of(tensor, root.input) == octave
    ]


def _leaves(call: Call, octave: int) -> bool:
    """Whether the trunk leaves the octave with this call."""
    # A gate pools inside a block that stays: nothing on the trunk drops there.
    around = (call, *call.ancestors())
    return call.input_octave == octave and not any(_stays(one, octave) for one in around)


def _stays(call: Call, octave: int) -> bool:
    return call.octave is not None and call.octave <= octave


def _producer(trunk_end: _TrunkEnd, octave: int, calls: Sequence[Call]) -> Call | None:
    """Return the outermost call of this octave that made the trunk's last tensor there.

    None if the tensor is signed, a pooled copy, or made of probabilities.
    """
    candidates = [
        call
        for call in calls
        if call.output is trunk_end.tensor
        and call.output_version == trunk_end.version
        and call.rectified
        and call.end < trunk_end.time
        and _belongs(call, octave)
    ]
    # The one that made it ended first; later ones are blocks around it, or pass it on as Dropout.
    maker = min(candidates, key=lambda call: call.end, default=None)
    if maker is None or _pools(maker) or is_gate(maker.module):
        return None
    blocks = [call for call in candidates if call.start <= maker.start]
    return max(blocks, key=lambda call: call.end)


def _pools(call: Call) -> bool:
    """Whether the call only pools: it drops the resolution and has nothing learnt."""
    if call.input is None or next(call.module.parameters(), None) is not None:
        return False
    return call.input.shape[-2:].numel() > call.output.shape[-2:].numel()


def _widest(octave: int, calls: Sequence[Call]) -> Call | None:
    """Return the widest activation module's call at an octave, the last among equals."""
    widths = {
        call: call.map.channels
        for call in calls
        if call.map is not None and call.octave == octave and is_activation(call.module)
    }
    last = max(widths, key=lambda call: (widths[call], call.end), default=None)
    if last is None:
        return None
    # A block that ends in this activation names it better than the activation inside it.
    blocks = [
        call
        for call in last.ancestors()
        if call.layer
        and call.output is last.output
        and call.output_version == last.output_version
        and _belongs(call, octave)
    ]
    return max(blocks, key=lambda call: call.end, default=last)


def _belongs(call: Call, octave: int) -> bool:
    """Whether a call works on one scale only.

    A container such as `features` spans many: its last block speaks for the octave.
    """
    return call.input_octave is not None and call.input_octave >= octave - 1


def _tensors(output: object) -> Iterator[Tensor]:
    """Yield the tensors in what a network returns, in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from _tensors(list(output.values()))
    elif isinstance(output, (list, tuple)):
        for value in output:
            yield from _tensors(value)
