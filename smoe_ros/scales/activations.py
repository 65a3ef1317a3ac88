# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which modules of a network are activations."""

from __future__ import annotations

from torch import nn

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


def is_activation(module: nn.Module) -> bool:
    """Whether a module is an activation such as ReLU, by its class or its class's name."""
    if isinstance(module, _ACTIVATIONS):
        return True
    name = type(module).__name__.lower()
    return not any(module.children()) and any(part in name for part in _NAME_PARTS)


def is_gate(module: nn.Module) -> bool:
    """Whether a module only turns values into weights or probabilities."""
    return isinstance(module, _GATES)
