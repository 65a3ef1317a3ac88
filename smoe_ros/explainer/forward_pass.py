# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One forward pass of a network, and what an explanation needs of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from smoe_ros.engines import Engine
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.head_gradient import HeadGradient
from smoe_ros.saliency import class_activation
from smoe_ros.saliency.methods import NO_CAM, PRE_ACTIVATION_STATISTICS, STATISTICS, MethodOptions
from smoe_ros.scales import Scale, evaluating, observing
from smoe_ros.scales.pre_activations import recording_pre_activations


@dataclass
class ForwardPass:
    """What was read in one forward pass of B frames.

    Attributes:
        raw_maps: The statistic of each scale, finest first, shape (B, h, w) each.
        activations: Copies of the activations, shape (B, C, h, w) each, if they were asked for.
        logits: The network's output, shape (B, K); None if it is not one tensor (B, K).
        classes: Class that the class activation is of, shape (B,); None without.
        class_activation: Of the deepest scale, shape (B, h, w), not normalised; None without.
    """

    raw_maps: list[Tensor]
    activations: list[Tensor] = field(default_factory=list)
    logits: Tensor | None = None
    classes: Tensor | None = None
    class_activation: Tensor | None = None


def run(
    model: nn.Module,
    batch: Tensor,
    scales: Sequence[Scale],
    method: MethodOptions,
    *,
    target_classes: Sequence[int] | None = None,
    keep_activations: bool = False,
) -> ForwardPass:
    """Run a network once in evaluation mode, each scale reduced inside its hook.

    Args:
        model: The network.
        batch: Its input, shape (B, C, H, W).
        scales: The activations to read, finest first.
        method: Which statistic, and which class activation of which class.
        target_classes: Class of each frame's class activation; None takes the method's.
        keep_activations: Whether to copy the activations.

    Raises:
        ConfigurationError: If the network has no class scores for a class activation or not this
            class, or an activation has no value before it for the statistic.
    """
    statistic, cam = method.statistic, method.cam
    raw_maps: dict[int, Tensor] = {}
    copies: dict[int, Tensor] = {}
    before: Callable[[Tensor], Tensor | None] | None = None
    head = None if cam == NO_CAM else HeadGradient()

    def read(number: int, output: Tensor) -> Tensor | None:
        scale = scales[number]
        with torch.no_grad():
            if keep_activations:
                copies[number] = scale.channels_first(output).float().clone()
            value = output if before is None else _known(before(output), scale, statistic)
            raw_maps[number] = STATISTICS[statistic](scale.channels_first(value))
        return head.cut(output) if head is not None and number == len(scales) - 1 else None

    with ExitStack() as stack:
        stack.enter_context(evaluating(model))
        stack.enter_context(torch.inference_mode() if head is None else head.recording())
        if statistic in PRE_ACTIVATION_STATISTICS:
            before = stack.enter_context(recording_pre_activations(model))
        points = [(scale.layer, scale.call) for scale in scales]
        with observing(model, points, read):
            output = model(batch)
        seen = ForwardPass(
            [raw_maps[number] for number in range(len(scales))],
            [copies[number] for number in sorted(copies)],
            output if isinstance(output, Tensor) and output.ndim == 2 else None,
        )
        if head is not None:
            if seen.logits is None:
                raise ConfigurationError(
                    f'cam needs a classifier: {type(model).__name__} puts out no scores of shape '
                    "(B, K); set cam to 'none'"
                )
            seen.classes = _classes(seen.logits, method.target_class, target_classes)
            activation, gradient = head.gradient(seen.logits, seen.classes)
            # Without the score: exp(score) only scales a frame's map, which is normalised after.
            seen.class_activation = class_activation(
                scales[-1].channels_first(activation), scales[-1].channels_first(gradient), cam
            )
            seen.logits = seen.logits.detach()
    return seen


def run_engine(
    engine: Engine,
    batch: Tensor,
    scales: Sequence[Scale],
    method: MethodOptions,
    *,
    keep_activations: bool = False,
) -> ForwardPass:
    """Run a network once by an engine, and reduce each scale's activation.

    Args:
        engine: Runs the network.
        batch: Its input, shape (B, C, H, W).
        scales: The activations to read, finest first.
        method: Which statistic of the activations; its class activation is not made.
        keep_activations: Whether to give the activations as well.
    """
    with torch.inference_mode():
        output, activations = engine.run(batch)
        maps = [
            scale.channels_first(activation)
            for scale, activation in zip(scales, activations, strict=True)
        ]
        return ForwardPass(
            [STATISTICS[method.statistic](one) for one in maps],
            [one.float() for one in maps] if keep_activations else [],
            output if output is not None and output.ndim == 2 else None,
        )


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


def _classes(logits: Tensor, target: int | None, targets: Sequence[int] | None) -> Tensor:
    """Return the class of each frame, shape (B,)."""
    frames, count = logits.shape
    if targets is None:
        if target is None:
            return logits.detach().argmax(dim=1)
        targets = [target] * frames
    if len(targets) != frames:
        raise ConfigurationError(f'{len(targets)} target classes given for {frames} frames')
    for one in targets:
        check_class(one, count)
    return torch.tensor(list(targets), device=logits.device)
