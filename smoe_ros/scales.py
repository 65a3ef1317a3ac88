# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which activations of a network to read: one for each of its scales.

A scale is an octave of resolution, round(log2(input / map)). Its activation is the rectified
tensor on the trunk just before the resolution drops: the input of the outermost module that halves
it, or of the pooling or classifier at the end. Where that tensor is signed (inverted residuals end
in a linear layer) or only a pooled copy, it is the widest activation module's output at that
octave, the last among equals. One module may run at two sizes: a scale is a module and a call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.tracing import Call, trace

# Gates (Sigmoid, Hardsigmoid, Softmax) are left out: they weigh an activation, they are none.
_ACTIVATIONS = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Softplus,
)
# Networks from other packages bring modules of their own, for example MemoryEfficientSwish.
_ACTIVATION_NAMES = ('relu', 'swish', 'silu', 'gelu', 'mish')


@dataclass(frozen=True)
class Scale:
    """One activation to read, and its shape at the latest input size.

    Attributes:
        layer: Path of the module, as in ``named_modules()``.
        call: Which call of it within one forward pass, from 0.
        channels: Number of channels.
        height: Height of the map in cells.
        width: Width of the map in cells.
    """

    layer: str
    call: int
    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return f'{self.layer}#{self.call} {self.channels}×{self.height}×{self.width}'


def find_scales(model: nn.Module, example: Tensor) -> tuple[Scale, ...]:
    """Find one activation for each scale of a network by running it once.

    Args:
        model: The network, in evaluation mode.
        example: A batch of one input, shape (1, C, H, W); noise does.

    Returns:
        The scales, finest first.

    Raises:
        ConfigurationError: If no scale is found, as with networks that are no CNN, or the network
            does not run on the example.
    """
    calls = trace(model, example)
    octaves = {_octave(call.output, example) for call in calls if _is_map(call.output, example)}
    found = [_activation_of(octave, calls, example) for octave in sorted(octaves)]
    scales = tuple(_to_scale(call) for call in found if call is not None)
    if not scales:
        raise ConfigurationError(
            f'no scales found in {type(model).__name__}: no module of it puts out a rectified map '
            '(B, C, H, W) before the resolution drops; name the modules to read in scales'
        )
    return scales


def select_scales(model: nn.Module, example: Tensor, layers: Sequence[str]) -> tuple[Scale, ...]:
    """Look up the activations that a user names.

    Args:
        model: The network, in evaluation mode.
        example: A batch of one input, shape (1, C, H, W); noise does.
        layers: Module paths; ``'path#n'`` picks the n-th call from 0, without it the last one.

    Returns:
        The scales, finest first.

    Raises:
        ConfigurationError: If the list is empty, a module or call does not exist, or its output
            is not one map (B, C, H, W), or the network does not run on the example.
    """
    if not layers:
        raise ConfigurationError("scales is empty; give 'auto' or module paths")
    calls = trace(model, example)
    chosen = [_named_call(layer, calls, model, example) for layer in layers]
    names = [f'{call.layer}#{call.index}' for call in chosen]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"scale '{name}' is given {names.count(name)} times")
    chosen.sort(key=lambda call: -call.output.shape[-1] * call.output.shape[-2])
    return tuple(_to_scale(call) for call in chosen)


def _named_call(name: str, calls: Sequence[Call], model: nn.Module, example: Tensor) -> Call:
    layer, _, number = name.partition('#')
    modules = dict(model.named_modules())
    if layer not in modules or not layer:
        raise unknown_name('scale (module path)', layer, filter(None, modules))
    own = sorted((call for call in calls if call.layer == layer), key=lambda call: call.index)
    if number and not (number.isdecimal() and int(number) < len(own)):
        raise ConfigurationError(
            f"scale '{name}': call '{number}' of '{layer}' does not exist; "
            f'it is called {len(own)} times in a forward pass, counted from 0'
        )
    if not own:
        raise ConfigurationError(f"scale '{name}': the forward pass never calls '{layer}'")
    call = own[int(number) if number else -1]
    if not _is_map(call.output, example):
        raise ConfigurationError(
            f"scale '{name}': the output of '{layer}' is no map of shape (B, C, H, W)"
        )
    return call


