# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation taken into the convolution before it: one pass over memory less."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from smoe_ros.engines.engine import relative_difference
from smoe_ros.scales import Call, evaluating, trace

# Of the output, as a share of its largest value: rounding stays far below.
_TOLERANCE = 1e-3


def fold_batch_norms(model: nn.Module, example: Tensor) -> int:
    """Multiply batch normalisation into the convolutions before it, where that changes nothing.

    In evaluation mode a batch normalisation is a factor and an offset a channel, which the
    convolution can hold. The network is changed in place: the normalisations become
    `nn.Identity`, so that module paths stay. It can no longer be trained as before. Whether
    anything else reads what a convolution puts out shows only in the result: the network is run
    before and after, and put back if its output has changed by more than rounding.

    Args:
        model: The network.
        example: A batch of one input, shape (1, C, H, W); noise does.

    Returns:
        How many were folded.

    Raises:
        ConfigurationError: If the network does not run on the example.
    """
    with evaluating(model):
        calls = trace(model, example)
        pairs = _pairs(calls)
        wanted = calls[0].output
        del calls
        replaced: list[tuple[str, nn.Module]] = []
        for conv_path, norm_path in pairs:
            conv, norm = model.get_submodule(conv_path), model.get_submodule(norm_path)
            assert isinstance(conv, nn.Conv2d), 'pairs are of convolutions'
            assert isinstance(norm, nn.BatchNorm2d), 'and batch normalisations'
            replaced += [(conv_path, conv), (norm_path, norm)]
            folded = fuse_conv_bn_eval(conv, norm).requires_grad_(conv.weight.requires_grad)
            _put(model, conv_path, folded)
            _put(model, norm_path, nn.Identity().eval())
        with torch.no_grad():
            unchanged = _close(model(example), wanted)
    if not unchanged:
        for path, module in replaced:
            _put(model, path, module)
        return 0
    return len(pairs)


def _pairs(calls: list[Call]) -> list[tuple[str, str]]:
    """Return the paths of convolutions and the normalisations that follow them at once."""
    times = Counter(id(call.module) for call in calls)
    by_output = {id(call.output): call for call in calls if isinstance(call.module, nn.Conv2d)}
    pairs = []
    for call in calls:
        before = by_output.get(id(call.input))
        if (
            before is not None
            and isinstance(call.module, nn.BatchNorm2d)
            and call.module.track_running_stats
            and times[id(call.module)] == times[id(before.module)] == 1
            and call.input_version == before.output_version
        ):
            pairs.append((before.layer, call.layer))
    return pairs


def _put(model: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition('.')
    setattr(model.get_submodule(parent), name, module)


def _close(given: object, wanted: object) -> bool:
    """Whether two outputs, tensors or what holds them, are the same but for rounding."""
    if isinstance(wanted, Tensor) and isinstance(given, Tensor):
        return relative_difference(given, wanted) <= _TOLERANCE
    if isinstance(wanted, dict) and isinstance(given, dict):
        return all(_close(given[key], wanted[key]) for key in wanted)
    if isinstance(wanted, (tuple, list)) and isinstance(given, (tuple, list)):
        return all(_close(one, other) for one, other in zip(given, wanted, strict=True))
    return given is wanted
