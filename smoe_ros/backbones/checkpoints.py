# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Read weights from files, safely, and put them into networks."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from smoe_ros.backbones.torchscript import is_torchscript, load_torchscript
from smoe_ros.errors import ConfigurationError, in_words


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read the weights in a file, without running code that it may hold.

    Args:
        path: A state dict, a dict that holds one as ``state_dict`` or ``model``, or a TorchScript
            file, of which the weights are taken.

    Returns:
        Tensor by name; the prefix that DataParallel puts before every name is taken off.

    Raises:
        ConfigurationError: If the file is missing, damaged, or holds no state dict.
    """
    if not path.is_file():
        raise ConfigurationError(
            f"weights '{path}' is no file; give 'default', 'random' or the path of a checkpoint"
        )
    if is_torchscript(path):
        return dict(load_torchscript(path).state_dict())
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
            f"weights '{path}' is no readable checkpoint: {short(error)}"
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
    return {key.removeprefix('module.'): value for key, value in content.items()}


def fitted(name: str, weights: str, model: nn.Module, state: dict[str, Tensor]) -> nn.Module:
    """Put weights into a network, and return it.

    Raises:
        ConfigurationError: If they do not fit; it names the network, and where they come from.
    """
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ConfigurationError(
            f"weights '{weights}' do not fit backbone '{name}': {short(error)}"
        ) from None
    return model


def short(error: Exception) -> str:
    """Return an error's type and the beginning of its text; torch lists every parameter."""
    text = in_words(error).removesuffix(':')
    return text if len(text) <= 200 else f'{text[:200]}…'
