# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Look into a network while it runs, and leave no trace."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

# Of each network held in evaluation mode: how many hold it, and its modules that were training.
_held: dict[nn.Module, tuple[int, list[nn.Module]]] = {}
_holding = threading.Lock()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Hold a network in evaluation mode, and leave each module's mode as found.

    Several threads may hold it at once: the last to leave puts the modes back.
    """
    with _holding:
        holders, training = _held.get(model, (0, []))
        if not holders:
            training = _in_training(model)
            for module in training:
                module.training = False
        _held[model] = (holders + 1, training)
    try:
        yield
    finally:
        with _holding:
            holders, training = _held.pop(model)
            if holders > 1:
                _held[model] = (holders - 1, training)
            else:
                for module in training:
                    module.training = True


def _in_training(model: nn.Module) -> list[nn.Module]:
    """Return the modules in training mode; `model.modules()` takes ten times as long."""
    found, waiting = [], [model]
    while waiting:
        module = waiting.pop()
        if module.training:
            found.append(module)
        waiting += [child for child in module._modules.values() if child is not None]
    return found


@contextmanager
def observing(
    model: nn.Module,
    points: Sequence[tuple[str, int]],
    read: Callable[[int, Tensor], Tensor | None],
) -> Iterator[None]:
    """Read chosen activations of one forward pass on the spot.

    The activation is read inside its hook: still in cache, never kept, and before a later
    operation in place can change it. The hooks are removed on leaving, and see only the calls of
    the thread that entered.

    Args:
        model: The network.
        points: Module path and call number (from 0) of each activation.
        read: Called with the number of a point and its activation; what it returns takes the
            activation's place in the network, None leaves it.

    Raises:
        RuntimeError: On leaving without another error, if a point was not reached.
    """
    numbers = {point: number for number, point in enumerate(points)}
    reached: set[tuple[str, int]] = set()
    counts: Counter[str] = Counter()
    thread = threading.get_ident()

    def hook_of(layer: str) -> Callable[..., Tensor | None]:
        def hook(_module: nn.Module, _args: Any, output: Any) -> Tensor | None:
            if threading.get_ident() != thread:
                return None
            point = (layer, counts[layer])
            counts[layer] += 1
            if point not in numbers:
                return None
            reached.add(point)
            return read(numbers[point], output)

        return hook

    handles: list[RemovableHandle] = []
    try:
        for layer in dict.fromkeys(layer for layer, _ in points):
            handles.append(model.get_submodule(layer).register_forward_hook(hook_of(layer)))
        yield
        missing = [f'{layer}#{call}' for layer, call in points if (layer, call) not in reached]
        if missing:
            raise RuntimeError(f'the forward pass did not reach {", ".join(missing)}')
    finally:
        for handle in handles:
            handle.remove()
