# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One forward pass written down as the calls of its modules."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from smoe_ros.errors import ConfigurationError
from smoe_ros.scales.feature_maps import FeatureMap, feature_map, octave_of
from smoe_ros.scales.hooks import evaluating, hooked


@dataclass(eq=False)
class Call:
    """One call of one module.

    Attributes:
        layer: Path of the module, as in ``named_modules()``; empty for the network itself.
        index: Which call of this module within the pass, from 0.
        module: The module.
        parent: The call inside which it ran, None for the network itself.
        start: Time of its start, as a count of starts and ends.
        end: Time of its end.
        argument: The first tensor among its arguments, None if there is none.
        input: The first of four dimensions among them, None if there is none.
        input_octave: How often the resolution of the input was halved, None without an input.
        input_version: How often the input had been changed in place when it started.
        output: What it returned.
        output_version: How often the output had been changed in place when it ended.
        map: How the output lies over the image, None if it is no map.
        octave: How often the resolution of that map was halved, None if there is none.
        rectified: Whether the output was a map without negative values when the call ended
            (an operation in place may change it later).
    """

    layer: str
    index: int
    module: nn.Module
    parent: Call | None
    start: int
    argument: Tensor | None
    input: Tensor | None
    input_octave: int | None
    input_version: int
    end: int = -1
    output: Any = None
    output_version: int = 0
    map: FeatureMap | None = None
    octave: int | None = None
    rectified: bool = False

    def ancestors(self) -> Iterator[Call]:
        """Yield the calls around this one, innermost first."""
        call = self.parent
        while call is not None:
            yield call
            call = call.parent


def trace(model: nn.Module, example: Tensor) -> list[Call]:
    """Run a network once and write down every call of a module, in order of their starts.

    All inputs and outputs stay alive with the list, so that tensors can be told apart by identity.
    Calls in other threads are not written down.

    Args:
        model: The network; run in evaluation mode and left as found.
        example: Its input, shape (B, C, H, W).

    Raises:
        ConfigurationError: If the network does not run on the example, as when it is too small.
    """
    paths = {module: path for path, module in model.named_modules()}
    calls: list[Call] = []
    running: list[Call] = []
    counts: Counter[nn.Module] = Counter()
    clock = itertools.count()

    def started(module: nn.Module, args: Any) -> None:
        tensors = [argument for argument in args if isinstance(argument, Tensor)]
        first_map = next((tensor for tensor in tensors if tensor.ndim == 4), None)
        call = Call(
            paths[module],
            counts[module],
            module,
            running[-1] if running else None,
            next(clock),
            next(iter(tensors), None),
            first_map,
            None if first_map is None else octave_of(first_map, example),
            version_of(first_map),
        )
        counts[module] += 1
        calls.append(call)
        running.append(call)

    def ended(_module: nn.Module, _args: Any, output: Any) -> None:
        call = running.pop()
        call.end, call.output, call.output_version = next(clock), output, version_of(output)
        call.map = feature_map(output, example)
        if call.map is not None:
            call.octave = octave_of(output, example)
        if isinstance(output, Tensor) and output.ndim == 4:
            call.rectified = bool((output >= 0).all())

    try:
        # Without inference mode, whose tensors do not count their changes.
        with (
            evaluating(model),
            hooked(paths, before=started, after=ended),
            torch.inference_mode(False),
            torch.no_grad(),
        ):
            model(example)
    except torch.cuda.OutOfMemoryError:
        raise  # which a smaller input or another device mends
    except (RuntimeError, AssertionError) as error:  # torch and torchvision raise either
        size = '×'.join(str(side) for side in example.shape[1:])
        raise ConfigurationError(
            f'{type(model).__name__} does not run on an input of {size}, a larger one may do: '
            f'{error}'
        ) from error
    return calls


def version_of(value: object) -> int:
    """Return how often a tensor has been changed in place; 0 for anything else."""
    return value._version if isinstance(value, Tensor) and not value.is_inference() else 0
