# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What remains of a network when it becomes random from its output downwards.

Source: Adebayo et al., "Sanity Checks for Saliency Maps", arXiv 1810.03292: a map that explains a
network cannot survive that.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from smoe_ros.scales import trace

NOTHING = 'nothing'


def cascade(
    model: nn.Module, images: Tensor, steps: int = 8, seed: int = 0
) -> Iterator[tuple[str, nn.Module]]:
    """Randomise a copy of a network group by group, from the output to the input.

    Weights are drawn as for a new network (`reset_parameters`). The statistics of all batch
    normalisations are computed anew each time: those of the trained weights would let activations
    vanish or explode, and the maps would differ for that reason.

    Args:
        model: The network; it is not changed.
        images: Pictures for those statistics, shape (B, 3, H, W).
        steps: Number of groups, each of about as many layers.
        seed: Of the weights.

    Yields:
        Path of the last layer that became random, and the network, the same object each time;
        first ``'nothing'``: what the new statistics alone do.

    Raises:
        ValueError: If no layer of the network can be drawn anew, or the pictures are too few and
            small for the statistics.
    """
    model = copy.deepcopy(model).eval()
    layers = _layers(model, images)
    if not layers:
        raise ValueError(f'no layer of {type(model).__name__} has weights to randomise')
    _recompute_statistics(model, images)
    yield NOTHING, model
    for number, group in enumerate(np.array_split(layers, min(steps, len(layers)))):
        with torch.random.fork_rng():
            torch.manual_seed(seed + number)
            for layer in group.tolist():
                reset: Any = model.get_submodule(layer).reset_parameters
                reset()
        _recompute_statistics(model, images)
        yield str(group[-1]), model


def _layers(model: nn.Module, images: Tensor) -> list[str]:
    """Return the paths of the modules whose weights can be drawn anew, the last to run first."""
    found = [
        call.layer
        for call in trace(model, images[:1])
        if callable(getattr(call.module, 'reset_parameters', None))
        and any(True for _ in call.module.parameters(recurse=False))
    ]
    return list(dict.fromkeys(reversed(found)))


def _recompute_statistics(model: nn.Module, images: Tensor) -> None:
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all passes
        norm.train()
    try:
        with torch.no_grad():
            model(images)
    except ValueError as error:  # torch refuses the variance of a single value
        shape = '×'.join(map(str, images.shape))
        raise ValueError(
            f'no statistics of batch normalisation can be had of a batch of {shape}: give more '
            f'pictures, or larger ones ({error})'
        ) from None
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
