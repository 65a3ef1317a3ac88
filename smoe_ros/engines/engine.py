# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every engine does: one forward pass, and of it what an explanation needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from smoe_ros.errors import ConfigurationError
from smoe_ros.saliency.methods import MethodOptions


class EngineError(ConfigurationError):
    """An engine that is not installed, or cannot run this network; eager torch can."""


def short_reason(error: BaseException) -> str:
    """Return an error of a compiler or exporter as one line of readable length."""
    while error.__cause__ is not None:
        error = error.__cause__
    # Compilers wrap the cause in pages of advice; its first line says what was wrong.
    text = ' '.join(str(error).strip().partition('\n')[0].split())
    name = type(error).__name__
    return f'{name}: {text[:200]}' if text else name


def relative_difference(given: Tensor, wanted: Tensor) -> float:
    """Return the largest difference between two tensors, over the wanted one's largest value."""
    largest = max(wanted.abs().max().item(), torch.finfo(torch.float32).tiny)
    return (given - wanted).abs().max().item() / largest


@dataclass
class ForwardPass:
    """What was read in one forward pass of B frames.

    Attributes:
        raw_maps: The statistic of each scale, finest first, shape (B, h, w) each.
        activations: The activations, float32, shape (B, C, h, w) each, if they were asked for.
        logits: The network's output, shape (B, K); None if it is not one tensor (B, K).
        classes: Class that the class activation is of, shape (B,); None without.
        class_activation: Of the deepest scale, shape (B, h, w), not normalised; None without.
    """

    raw_maps: list[Tensor]
    activations: list[Tensor] = field(default_factory=list)
    logits: Tensor | None = None
    classes: Tensor | None = None
    class_activation: Tensor | None = None


class Engine(ABC):
    """Runs a network and reduces the activation of each of its scales.

    Attributes:
        name: What users call it.
    """

    name: str

    def serves(self, method: MethodOptions) -> bool:
        """Whether it gives what a method needs of the network."""
        return True

    def takes(self, batch: Tensor) -> bool:
        """Whether it is ready for batches of this shape."""
        return True

    @abstractmethod
    def forward(
        self, batch: Tensor, method: MethodOptions, *, keep_activations: bool = False
    ) -> ForwardPass:
        """Run the network once in evaluation mode.

        Args:
            batch: Its input, shape (B, C, H, W).
            method: Which statistic, and which class activation of which class.
            keep_activations: Whether to give the activations as well.

        Raises:
            ConfigurationError: If the network has no class scores for a class activation or not
                this class, or an activation has no value before it for the statistic.
        """

    def prepare(self, batch: Tensor) -> None:
        """Make ready for batches of this shape, where that takes time.

        Raises:
            EngineError: If it cannot run them.
        """
        return

    def set_threads(self, count: int) -> None:
        """Run on so many CPU threads from now on, where torch's number says nothing."""
        return
