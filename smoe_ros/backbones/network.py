# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every source of networks gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torchvision
from torch import nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass
class Network:
    """A network as it was loaded.

    Attributes:
        model: The network.
        labels: Name of each class; empty if they are not known.
        mean: Mean of each RGB channel that it was trained with, for pixel values 0..1.
        std: Standard deviation likewise.
    """

    model: nn.Module
    labels: tuple[str, ...] = ()
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD


def class_labels(classes: int) -> tuple[str, ...]:
    """Return the ImageNet names for 1000 classes, else numbered ones."""
    if classes == 1000:
        return tuple(torchvision.models.ResNet50_Weights.DEFAULT.meta['categories'])
    return tuple(f'class {index}' for index in range(classes))
