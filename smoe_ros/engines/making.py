# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An engine by its name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from smoe_ros.engines.eager import EagerEngine
from smoe_ros.engines.engine import Engine, EngineError
from smoe_ros.errors import unknown_name
from smoe_ros.options.choices import AUTO, COMPILED, ENGINES, TORCH
from smoe_ros.scales import Scale


def make_engine(name: str, model: nn.Module, scales: Sequence[Scale], example: Tensor) -> Engine:
    """Make an engine; any other than eager torch is checked to give what torch gives.

    Args:
        name: ``'torch'``, ``'compiled'`` or ``'onnxruntime'``.
        model: The network; only eager torch keeps it, the others run it as it is now.
        scales: The activations to read, finest first.
        example: A batch of one input, shape (1, C, H, W); noise does.

    Raises:
        ConfigurationError: If the name is unknown.
        EngineError: If the engine is not installed, cannot run the network, or gives something
            else than torch.
    """
    if name == AUTO or name not in ENGINES:
        raise unknown_name('engine', name, set(ENGINES) - {AUTO})
    if name == TORCH:
        return EagerEngine(model, scales)
    if example.dtype != torch.float32:
        numbers = str(example.dtype).removeprefix('torch.')
        raise EngineError(f'it computes in fp32, and the precision asked for is {numbers}')
    # Each brings packages that only it needs.
    if name == COMPILED:
        from smoe_ros.engines.torch_compile import CompiledEngine  # noqa: PLC0415

        return CompiledEngine(model, scales, example)
    from smoe_ros.engines.onnx_runtime import OnnxEngine  # noqa: PLC0415

    return OnnxEngine(model, scales, example)
