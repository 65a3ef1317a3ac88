# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The user's own network: built by a function of theirs, or stored as TorchScript."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from smoe_ros.backbones.checkpoints import fitted, read_checkpoint, short
from smoe_ros.backbones.torchscript import load_torchscript
from smoe_ros.errors import ConfigurationError, unknown_name

_TORCHSCRIPT_SUFFIXES = ('.pt', '.pth', '.ts', '.torchscript')


def is_own(name: str) -> bool:
    """Whether a backbone's name says where the user's own network is."""
    return ':' in name or '/' in name or name.endswith(('.py', *_TORCHSCRIPT_SUFFIXES))


def load_own(name: str, weights: str) -> nn.Module:
    """Load the user's own network; this runs the user's code.

    Args:
        name: ``'package.module:build'`` or ``'/path/file.py:build'``, where ``build`` is a
            function without arguments that returns a module, or a module's class; or the path of
            a TorchScript file.
        weights: ``'default'`` or ``'random'`` for the network as it is built, or the path of a
            checkpoint.

    Raises:
        ConfigurationError: If there is no such module, function or file, the function fails or
            returns something else, or the weights do not fit.
    """
    place, separator, function = name.rpartition(':')
    if separator:
        model = _built(name, place, function)
    elif name.endswith('.py'):
        raise ConfigurationError(
            f"backbone '{name}' names no function of that file; write {name}:build if build() "
            'returns the network'
        )
    else:
        model = load_torchscript(Path(name).expanduser())
    if weights not in ('default', 'random'):
        model = fitted(name, weights, model, read_checkpoint(Path(weights).expanduser()))
    return model


def _built(name: str, place: str, function: str) -> nn.Module:
    module = _imported(name, place)
    if not hasattr(module, function):
        raise unknown_name(f"function of backbone '{name}':", function, vars(module))
    build = getattr(module, function)
    try:
        model: Any = build if isinstance(build, nn.Module) else build()
    except Exception as error:  # the user's code may raise anything
        raise ConfigurationError(
            f"backbone '{name}': {function}() failed: {short(error)}"
        ) from error
    if not isinstance(model, nn.Module):
        raise ConfigurationError(
            f"backbone '{name}': {function}() returned {type(model).__name__}, "
            'but must return a torch.nn.Module'
        )
    return model


def _imported(name: str, place: str) -> ModuleType:
    path = Path(place).expanduser().resolve() if place.endswith('.py') else None
    if path is not None and not path.is_file():
        raise ConfigurationError(f"backbone '{name}': there is no file {path}")
    try:
        return importlib.import_module(place) if path is None else _from_file(path)
    except Exception as error:  # the user's code may raise anything
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is not None and f'{place}.'.startswith(f'{missing}.'):
            raise ConfigurationError(
                f"backbone '{name}': Python finds no module '{missing}'; put its folder on "
                'PYTHONPATH, or write /path/to/file.py:build'
            ) from None
        raise ConfigurationError(
            f"backbone '{name}' cannot be imported: {short(error)}"
        ) from error


def _from_file(path: Path) -> ModuleType:
    # Of its own name, so that it never hides an installed module.
    loader = SourceFileLoader(f'_smoe_ros_own_{path.stem}', str(path))
    spec = ModuleSpec(loader.name, loader, origin=str(path))
    spec.has_location = True  # gives the module its __file__
    module = sys.modules[loader.name] = module_from_spec(spec)
    # It may import its neighbours, as it could if Python had started it.
    sys.path.insert(0, str(path.parent))
    try:
        loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module
