# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which activations of a network to read: one for each of its scales.

A scale is an octave of resolution, round(log2(input / map)); `trunk` has the rule that chooses its
activation. One module may run at two sizes: a scale is a module and a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.scales.feature_maps import feature_map
from smoe_ros.scales.tracing import Call, trace
from smoe_ros.scales.trunk import activations_by_octave

# Common CNNs halve the resolution five times: an input of multiples of 32 leaves no half cells.
STRIDE = 32


@dataclass(frozen=True)
class Scale:
    """One activation to read, and its shape at the latest input size.

    Attributes:
        layer: Path of the module, as in ``named_modules()``.
        call: Which call of it within one forward pass, from 0.
        channels: Number of channels.
        height: Height of the map in cells.
        width: Width of the map in cells.
        channels_last: Whether the module puts out (B, H, W, C) instead of (B, C, H, W).
    """

    layer: str
    call: int
    channels: int
    height: int
    width: int
    channels_last: bool = False

    def channels_first(self, activation: Tensor) -> Tensor:
        """Return the activation that the module put out as (B, C, H, W); a view."""
        return activation.movedim(-1, 1) if self.channels_last else activation

    def __str__(self) -> str:
        return f'{self.layer}#{self.call} {self.channels}×{self.height}×{self.width}'


def find_scales(model: nn.Module, example: Tensor) -> tuple[Scale, ...]:
    """Find one activation for each scale of a network by running it once.

    Args:
        model: The network; run in evaluation mode and left as found.
        example: A batch of one input, shape (1, C, H, W); noise does.

    Returns:
        The scales, finest first.

    Raises:
        ConfigurationError: If no scale is found, as with networks that are no CNN, or the network
            does not run on the example.
    """
    calls = trace(model, example)
    chosen = activations_by_octave(calls)
    attention = next((call for call in calls if _attends(call, example)), None)
    if attention is not None and (not chosen or attention.start < chosen[-1].end):
        raise ConfigurationError(
            f"{type(model).__name__} is a transformer: attention ('{attention.layer}') mixes what "
            'its places hold, so that no activation belongs to one place of the image; choose a '
            'CNN, such as resnet50, efficientnet_v2_s or convnext_tiny'
        )
    if not chosen:
        raise ConfigurationError(
            f'no scales found in {type(model).__name__}: no module of it puts out a rectified map '
            '(B, C, H, W) before the resolution drops; name the modules to read in scales'
        )
    scales = map(_scale_of, chosen)
    return tuple(scale for scale in scales if scale is not None)


def select_scales(model: nn.Module, example: Tensor, layers: Sequence[str]) -> tuple[Scale, ...]:
    """Look up the activations that a user names.

    Args:
        model: The network; run in evaluation mode and left as found.
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
    scales = [_named_scale(layer, calls, model) for layer in layers]
    names = [f'{scale.layer}#{scale.call}' for scale in scales]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"scale '{name}' is given {names.count(name)} times")
    return tuple(sorted(scales, key=lambda scale: -scale.height * scale.width))


def _named_scale(name: str, calls: Sequence[Call], model: nn.Module) -> Scale:
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
    scale = _scale_of(own[int(number) if number else -1])
    if scale is None:
        raise ConfigurationError(
            f"scale '{name}': the output of '{layer}' is no map of shape (B, C, H, W)"
        )
    return scale


def _attends(call: Call, example: Tensor) -> bool:
    """Whether a call is attention between places: over tokens, or over windows of a map.

    A CNN's channel or spatial attention weighs a map (B, C, H, W), and leaves places as they are.
    """
    name = type(call.module).__name__.lower()
    if 'multihead' in name:
        return True
    if 'attention' not in name or call.argument is None or call.argument.ndim < 3:
        return False
    found = feature_map(call.argument, example)
    return found is None or found.channels_last


def _scale_of(call: Call) -> Scale | None:
    return None if call.map is None else Scale(call.layer, call.index, *call.map)
