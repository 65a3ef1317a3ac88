# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network written down as a graph, its scales' activations among the outputs."""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from smoe_ros.engines.engine import EngineError, short_reason
from smoe_ros.scales import STRIDE, Scale, evaluating, observing

# Of an engine's values, as a share of the largest: another order of sums stays far below.
TOLERANCE = 1e-4
# torch's exporter changes state of the whole process.
_exporting = threading.Lock()


class WithActivations(nn.Module):
    """A network that also puts out the activations of its scales."""

    def __init__(self, model: nn.Module, scales: Sequence[Scale]) -> None:
        """Wrap a network.

        Args:
            model: The network, in evaluation mode.
            scales: The activations, finest first.
        """
        super().__init__()
        self.model = model
        self._points = [(scale.layer, scale.call) for scale in scales]

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Return the activations, and after them the output if it is one tensor."""
        activations: dict[int, Tensor] = {}

        def read(number: int, output: Tensor) -> None:
            activations[number] = output.clone()

        with observing(self.model, self._points, read):
            output = self.model(batch)
        given = tuple(activations[number] for number in range(len(self._points)))
        return (*given, output) if isinstance(output, Tensor) else given


def export(
    model: nn.Module, scales: Sequence[Scale], example: Tensor, *, any_size: bool
) -> ExportedProgram:
    """Write a network down as a graph.

    Args:
        model: The network; a copy of it is exported, so that it may run meanwhile.
        scales: The activations to put out, finest first.
        example: A batch of its input, shape (B, C, H, W).
        any_size: Whether the graph takes any number of frames of any size, or only this shape.

    Raises:
        EngineError: If torch cannot export it.
    """
    wrapped = WithActivations(copy.deepcopy(model), scales)
    batch, shapes = example, None
    if any_size:
        height, width = example.shape[-2:]
        # Dimensions that are 1, or equal to each other, would be taken for always so.
        batch = example.new_zeros(2, example.shape[1], height, width + STRIDE)
        sizes = {0: Dim('frames'), 2: STRIDE * Dim('rows'), 3: STRIDE * Dim('columns')}
        shapes = {'batch': sizes}
    with _exporting, evaluating(wrapped), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            return torch.export.export(wrapped, (batch,), dynamic_shapes=shapes, strict=False)
        except Exception as error:  # whatever a network does that cannot be followed
            raise EngineError(f'torch cannot export it: {short_reason(error)}') from error


def torch_activations(
    model: nn.Module, scales: Sequence[Scale], batch: Tensor
) -> tuple[Tensor | None, list[Tensor]]:
    """Run a network in eager torch; returns what `Engine.run` returns."""
    with evaluating(model), torch.inference_mode():
        return split_outputs(WithActivations(model, scales)(batch), len(scales))


def split_outputs(outputs: Sequence[Tensor], count: int) -> tuple[Tensor | None, list[Tensor]]:
    """Return the network's output, if it was one tensor, and the activations of its scales."""
    return (outputs[count] if len(outputs) > count else None), list(outputs[:count])


def check_same(
    scales: Sequence[Scale],
    given: tuple[Tensor | None, list[Tensor]],
    wanted: tuple[Tensor | None, list[Tensor]],
) -> None:
    """Refuse an engine that computes something else than torch.

    Args:
        scales: The scales, finest first.
        given: Output and activations of the engine.
        wanted: Those of eager torch on the same input.

    Raises:
        EngineError: If one of them differs by more than 1e-4 of its largest value.
    """
    names = ['its output', *(f"its activation of '{scale.layer}'" for scale in scales)]
    for name, mine, torchs in zip(
        names, (given[0], *given[1]), (wanted[0], *wanted[1]), strict=True
    ):
        if mine is None or torchs is None:
            if mine is not torchs:
                raise EngineError(f'{name} is of another kind than in torch')
            continue
        if mine.shape != torchs.shape:
            raise EngineError(
                f'{name} has shape {tuple(mine.shape)}, in torch {tuple(torchs.shape)}'
            )
        largest = max(torchs.abs().max().item(), torch.finfo(torch.float32).tiny)
        difference = (mine - torchs).abs().max().item() / largest
        if not difference <= TOLERANCE:
            raise EngineError(
                f"{name} differs from torch's by {difference:.1g} of its largest value, "
                f'more than {TOLERANCE:g}'
            )
