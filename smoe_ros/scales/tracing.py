# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One forward pass written down as the calls of its modules."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from smoe_ros.errors import ConfigurationError


@dataclass(eq=False)
class Call:
    """One call of one module.

    Attributes:
        layer: Path of the module, as in ``named_modules()``; empty for the network itself.
        index: Which call of this module within the pass, from 0.
        module: The module.
        parent: The call inside which it ran, None for the network itself.
        depth: Number of calls around it.
        start: Time of its start, as a count of starts and ends.
        end: Time of its end.
        argument: The first tensor among its arguments, None if there is none.
        input: The first of four dimensions among them, None if there is none.
        input_version: How often the input had been changed in place when it started.
        output: What it returned.
        output_version: How often the output had been changed in place when it ended.
        rectified: Whether the output was a map without negative values when the call ended
            (an operation in place may change it later).
    """

    layer: str
    index: int
    module: nn.Module
    parent: Call | None
    depth: int
    start: int
    argument: Tensor | None
    input: Tensor | None
    input_version: int
    end: int = -1
    output: Any = None
    output_version: int = 0
    rectified: bool = False

    def ancestors(self) -> Iterator[Call]:
        """Yield the calls around this one, innermost first."""
        call = self.parent
        while call is not None:
            yield call
            call = call.parent


def trace(model: nn.Module, example: Tensor) -> list[Call]:
    """Run a network once and write down every call of a module, in order of their starts.

    All inputs and outputs stay alive with the list, so that tensors can be told apart by identity;
    the hooks are gone when this returns or raises. Calls in other threads are not written down.

    Args:
        model: The network, in evaluation mode.
        example: Its input, shape (B, C, H, W).

    Raises:
        ConfigurationError: If the network does not run on the example, as when it is too small.
    """
    calls: list[Call] = []
    open_calls: list[Call] = []
    counts: Counter[str] = Counter()
    clock = iter(range(2**62))
    thread = threading.get_ident()

    def started(layer: str, module: nn.Module, args: tuple[Any, ...]) -> None:
        if threading.get_ident() != thread:
            return
        parent = open_calls[-1] if open_calls else None
        tensors = [argument for argument in args if isinstance(argument, Tensor)]
        first_map = next((tensor for tensor in tensors if tensor.ndim == 4), None)
        call = Call(
            layer,
            counts[layer],
            module,
            parent,
            len(open_calls),
            next(clock),
            next(iter(tensors), None),
            first_map,
            version_of(first_map),
        )
        counts[layer] += 1
        calls.append(call)
        open_calls.append(call)

    def ended(output: Any) -> None:
        if threading.get_ident() != thread:
            return
        call = open_calls.pop()
        call.end = next(clock)
        call.output = output
        call.output_version = version_of(output)
        if isinstance(output, Tensor) and output.ndim == 4:
            call.rectified = bool((output >= 0).all())

    def start_hook(layer: str) -> Any:
        return lambda module, args: started(layer, module, args)

    def end_hook(_module: nn.Module, _args: Any, output: Any) -> None:
        ended(output)

    handles: list[RemovableHandle] = []
    try:
        for layer, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(start_hook(layer)))
            handles.append(module.register_forward_hook(end_hook))
        # Without inference mode, whose tensors do not count their changes.
        with torch.inference_mode(False), torch.no_grad():
            model(example)
    except torch.cuda.OutOfMemoryError:
        raise  # which a smaller input or another device mends
    except (RuntimeError, AssertionError) as error:  # torch and torchvision raise either
        size = '×'.join(str(side) for side in example.shape[1:])
        raise ConfigurationError(
            f'{type(model).__name__} does not run on an input of {size}, a larger one may do: '
            f'{error}'
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    return calls


def version_of(value: object) -> int:
    """Return how often a tensor has been changed in place; 0 for anything else."""
    return value._version if isinstance(value, Tensor) and not value.is_inference() else 0
