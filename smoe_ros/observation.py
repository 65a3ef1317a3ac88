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
            training = [module for module in model.modules() if module.training]
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


@contextmanager
def observing(
    model: nn.Module,
    points: Sequence[tuple[str, int]],
    reduce: Callable[[Tensor], Tensor],
) -> Iterator[list[Tensor]]:
    """Reduce chosen activations of one forward pass on the spot.

    The activation is reduced inside its hook: still in cache, never kept, and before a later
    operation in place can change it. The hooks are removed on leaving, and see only the calls of
    the thread that entered.

    Args:
        model: The network.
        points: Module path and call number (from 0) of each activation.
        reduce: Maps an activation (B, C, H, W) to what is wanted of it.

    Yields:
        A list that holds, after the forward pass, one result a point.

    Raises:
        RuntimeError: On leaving without another error, if a point was not reached.
    """
    results: list[Tensor] = []
    found: dict[tuple[str, int], Tensor] = {}
    wanted = set(points)
    counts: Counter[str] = Counter()
    thread = threading.get_ident()

    def hook_of(layer: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            if threading.get_ident() != thread:
                return
            point = (layer, counts[layer])
            counts[layer] += 1
            if point in wanted:
                found[point] = reduce(output)

        return hook

    handles: list[RemovableHandle] = []
    try:
        for layer in dict.fromkeys(layer for layer, _ in points):
            handles.append(model.get_submodule(layer).register_forward_hook(hook_of(layer)))
        yield results
        missing = [f'{layer}#{call}' for layer, call in points if (layer, call) not in found]
        if missing:
            raise RuntimeError(f'the forward pass did not reach {", ".join(missing)}')
        results.extend(found[point] for point in points)
    finally:
        for handle in handles:
            handle.remove()