def _activation_of(octave: int, calls: Sequence[Call], example: Tensor) -> Call | None:
    """Return the call whose output is the activation of an octave, None if there is none."""
    drops = [call for call in calls if _leaves(call, octave, example)]
    if drops:
        # The outermost leaving module; of several beside each other the last, nearest the head.
        drop = min(reversed(drops), key=lambda call: call.depth)
        producer = _producer(drop, octave, calls, example)
        if producer is not None:
            return producer
    return _widest(octave, calls, example)


def _leaves(call: Call, octave: int, example: Tensor) -> bool:
    """Whether the trunk leaves the octave with this call."""
    if call.input is None or call.input is example or _octave(call.input, example) != octave:
        return False
    if _stays(call, octave, example):
        return False
    # A gate pools inside a block that stays: nothing on the trunk drops there.
    return not any(_stays(ancestor, octave, example) for ancestor in call.ancestors())


def _stays(call: Call, octave: int, example: Tensor) -> bool:
    return _is_map(call.output, example) and _octave(call.output, example) <= octave


def _producer(drop: Call, octave: int, calls: Sequence[Call], example: Tensor) -> Call | None:
    """Return the outermost call of this scale that made the dropping call's input.

    None if the input is signed, or a pooled copy.
    """
    candidates = [
        call
        for call in calls
        if call.output is drop.input
        and call.rectified
        and call.end < drop.start
        and _belongs(call, octave, example)
    ]
    # The one that made it ended first; later ones are blocks around it, or pass it on as Dropout.
    maker = min(candidates, key=lambda call: call.end, default=None)
    if maker is None or _pools(maker):
        return None
    blocks = [call for call in candidates if call.start <= maker.start]
    return max(blocks, key=lambda call: call.end)


def _pools(call: Call) -> bool:
    """Whether the call only pools: it drops the resolution and has nothing learnt."""
    if call.input is None or next(call.module.parameters(), None) is not None:
        return False
    return call.input.shape[-2:].numel() > call.output.shape[-2:].numel()


def _widest(octave: int, calls: Sequence[Call], example: Tensor) -> Call | None:
    """Return the widest activation module's call at an octave, the last among equals."""
    activations = [
        call
        for call in calls
        if _is_activation(call.module)
        and _is_map(call.output, example)
        and _octave(call.output, example) == octave
    ]
    activations.sort(key=lambda call: (call.output.shape[1], call.end))
    if not activations:
        return None
    # A block that ends in this activation names it better than the activation inside it.
    last = activations[-1]
    blocks = [
        call
        for call in last.ancestors()
        if call.layer and call.output is last.output and _belongs(call, octave, example)
    ]
    return max(blocks, key=lambda call: call.end, default=last)


def _belongs(call: Call, octave: int, example: Tensor) -> bool:
    """Whether a call works on one scale only.

    A container such as `features` spans many: its last block speaks for the octave.
    """
    return call.input is not None and _octave(call.input, example) >= octave - 1


def _is_activation(module: nn.Module) -> bool:
    if isinstance(module, _ACTIVATIONS):
        return True
    name = type(module).__name__.lower()
    return not any(module.children()) and any(part in name for part in _ACTIVATION_NAMES)


def _is_map(output: object, example: Tensor) -> bool:
    """Whether an output is a map (B, C, H, W) with more than one cell (1×1 belongs to gates)."""
    if not isinstance(output, Tensor) or output.ndim != 4 or output.shape[-2:].numel() <= 1:
        return False
    # Channels-last layouts (B, H, W, C) give themselves away by a shape unlike the input's.
    aspect, wanted = (t.shape[-2] / t.shape[-1] for t in (output, example))
    return wanted / 1.7 < aspect < wanted * 1.7


def _octave(tensor: Tensor, example: Tensor) -> int:
    return round(math.log2(example.shape[-2:].numel() / tensor.shape[-2:].numel()) / 2)


def _to_scale(call: Call) -> Scale:
    _, channels, height, width = call.output.shape
    return Scale(call.layer, call.index, channels, height, width)
