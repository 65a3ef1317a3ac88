# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Build smoe_msgs and smoe_ros into install/, if their sources have changed."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from errors import SetupError
from processes import CommandError, Runner
from stamps import read_stamp, remove_stamp, write_stamp

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
        root: the repository.
        underlay: what identifies the underlay; on another one everything is built anew.
    """

    def __init__(self, root: Path, underlay: dict[str, Any]) -> None:
        self._root = root
        self._install = root / 'install'
        self._state: dict[str, Any] = {'underlay': underlay}
        for package, sources in _SOURCES.items():
            self._state[package] = {
                str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
                for source in sources
                for path in _files(root / source)
            }

    def is_built(self) -> bool:
        """Return whether install/ is what the present sources and underlay give."""
        return read_stamp(self._install) == self._state

    def build(self, runner: Runner, env: dict[str, str]) -> None:
        """Build both packages.

        Raises:
            SetupError: if colcon fails.
        """
        self._remove_outdated()
        try:
            runner.run(['bash', '-c', _BUILD], 'build.log', env)
        except CommandError as error:
            raise SetupError(
                f'colcon could not build the packages ({error}); see .venv.setup/build.log'
            ) from error
        write_stamp(self._install, self._state)

    def _remove_outdated(self) -> None:
        """Remove what was built on another underlay, interrupted, or of a file now gone.

        colcon itself overwrites, but never removes.
        """
        before = read_stamp(self._install)
        remove_stamp(self._install)
        for package in _SOURCES:
            if (
                before is None
                or before['underlay'] != self._state['underlay']
                or before[package].keys() - self._state[package].keys()
            ):
                shutil.rmtree(self._root / 'build' / package, ignore_errors=True)
                shutil.rmtree(self._install / package, ignore_errors=True)


def _files(source: Path) -> Iterator[Path]:
    paths = sorted(source.rglob('*')) if source.is_dir() else [source]
    return (path for path in paths if path.is_file() and '__pycache__' not in path.parts)
