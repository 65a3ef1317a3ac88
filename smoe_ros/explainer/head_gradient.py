# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The gradient of a class's score with respect to one activation, and nothing before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from smoe_ros.errors import ConfigurationError


class HeadGradient:
    """Records only what a network computes after one activation.

    Everything before runs without autograd, so that the gradient costs what the head costs.

    Example:
        >>> head = HeadGradient()
        >>> with head.recording():
        ...     logits = model(batch)       # a hook puts head.cut(activation) in its place
        >>> activation, gradient = head.gradient(logits, classes)
    """

    def __init__(self) -> None:
        """Record nothing yet."""
        self.activation: Tensor | None = None

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Run the network without autograd until `cut`; leaves autograd's mode as found."""
        with torch.inference_mode(False), torch.no_grad():
            yield

    def cut(self, activation: Tensor) -> Tensor:
        """Begin to record here; the result takes the activation's place in the network.

        It is a copy, which the head may change in place.
        """
        self.activation = activation.detach().requires_grad_()
        torch.set_grad_enabled(True)
        return self.activation.clone()

    def gradient(self, logits: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the activation, and the gradient of each frame's score with respect to it.

        Args:
            logits: The network's output, shape (B, K).
            classes: The class of each frame, shape (B,).

        Raises:
            ConfigurationError: If the scores do not depend on the activation, or no gradient
                passes through the head.
        """
        scores = logits.gather(1, classes[:, None]).sum()
        gradient = None
        if self.activation is not None and scores.requires_grad:
            (gradient,) = torch.autograd.grad(scores, self.activation, allow_unused=True)
        if self.activation is None or gradient is None:
            raise ConfigurationError(
                'cam needs class scores that depend on the deepest scale, and a head that lets '
                "gradients through; set cam to 'none'"
            )
        return self.activation.detach(), gradient
