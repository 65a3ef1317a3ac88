# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network compiled by torch: its weights frozen, for the shapes that were asked for."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from smoe_ros.engines.engine import EngineError, short_reason
from smoe_ros.engines.exporting import ExportedEngine, export
from smoe_ros.options.choices import COMPILED
from smoe_ros.scales import Scale


class CompiledEngine(ExportedEngine):
    """Runs a network through torch.compile with frozen weights; needs a C++ compiler.

    Each shape of the input is compiled by itself, which takes up to a minute and lets the
    compiler know every size: only the shapes of `prepare` are taken.
    """

    name = COMPILED

    def __init__(self, model: nn.Module, scales: Sequence[Scale], example: Tensor) -> None:
        """Compile a network for one shape, and check it; see `make_engine`."""
        super().__init__(scales)
        self._model = copy.deepcopy(model)
        self._compiled: dict[tuple[int, ...], Callable[[Tensor], tuple[Tensor, ...]]] = {}
        self.check(model, example)

    def prepare(self, batch: Tensor) -> None:
        """Compile for the shape of a batch; see `Engine`."""
        if self.takes(batch):
            return
        module = export(self._model, self._scales, batch, any_size=False).module()
        compiled = torch.compile(module, dynamic=False, options={'freezing': True})
        try:
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter('ignore')
                compiled(batch)
        except Exception as error:  # a missing compiler, or what it cannot compile
            raise EngineError(f'torch cannot compile it: {short_reason(error)}') from error
        self._compiled[tuple(batch.shape)] = compiled

    def takes(self, batch: Tensor) -> bool:
        """Whether it was compiled for this shape; see `Engine`."""
        return tuple(batch.shape) in self._compiled

    def run(self, batch: Tensor) -> Sequence[Tensor]:
        """Run the network once; see `ExportedEngine`."""
        with torch.no_grad():
            return self._compiled[tuple(batch.shape)](batch)
