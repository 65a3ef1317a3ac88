# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is compared: ways to make a saliency map of a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from smoe_ros.evaluation.arrays import Array

Kind: TypeAlias = Literal['ours', 'baseline', 'peer']


@dataclass(frozen=True)
class MapMethod:
    """One way to make saliency maps.

    Attributes:
        name: Its name in tables; one of a kind.
        kind: ``'ours'``, ``'baseline'`` (what any method has to beat) or ``'peer'`` (another
            library's).
        explain: Makes of a batch, shape (B, 3, H, W), prepared for the network, and one class a
            picture, shape (B,), maps of shape (B, H, W): float32, finite, not negative, higher
            where more salient.
        uses_class: Whether the map depends on the class.
        note: What a reader of the tables should know of it.
    """

    name: str
    kind: Kind
    explain: Callable[[Tensor, Tensor], Tensor]
    uses_class: bool = False
    note: str = ''

    def of(self, image: Tensor, label: int) -> Array:
        """Return the map of one picture, (3, H, W) and its class -> (H, W)."""
        labels = torch.tensor([label], device=image.device)
        return self.explain(image[None], labels)[0].cpu().numpy()
