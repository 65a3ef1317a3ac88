# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""torchvision's networks by name: classifiers, and the CNNs of its segmenters and detectors."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torchvision.models import detection, segmentation

from smoe_ros.backbones.checkpoints import fitted, read_checkpoint, short
from smoe_ros.errors import ConfigurationError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# In torchvision's models for these, the CNN is the submodule of this name; its output is no score.
_CNN = 'backbone'


@dataclass(frozen=True)
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


def classifier_names() -> list[str]:
    """Return the names of torchvision's classifiers."""
    return list(torchvision.models.list_models(module=torchvision.models))


def dense_names() -> list[str]:
    """Return the names of torchvision's segmentation and detection networks."""
    found = (torchvision.models.list_models(module=one) for one in (segmentation, detection))
    return [name for names in found for name in names]


def load_torchvision(name: str, weights: str, *, allow_download: bool) -> Network:
    """Load a torchvision network; of a segmentation or detection network only its CNN.

    The arguments are those of `load_backbone`.

    Raises:
        ConfigurationError: If the weights are missing or do not fit.
    """
    published = torchvision.models.get_model_weights(name).DEFAULT
    dense = name in dense_names()
    if weights == 'default':
        model = _with_published_weights(name, published, allow_download=allow_download)
        labels = tuple(published.meta['categories'])
    elif dense:
        model, labels = _model(name), ()
        if weights != 'random':
            _fit_cnn(name, weights, model)
    else:
        build = functools.partial(_model, name)
        model, labels = with_checkpoint(name, weights, build)
    # Detectors normalise inside; their transform has the figures.
    inside = getattr(model, 'transform', None)
    mean, std = (
        (inside.image_mean, inside.image_std)
        if inside is not None
        else (published.transforms().mean, published.transforms().std)
    )
    if dense:
        return Network(model.get_submodule(_CNN), (), mean, std)
    return Network(model, labels, mean, std)


def with_checkpoint(
    name: str, weights: str, build: Callable[..., nn.Module]
) -> tuple[nn.Module, tuple[str, ...]]:
    """Build a classifier with random weights or those of a checkpoint, and its class names.

    Args:
        name: Of the network, for errors.
        weights: ``'random'`` or the path of a checkpoint.
        build: Returns the network for a number of classes, ``num_classes``.

    Raises:
        ConfigurationError: If the checkpoint is missing or does not fit.
    """
    if weights == 'random':
        return build(num_classes=1000), class_labels(1000)
    state = read_checkpoint(Path(weights).expanduser())
    # The last parameter of a classifier is the bias or weight of its last layer.
    last = next(reversed(state.values()))
    classes = len(last) if last.ndim else 0
    if not classes:
        raise ConfigurationError(
            f"weights '{weights}' do not fit backbone '{name}': the last of them is no bias or "
            'weight of a classifier'
        )
    return fitted(name, weights, build(num_classes=classes), state), class_labels(classes)


def _model(name: str, **options: Any) -> nn.Module:
    if name in dense_names():
        options['weights_backbone'] = None  # whose default is to download them
    with warnings.catch_warnings():
        # GoogLeNet and Inception announce a change of their own initialisation.
        warnings.simplefilter('ignore', FutureWarning)
        return torchvision.models.get_model(name, **{'weights': None, **options})


def _fit_cnn(name: str, weights: str, model: nn.Module) -> None:
    """Load the CNN's part of a checkpoint; the rest may be for other classes."""
    state = read_checkpoint(Path(weights).expanduser())
    prefix = f'{_CNN}.'
    part = {
        key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)
    }
    fitted(name, weights, model.get_submodule(_CNN), part)


def _with_published_weights(name: str, published: Any, *, allow_download: bool) -> nn.Module:
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / published.url.rpartition('/')[2]
    if not cached.is_file() and not allow_download:
        raise ConfigurationError(
            f"weights 'default' of backbone '{name}' are not on this machine: {cached} is missing;"
            " put the file there, set allow_download to true, or set weights to a path or 'random'"
        )
    try:
        if not cached.is_file():
            cached.parent.mkdir(parents=True, exist_ok=True)
            # The file appears whole or not at all.
            hash_prefix = cached.stem.rpartition('-')[2]
            torch.hub.download_url_to_file(published.url, str(cached), hash_prefix)
    except (OSError, HTTPException, RuntimeError) as error:  # the last for a wrong hash
        raise ConfigurationError(
            f"weights 'default' of backbone '{name}' could not be downloaded to {cached}: "
            f"{short(error)}; put the file there, or set weights to a path or 'random'"
        ) from None
    # torchvision knows the old names in some files, but would run code that a file holds.
    read_checkpoint(cached)
    try:
        return _model(name, weights=published)
    except RuntimeError as error:
        raise ConfigurationError(
            f"weights 'default' of backbone '{name}' do not load from {cached}: "
            f'{short(error)}; delete that file and fetch it again'
        ) from None
