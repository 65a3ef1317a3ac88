# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which modules and functions are activations, and what their values were before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from smoe_ros.scales.hooks import hooked

# They weigh an activation, or turn a network's output into probabilities; they are none.
_GATES = (nn.Sigmoid, nn.Hardsigmoid, nn.Softmax, nn.Softmax2d)
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
_NAME_PARTS = ('relu', 'swish', 'silu', 'gelu', 'mish')
_RECTIFIERS = frozenset(
    {
        torch.relu,
        torch.relu_,
        Tensor.relu,
        Tensor.relu_,
        F.relu,
        F.relu6,
        F.leaky_relu,
        F.elu,
        F.gelu,
        F.silu,
        F.mish,
        F.hardswish,
        F.softplus,
    }
)
# They only put values elsewhere: what came before is moved the same way.
_MOVES = frozenset(
    {
        torch.cat,
        torch.chunk,
        torch.split,
        torch.transpose,
        torch.permute,
        torch.flatten,
        Tensor.chunk,
        Tensor.split,
        Tensor.transpose,
        Tensor.permute,
        Tensor.view,
        Tensor.reshape,
        Tensor.contiguous,
    }
)


def is_activation(module: nn.Module) -> bool:
    """Whether a module is an activation such as ReLU, by its class or its class's name."""
    if isinstance(module, _ACTIVATIONS):
        return True
    name = type(module).__name__.lower()
    return not any(module.children()) and any(part in name for part in _NAME_PARTS)


def is_gate(module: nn.Module) -> bool:
    """Whether a module only turns values into weights or probabilities."""
    return isinstance(module, _GATES)


@contextmanager
def recording_pre_activations(model: nn.Module) -> Iterator[Callable[[Tensor], Tensor | None]]:
    """Keep, for every rectified tensor of a forward pass, a copy of it before the activation.

    Activation modules and functions are seen, and followed through concatenation and channel
    shuffling, in the thread that entered. This copies every activation once.

    Yields:
        A function that returns, for a tensor inside the network, what it was before its
        activation; None for one that no activation made.
    """
    before: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
    inputs: list[Tensor | None] = []

    def entering(_module: nn.Module, args: tuple[Any, ...]) -> None:
        argument = args[0] if args else None
        inputs.append(argument.clone() if isinstance(argument, Tensor) else None)

    def leaving(_module: nn.Module, _args: Any, output: Any) -> None:
        argument = inputs.pop()
        if isinstance(output, Tensor) and argument is not None:
            before[output] = argument

    activations = [module for module in model.modules() if is_activation(module)]
    with hooked(activations, before=entering, after=leaving), _FunctionsRecorded(before):
        yield before.get


class _FunctionsRecorded(TorchFunctionMode):
    """Sees activations that are called as functions, and what moves their results."""

    def __init__(self, before: WeakTensorKeyDictionary) -> None:
        super().__init__()
        self._before = before

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _RECTIFIERS:
            argument = args[0].clone()
            result = func(*args, **kwargs)
            self._before[result] = argument
            return result
        result = func(*args, **kwargs)
        if func in _MOVES:
            moved = self._moved(args[0])
            if moved is not None:
                self._keep(result, func(moved, *args[1:], **kwargs))
        return result

    def _moved(self, argument: Any) -> Any:
        """Return what the tensor, or all of several, were before; None if one is unknown."""
        if isinstance(argument, Tensor):
            return self._before.get(argument)
        several = [self._before.get(tensor) for tensor in argument]
        return several if all(tensor is not None for tensor in several) else None

    def _keep(self, result: Any, before: Any) -> None:
        if isinstance(result, Tensor):
            self._before[result] = before
        else:
            for part, part_before in zip(result, before, strict=True):
                self._before[part] = part_before
