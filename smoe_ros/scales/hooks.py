# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Look into a network while it runs, and leave no trace."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

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
def hooked(
    modules: Iterable[nn.Module],
    *,
    before: Callable[[nn.Module, Any], None] | None = None,
    after: Callable[[nn.Module, Any, Any], Tensor | None] | None = None,
) -> Iterator[None]:
    """Be called whenever one of some modules runs in the thread that entered.

    Other threads may run the same network meanwhile: their calls are not seen. The hooks are
    removed on any way out, also where registering one of them fails.

    Args:
        modules: The modules.
        before: Called with a module and its positional arguments before it runs.
        after: Called with a module, its positional arguments and its output when it has run; what
            it returns takes the output's place in the network, None leaves it.
    """
    thread = threading.get_ident()

    def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *call: function(*call) if threading.get_ident() == thread else None

    with ExitStack() as removals:
        for module in modules:
            if before is not None:
                removals.callback(module.register_forward_pre_hook(guarded(before)).remove)
            if after is not None:
                removals.callback(module.register_forward_hook(guarded(after)).remove)
        yield


@contextmanager
def observing(
    model: nn.Module,
    points: Sequence[tuple[str, int]],
    read: Callable[[int, Tensor], Tensor | None],
) -> Iterator[None]:
    """Read chosen activations of one forward pass on the spot.

    The activation is read inside its hook: still in cache, never kept, and before a later
    operation in place can change it.

    Args:
        model: The network.
        points: Module path and call number (from 0) of each activation.
        read: Called with the number of a point and its activation; what it returns takes the
            activation's place in the network, None leaves it.

    Raises:
        RuntimeError: On leaving without another error, if a point was not reached.
    """
    modules = [model.get_submodule(layer) for layer, _ in points]
    waiting = {
        (module, call): number
        for number, (module, (_, call)) in enumerate(zip(modules, points, strict=True))
    }
    counts: Counter[nn.Module] = Counter()

    def after(module: nn.Module, _args: Any, output: Any) -> Tensor | None:
        number = waiting.pop((module, counts[module]), None)
        counts[module] += 1
        return None if number is None else read(number, output)

    with hooked(dict.fromkeys(modules), after=after):
        yield
        if waiting:
            missing = ', '.join(f'{points[n][0]}#{points[n][1]}' for n in waiting.values())
            raise RuntimeError(f'the forward pass did not reach {missing}')
