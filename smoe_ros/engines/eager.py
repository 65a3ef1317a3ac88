# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network run by torch as it is, each scale reduced inside its hook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from smoe_ros.engines.engine import Engine, ForwardPass
from smoe_ros.errors import ConfigurationError
from smoe_ros.options.choices import NO_CAM, PRE_ACTIVATION_STATISTICS, TORCH
from smoe_ros.saliency import class_activation
from smoe_ros.saliency.methods import STATISTICS, MethodOptions
from smoe_ros.scales import Scale, evaluating, observing, recording_pre_activations


class EagerEngine(Engine):
    """Runs a network as it is at each call, for every method and batch.

    Attributes:
        model: The network.
    """

    name = TORCH

    def __init__(self, model: nn.Module, scales: Sequence[Scale]) -> None:
        """Take a network, and its scales, finest first; hooks are in it during a pass only."""
        self.model, self._scales = model, tuple(scales)

    def forward(
        self, batch: Tensor, method: MethodOptions, *, keep_activations: bool = False
    ) -> ForwardPass:
        """Run the network once; the activations are copied if they are kept. See `Engine`."""
        scales, statistic = self._scales, method.statistic
        raw_maps: dict[int, Tensor] = {}
        copies: dict[int, Tensor] = {}
        before: Callable[[Tensor], Tensor | None] | None = None
        head = None if method.cam == NO_CAM else _Head()

        def read(number: int, output: Tensor) -> Tensor | None:
            scale = scales[number]
            with torch.no_grad():
                if keep_activations:
                    copies[number] = scale.channels_first(output).float().clone()
                value = output if before is None else _known(before(output), scale, statistic)
                raw_maps[number] = STATISTICS[statistic](scale.channels_first(value))
            return head.cut(output) if head is not None and number == len(scales) - 1 else None

        with ExitStack() as stack:
            stack.enter_context(evaluating(self.model))
            # Autograd takes no tensors of inference mode, which is faster where it has no part.
            stack.enter_context(torch.inference_mode(head is None))
            stack.enter_context(torch.no_grad())
            if statistic in PRE_ACTIVATION_STATISTICS:
                before = stack.enter_context(recording_pre_activations(self.model))
            points = [(scale.layer, scale.call) for scale in scales]
            with observing(self.model, points, read):
                output = self.model(batch)
            seen = ForwardPass(
                [raw_maps[number] for number in range(len(scales))],
                [copies[number] for number in sorted(copies)],
                output if isinstance(output, Tensor) and output.ndim == 2 else None,
            )
            if head is not None:
                self._add_class_activation(seen, head, method)
        return seen

    def _add_class_activation(self, seen: ForwardPass, head: _Head, method: MethodOptions) -> None:
        if seen.logits is None:
            raise ConfigurationError(
                f'cam needs a classifier: {type(self.model).__name__} puts out no scores of shape '
                "(B, K); set cam to 'none'"
            )
        seen.classes = _classes(seen.logits, method.target_class)
        activation, gradient = map(
            self._scales[-1].channels_first, head.gradient(seen.logits, seen.classes)
        )
        # Without the score: exp(score) only scales a frame's map, which is normalised after.
        seen.class_activation = class_activation(activation, gradient, method.cam)
        seen.logits = seen.logits.detach()


class _Head:
    """What a network computes after its deepest activation, recorded by autograd.

    Everything before runs without, so that the gradient costs what the head costs.
    """

    def __init__(self) -> None:
        self._activation: Tensor | None = None

    def cut(self, activation: Tensor) -> Tensor:
        """Begin to record, until the caller's `no_grad` ends.

        What is returned takes the activation's place: a copy, which may be changed in place.
        """
        self._activation = activation.detach().requires_grad_()
        torch.set_grad_enabled(True)
        return self._activation.clone()

    def gradient(self, logits: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the activation, and the gradient of each frame's score with respect to it."""
        scores = logits.gather(1, classes[:, None]).sum()
        gradient = None
        if self._activation is not None and scores.requires_grad:
            (gradient,) = torch.autograd.grad(scores, self._activation, allow_unused=True)
        if self._activation is None or gradient is None:
            raise ConfigurationError(
                'cam needs class scores that depend on the deepest scale, and a head that lets '
                "gradients through; set cam to 'none'"
            )
        return self._activation.detach(), gradient


def _known(value: Tensor | None, scale: Scale, statistic: str) -> Tensor:
    if value is None:
        raise ConfigurationError(
            f"statistic '{statistic}' needs the value before the activation, which cannot be had "
            f"of '{scale.layer}'; choose another statistic, or name other modules in scales"
        )
    return value


def check_class(index: int, count: int) -> None:
    """Refuse a class that a network does not have.

    Raises:
        ConfigurationError: With the classes that there are.
    """
    if not 0 <= index < count:
        raise ConfigurationError(
            f'target class {index} does not exist: the network has classes 0 to {count - 1}'
        )


def _classes(logits: Tensor, target: int | Sequence[int] | None) -> Tensor:
    """Return the class of each frame, shape (B,)."""
    frames, count = logits.shape
    if target is None:
        return logits.detach().argmax(dim=1)
    targets = [target] * frames if isinstance(target, int) else list(target)
    if len(targets) != frames:
        raise ConfigurationError(f'{len(targets)} target classes given for {frames} frames')
    for one in targets:
        check_class(one, count)
    return torch.tensor(targets, device=logits.device)
