# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Build smoe_msgs and smoe_ros into install/, if their sources have changed."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from environment import read_note, run, write_note

_SOURCES = {
    'smoe_msgs': ('smoe_msgs',),
    'smoe_ros': (
        *('package.xml', 'setup.py', 'setup.cfg', 'colcon.pkg'),
        *('config', 'hook', 'launch', 'resource', 'smoe_ros'),
    ),
}

# The underlay is sourced as a user would; then the python of .venv/ runs colcon, because the
# executables that it installs start with the python that runs it.
_BUILD = """
. .venv/bin/activate
if [ -e .venv/local_setup.sh ]; then . .venv/local_setup.sh; fi
exec python -m colcon --log-base log build --base-paths . smoe_msgs \
    --packages-select smoe_msgs smoe_ros \
    --cmake-args -Wno-dev -DBUILD_TESTING=OFF "-DPython3_EXECUTABLE=$PWD/.venv/bin/python"
"""


class Workspace:
    """The two packages and what was built of them.

    Args:
        root: the repository, the working folder.
        underlay: what identifies the underlay; on another one everything is built anew.
    """

    def __init__(self, root: Path, underlay: dict[str, Any]) -> None:
        self._root = root
        self._install = root / 'install'
        self._state: dict[str, Any] = {'underlay': underlay}
        for package, sources in _SOURCES.items():
            self._state[package] = _digest([root / source for source in sources])

    def is_built(self) -> bool:
        """Return whether install/ is what the present sources and underlay give."""
        return read_note(self._install) == self._state

    def build(self) -> None:
        """Build what has changed, from nothing: colcon overwrites, but never removes.

        Raises:
            SetupError: if colcon fails.
        """
        before = read_note(self._install) or {}
        same = before.get('underlay') == self._state['underlay']
        for package in _SOURCES:
            if not same or before.get(package) != self._state[package]:
                shutil.rmtree(self._root / 'build' / package, ignore_errors=True)
                shutil.rmtree(self._install / package, ignore_errors=True)
        self._install.mkdir(exist_ok=True)
        write_note(self._install, {})
        run(['bash', '-c', _BUILD], 'colcon could not build the packages; see above')
        write_note(self._install, self._state)


def _digest(sources: list[Path]) -> str:
    """Return what changes with names and contents of files, and of those in folders."""
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted(source.rglob('*')) if source.is_dir() else [source]:
            if path.is_file() and '__pycache__' not in path.parts:
                digest.update(f'{path}\0'.encode() + path.read_bytes())
    return digest.hexdigest()
