# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A TorchScript file as an ordinary network, whose every module can be hooked.

A loaded script runs inside torch's own interpreter, where hooks on its modules never fire. Its
graphs still say which module is called with what, so each module that calls others follows its
graph here, in Python; one that calls none runs its compiled code.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from smoe_ros.backbones.torchscript_program import Program, nodes_of
from smoe_ros.errors import ConfigurationError

_OTHER_WAY = 'give the network\'s Python code as "package.module:function" instead'


def is_torchscript(path: Path) -> bool:
    """Return whether a file is TorchScript, by its table of contents alone."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    return any(n.endswith('/constants.pkl') for n in names) and any('/code/' in n for n in names)


def load_torchscript(path: Path) -> nn.Module:
    """Load a file of `torch.jit.save` as a network of ordinary modules.

    Module paths, names of parameters and buffers, and class names are the original's. Evaluation
    mode works for scripted networks; a traced one keeps the mode it was traced in, whatever
    ``eval()`` says. A module that the original reached by two paths becomes two.

    Args:
        path: The file; it is read to the CPU.

    Returns:
        The network, on the CPU and in the mode it was saved in.

    Raises:
        ConfigurationError: If the file is missing, damaged or no TorchScript, or a module that
            calls others has an operation that cannot be followed.
    """
    if not path.is_file():
        raise ConfigurationError(f"'{path}' is no file; give a file written by torch.jit.save")
    if not is_torchscript(path):
        raise ConfigurationError(
            f"'{path}' is no TorchScript file; write one by torch.jit.save(torch.jit.script(model)"
            ', path), or by torch.jit.trace'
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # torch would rather have torch.export
            script = torch.jit.load(str(path), map_location='cpu')
    except Exception as error:  # damaged bytes raise anything
        reason = ' '.join(str(error).split())[:200]
        raise ConfigurationError(
            f"'{path}' is a damaged TorchScript file: {reason}; write it again by torch.jit.save"
        ) from None
    if not script._c._has_method('forward'):
        raise ConfigurationError(f"'{path}' has no forward method; {_OTHER_WAY}")
    try:
        return _module_of(script, {})
    except ConfigurationError as error:
        raise ConfigurationError(f"'{path}': {error}; {_OTHER_WAY}") from None


class _GraphModule(nn.Module):
    """One module of a TorchScript file; the subclass made for it carries its class name."""

    _c: Any

    def __init__(self, script: Any, shared: dict[Tensor, nn.Parameter]) -> None:
        super().__init__()
        object.__setattr__(self, '_c', script._c)
        for name, tensor in script._parameters.items():
            if tensor not in shared:
                shared[tensor] = nn.Parameter(tensor.detach(), tensor.requires_grad)
            self.register_parameter(name, shared[tensor])
        for name, tensor in script._buffers.items():
            self.register_buffer(name, tensor)
        for name, child in script.named_children():
            self.add_module(name, _module_of(child, shared))
        self._share()
        self.training = bool(getattr(script, 'training', False))
        self._programs = {
            name: Program(self._c._get_method(name).graph, type(self).__name__)
            for name in self._c._method_names()
            if _calls_modules(self._c, name)
        }

    def forward(self, *args: Any, method: str = 'forward', **named: Any) -> Any:
        """Run a method, by default ``forward``; hooks of the modules it calls fire."""
        if named:
            raise TypeError(f'{type(self).__name__} takes its inputs by position only')
        return self.run(method, args)

    def run(self, method: str, args: Sequence[Any]) -> Any:
        """Run a method without this module's own hooks."""
        program = self._programs.get(method)
        return program(self, args) if program else self._c._get_method(method)(*args)

    def read(self, name: str) -> Any:
        """Return a module, parameter, buffer or attribute by its name in the file."""
        for place in (self._modules, self._parameters, self._buffers):
            if name in place:
                return place[name]
        return self._c.getattr(name)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == 'training' and '_c' in self.__dict__ and self._c.hasattr(name):
            self._c.setattr(name, value)  # the compiled code asks its own flag

    def _apply(self, fn: Any, recurse: bool = True) -> _GraphModule:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._share()
        return self

    def _share(self) -> None:
        """Let the compiled code use this module's tensors."""
        for tensors in (self._parameters, self._buffers):
            for name, tensor in tensors.items():
                self._c.setattr(name, tensor)


def _module_of(script: Any, shared: dict[Tensor, nn.Parameter]) -> _GraphModule:
    module_class: type[_GraphModule] = type(script.original_name, (_GraphModule,), {})
    return module_class(script, shared)


def _calls_modules(c: Any, method: str) -> bool:
    """Whether a method calls other modules, itself or by another method of its own."""
    graph = c._get_method(method).graph
    own = next(graph.inputs()).unique()
    for node in nodes_of(graph):
        if node.kind() == 'prim::CallMethod':
            called_on = next(node.inputs()).unique()
            if called_on != own or _calls_modules(c, node.s('name')):
                return True
    return False
