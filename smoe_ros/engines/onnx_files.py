# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Exported networks on disk, so that each is exported once on a machine."""

from __future__ import annotations

import hashlib
import inspect
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from torch import nn

from smoe_ros.scales import Scale

# Networks that are kept; the longest unused is removed for another.
_KEPT = 20
_PACKAGES = ('torch', 'onnx', 'onnxscript')
# Counted up when what is exported changes.
_LAYOUT = 1


def path_of(model: nn.Module, scales: Sequence[Scale]) -> Path:
    """Return where a network lies, exported with these scales, or would lie.

    That is in ``smoe_ros`` in the user's cache folder. The name stands for its structure, weights,
    scales, the files that its modules are written in and the versions of what exports it: when one
    of them changes, it is another name.
    """
    digest = hashlib.blake2b(digest_size=16)

    def add(text: str) -> None:
        digest.update(text.encode() + b'\0')

    add(f'{_LAYOUT} {[(scale.layer, scale.call) for scale in scales]} {model!r}')
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            add(f'{package} {version(package)}')
    for source in sorted({_source(type(module)) for module in model.modules()}):
        with suppress(OSError):
            digest.update(Path(source).read_bytes())
    for name, tensor in model.state_dict().items():
        add(f'{name} {tensor.dtype} {tuple(tensor.shape)}')
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(base, 'smoe_ros', f'{digest.hexdigest()}.onnx')


def store(path: Path, data: bytes) -> None:
    """Keep an exported network; nothing is left half written.

    Raises:
        OSError: If the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        Path(folder, path.name).write_bytes(data)
        Path(folder, path.name).replace(path)
    with suppress(FileNotFoundError):  # another process may tidy up as well
        kept = sorted(path.parent.glob('*.onnx'), key=lambda one: one.stat().st_mtime)
        for old in kept[:-_KEPT]:
            old.unlink()


def load(path: Path) -> bytes | None:
    """Return an exported network, None if it was not kept."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    with suppress(OSError):  # a cache that may only be read
        path.touch()
    return data


def _source(kind: type) -> str:
    try:
        return inspect.getfile(kind)
    except (TypeError, OSError):  # built in, or made at run time
        return ''
