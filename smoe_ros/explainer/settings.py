# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How frames are explained, as a user says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from smoe_ros.backbones import DEFAULT_BACKBONE, Backbone, load_backbone
from smoe_ros.engines import TORCH
from smoe_ros.errors import ConfigurationError
from smoe_ros.saliency.methods import MethodOptions


@dataclass(frozen=True)
class Settings:
    """How frames are explained; see `load_backbone` and `Explainer` for the meanings.

    Attributes:
        backbone: Name of the network, or where the user's own is built or stored.
        weights: ``'default'``, ``'random'`` or the path of a checkpoint.
        allow_download: Whether default weights may be downloaded.
        short_side: Short side of the network's input in pixels.
        scales: ``'auto'`` or module paths.
        scale_weights: Name of a preset, or one number a scale.
        statistic: Name of the statistic over channels.
        normalization: Name of the normalisation.
        cam: Name of the class activation, or ``'none'``.
        target_class: Class whose activation is shown; -1 takes each frame's most probable one.
        mean: Mean of each RGB channel for pixel values 0..1; empty takes the network's own.
        std: Standard deviation likewise.
        labels: Path of a text file with the name of one class a line; empty takes the network's
            own.
        device: ``'auto'``, ``'cpu'``, ``'cuda'`` or ``'cuda:N'``.
        precision: Of the network's numbers: ``'fp32'``, ``'bf16'`` or ``'fp16'``.
        engine: What runs the network: ``'torch'``, ``'compiled'``, ``'onnxruntime'``, or
            ``'auto'`` for the faster of torch and ONNX Runtime.
        threads: Number of CPU threads of the network; 0 leaves torch's choice.
    """

    backbone: str = DEFAULT_BACKBONE
    weights: str = 'default'
    allow_download: bool = False
    short_side: int = 224
    scales: Literal['auto'] | tuple[str, ...] = 'auto'
    scale_weights: str | tuple[float, ...] = 'equal'
    statistic: str = 'smoe_scale'
    normalization: str = 'gaussian_cdf'
    cam: str = 'none'
    target_class: int = -1
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    labels: str = ''
    device: str = 'auto'
    precision: str = 'fp32'
    engine: str = TORCH
    threads: int = 0

    @property
    def method(self) -> MethodOptions:
        """What of it may change from one frame to the next."""
        return MethodOptions(
            self.scale_weights,
            self.statistic,
            self.normalization,
            self.cam,
            None if self.target_class < 0 else self.target_class,
        )

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
        return self._without_method() == other._without_method()

    def loaded_like(self, other: Settings) -> bool:
        """Whether the network that was loaded for the one is the other's, too."""
        mine, others = self._without_method(), other._without_method()
        return mine == replace(
            others, short_side=self.short_side, scales=self.scales, engine=self.engine
        )

    def _without_method(self) -> Settings:
        default = Settings()
        return replace(
            self,
            scale_weights=default.scale_weights,
            statistic=default.statistic,
            normalization=default.normalization,
            cam=default.cam,
            target_class=default.target_class,
            threads=default.threads,
        )


def parse_scale_weights(text: str) -> str | tuple[float, ...]:
    """Read scale weights as a user writes them: a preset's name, or numbers as in ``1, 2, 3.5``.

    Raises:
        ConfigurationError: If one of several entries is no number.
    """
    if not any(character.isdigit() for character in text):
        return text.strip()
    try:
        return tuple(float(number) for number in text.strip(' []').split(','))
    except ValueError:
        raise ConfigurationError(
            f"scale_weights is '{text}'; give equal, prior, linear or numbers such as 1, 2, 3"
        ) from None
