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
from dataclasses import dataclass

from torch import Tensor

from smoe_ros.scales.activations import is_activation, is_gate
from smoe_ros.scales.feature_maps import feature_map, octave
from smoe_ros.scales.tracing import Call, version_of


def activations_by_octave(calls: Sequence[Call], example: Tensor) -> list[Call]:
    """Return the calls whose outputs are a network's scales, finest first.

    Args:
        calls: All calls of one forward pass, as `trace` returns them.
        example: The pass's input, shape (1, C, H, W).
    """
    found = {
        octave(call.output, example)
        for call in calls
        if feature_map(call.output, example) is not None
    }
    chosen = [_activation_of(one, calls, example) for one in sorted(found)]
    return [call for call in chosen if call is not None]


@dataclass(frozen=True)
class _TrunkEnd:
    """The tensor with which the trunk leaves an octave, as it is at that time."""

    tensor: Tensor
    version: int
    time: int


def _activation_of(wanted: int, calls: Sequence[Call], example: Tensor) -> Call | None:
    """Return the call whose output is the activation of an octave, None if there is none."""
    for end in _trunk_ends(wanted, calls, example):
        producer = _producer(end, wanted, calls, example)
        if producer is not None:
            return producer
    return _widest(wanted, calls, example)


def _trunk_ends(wanted: int, calls: Sequence[Call], example: Tensor) -> list[_TrunkEnd]:
    drops = [call for call in calls if _leaves(call, wanted, example)]
    if drops:
        # The outermost leaving module; of several beside each other the last, nearest the head.
        drop = min(reversed(drops), key=lambda call: len(list(call.ancestors())))
        if drop.input is not None:
            return [_TrunkEnd(drop.input, drop.input_version, drop.start)]
    root = calls[0]
    return [
        _TrunkEnd(tensor, version_of(tensor), root.end)
        for tensor in reversed(list(_tensors(root.output)))
        if feature_map(tensor, example) is not None and octave(tensor, example) == wanted
    ]


def _leaves(call: Call, wanted: int, example: Tensor) -> bool:
    """Whether the trunk leaves the octave with this call."""
    if call.input is None or call.input is example or octave(call.input, example) != wanted:
        return False
    if _stays(call, wanted, example):
        return False
    # A gate pools inside a block that stays: nothing on the trunk drops there.
    return not any(_stays(ancestor, wanted, example) for ancestor in call.ancestors())


def _stays(call: Call, wanted: int, example: Tensor) -> bool:
    return feature_map(call.output, example) is not None and octave(call.output, example) <= wanted


def _producer(
    trunk_end: _TrunkEnd, wanted: int, calls: Sequence[Call], example: Tensor
) -> Call | None:
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
        and _belongs(call, wanted, example)
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


def _widest(wanted: int, calls: Sequence[Call], example: Tensor) -> Call | None:
    """Return the widest activation module's call at an octave, the last among equals."""
    widths = {}
    for call in calls:
        found = feature_map(call.output, example) if is_activation(call.module) else None
        if found is not None and octave(call.output, example) == wanted:
            widths[call] = found.channels
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
        and _belongs(call, wanted, example)
    ]
    return max(blocks, key=lambda call: call.end, default=last)


def _belongs(call: Call, wanted: int, example: Tensor) -> bool:
    """Whether a call works on one scale only.

    A container such as `features` spans many: its last block speaks for the octave.
    """
    return call.input is not None and octave(call.input, example) >= wanted - 1


def _tensors(output: object) -> Iterator[Tensor]:
    """Yield the tensors in what a network returns, in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, (list, tuple)):
        for value in output:
            yield from _tensors(value)
