# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network written down as a graph, its scales' activations among the outputs."""

from __future__ import annotations

import copy
import threading
import warnings
from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from smoe_ros.engines.eager import EagerEngine
from smoe_ros.engines.engine import (
    Engine,
    EngineError,
    ForwardPass,
    relative_difference,
    short_reason,
)
from smoe_ros.options.choices import NO_CAM, PRE_ACTIVATION_STATISTICS
from smoe_ros.saliency.methods import STATISTICS, MethodOptions
from smoe_ros.scales import STRIDE, Scale, evaluating, observing

# Of an engine's values, as a share of the largest: another order of sums stays far below.
TOLERANCE = 1e-4
# torch's exporter changes state of the whole process.
_exporting = threading.Lock()


class WithActivations(nn.Module):
    """A network that also puts out the activations of its scales."""

    def __init__(self, model: nn.Module, scales: Sequence[Scale]) -> None:
        """Wrap a network in evaluation mode; its scales are finest first."""
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


class ExportedEngine(Engine):
    """Runs the graph of a network as it was when the engine was made.

    A graph gives activations and nothing else: no gradient, no value before an activation.
    """

    def __init__(self, scales: Sequence[Scale]) -> None:
        """Note what the graph puts out: the activations of scales, finest first."""
        self._scales = tuple(scales)

    @abstractmethod
    def run(self, batch: Tensor) -> Sequence[Tensor]:
        """Return what `WithActivations` puts out for a batch."""

    def serves(self, method: MethodOptions) -> bool:
        """Whether a method needs activations only; see `Engine`."""
        return method.cam == NO_CAM and method.statistic not in PRE_ACTIVATION_STATISTICS

    def forward(
        self, batch: Tensor, method: MethodOptions, *, keep_activations: bool = False
    ) -> ForwardPass:
        """Run the graph once, and reduce its activations; see `Engine`."""
        with torch.inference_mode():
            outputs = self.run(batch)
            maps = [
                scale.channels_first(one)
                for scale, one in zip(self._scales, outputs, strict=False)
            ]
            logits = [one for one in outputs[len(maps) :] if one.ndim == 2]
            return ForwardPass(
                [STATISTICS[method.statistic](one) for one in maps],
                [one.float() for one in maps] if keep_activations else [],
                logits[0] if logits else None,
            )

    def check(self, model: nn.Module, batch: Tensor) -> None:
        """Refuse to go on if the graph cannot be run, or computes something else than torch.

        Args:
            model: The network that was written down.
            batch: What to try it on, shape (B, C, H, W).

        Raises:
            EngineError: Also if an activation or the logits differ by more than 1e-4 of their
                largest value.
        """
        self.prepare(batch)
        mine, torchs = (
            engine.forward(batch, MethodOptions(statistic='channel_mean'), keep_activations=True)
            for engine in (self, EagerEngine(model, self._scales))
        )
        if mine.logits is None or torchs.logits is None:
            if mine.logits is not torchs.logits:
                raise EngineError('its output is of another kind than in torch')
        else:
            _check_same('its output', mine.logits, torchs.logits)
        for scale, one, other in zip(
            self._scales, mine.activations, torchs.activations, strict=True
        ):
            _check_same(f"its activation of '{scale.layer}'", one, other)


def _check_same(name: str, mine: Tensor, torchs: Tensor) -> None:
    if mine.shape != torchs.shape:
        raise EngineError(f'{name} has shape {tuple(mine.shape)}, in torch {tuple(torchs.shape)}')
    difference = relative_difference(mine, torchs)
    if not difference <= TOLERANCE:
        raise EngineError(
            f"{name} differs from torch's by {difference:.1g} of its largest value, "
            f'more than {TOLERANCE:g}'
        )
