# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What runs a network: eager torch, torch's compiler or ONNX Runtime, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.options.choices import COMPILED, ENGINES, ONNXRUNTIME
from smoe_ros.scales import Scale


class EngineError(ConfigurationError):
    """An engine that is not installed, or cannot run this network; eager torch can."""


def short_reason(error: BaseException) -> str:
    """Return an error of a compiler or exporter as one line of readable length."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    # Compilers wrap the cause in pages of advice; its first line says what was wrong.
    text = ' '.join(str(causes[-1]).strip().partition('\n')[0].split())
    name = type(causes[-1]).__name__
    return f'{name}: {text[:200]}' if text else name


class Engine(Protocol):
    """Runs a network, as it was when the engine was made, and gives its scales' activations."""

    def prepare(self, batch: Tensor) -> None:
        """Make ready for batches of this shape.

        Raises:
            EngineError: If it cannot run them.
        """

    def takes(self, batch: Tensor) -> bool:
        """Whether it is ready for batches of this shape."""

    def run(self, batch: Tensor) -> tuple[Tensor | None, list[Tensor]]:
        """Run the network once.

        Args:
            batch: Its input, shape (B, C, H, W), float32.

        Returns:
            Its output if that is one tensor, and the activation of each scale, finest first, as
            the module puts it out.
        """

    def set_threads(self, count: int) -> None:
        """Run on so many CPU threads from now on."""


def make_engine(name: str, model: nn.Module, scales: Sequence[Scale], example: Tensor) -> Engine:
    """Make an engine other than eager torch, and check that it gives what torch gives.

    Args:
        name: ``'compiled'`` or ``'onnxruntime'``.
        model: The network; it is neither changed nor kept.
        scales: The activations to give, finest first.
        example: A batch of one input, shape (1, C, H, W); noise does.

    Raises:
        ConfigurationError: If the name is unknown.
        EngineError: If the engine is not installed, cannot run the network, or gives something
            else than torch.
    """
    if name not in (COMPILED, ONNXRUNTIME):
        raise unknown_name('engine', name, ENGINES)
    if example.dtype != torch.float32:
        numbers = str(example.dtype).removeprefix('torch.')
        raise EngineError(f'it computes in fp32, and the precision asked for is {numbers}')
    # Each brings packages that only it needs.
    if name == COMPILED:
        from smoe_ros.engines.torch_compile import CompiledEngine  # noqa: PLC0415

        return CompiledEngine(model, scales, example)
    from smoe_ros.engines.onnx_runtime import OnnxEngine  # noqa: PLC0415

    return OnnxEngine(model, scales, example)
