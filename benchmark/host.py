# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""On what a benchmark was run: the machine and the versions, without names or paths."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

_PACKAGES = {
    'torch': 'torch',
    'torchvision': 'torchvision',
    'onnxruntime': 'ONNX Runtime',
    'numba': 'numba',
    'numpy': 'NumPy',
    'opencv-python': 'OpenCV',
}


def describe() -> dict[str, Any]:
    """Return machine and versions, ready for JSON; the version of what is missing is None."""
    return {
        'date': datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        'system': platform.system(),
        'processor': _processor(),
        'cpus': os.cpu_count(),
        'memory_gb': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30),
        'gpu': torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        'python': platform.python_version(),
        'versions': {name: _version(name) for name in _PACKAGES},
        'threads': torch.get_num_threads(),
    }


def sentence(host: dict[str, Any]) -> str:
    """Say in a sentence what `describe` returned."""
    versions = ', '.join(
        f'{name} {host["versions"][package]}'
        for package, name in _PACKAGES.items()
        if host['versions'][package]
    )
    return (
        f'Measured on {host["date"]} on {host["cpus"]} CPU cores ({host["processor"]}, '
        f'{host["memory_gb"]} GB, {host["gpu"] or "no GPU"}), {host["system"]}, Python '
        f'{host["python"]}, {versions}, {host["threads"]} threads.'
    )


def _processor() -> str:
    for line in Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
