# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How frames are explained, as a user says it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from smoe_ros.backbones import Backbone, load_backbone
from smoe_ros.options.parameters import ExplainerOptions, NetworkOptions
from smoe_ros.saliency.methods import MethodOptions

_METHOD = tuple(one.name for one in fields(MethodOptions))


@dataclass(frozen=True)
class Settings(ExplainerOptions):
    """How frames are explained; `smoe_ros.options.parameters` says what each option means."""

    @classmethod
    def of(cls, options: NetworkOptions) -> Settings:
        """Return those options that an explanation depends on, of a node's or a command's."""
        names = (one.name for one in fields(cls))
        return cls(**{name: getattr(options, name) for name in names if hasattr(options, name)})

    @property
    def method(self) -> MethodOptions:
        """What of it may change from one frame to the next."""
        values = {name: getattr(self, name) for name in _METHOD}
        target_class = None if self.target_class < 0 else self.target_class
        return MethodOptions(**{**values, 'target_class': target_class})

    def load_backbone(self) -> Backbone:
        """Load the network, as its authors made it; see `load_backbone` for what it raises."""
        return load_backbone(
            self.backbone,
            self.weights,
            allow_download=self.allow_download,
            short_side=self.short_side,
            mean=self.mean,
            std=self.std,
            labels=self.labels,
        )

    def noise(self) -> Tensor:
        """Return a square input of the network to try it on, the same every time."""
        side = self.short_side
        return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))

    def prepared_like(self, other: Settings) -> bool:
        """Whether a pipeline of the one is a pipeline of the other but for method and threads."""
        return self == other._but_for(self, *_METHOD, 'threads')

    def loaded_like(self, other: Settings) -> bool:
        """Whether the network that was loaded for the one is the other's, too."""
        also = ('short_side', 'scales', 'engine')
        return self == other._but_for(self, *_METHOD, 'threads', *also)

    def _but_for(self, other: Settings, *names: str) -> Settings:
        """Return these settings with some of another's."""
        return replace(self, **{name: getattr(other, name) for name in names})
