# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The environment .venv/: whether it is whole, making it, taking it away."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

from processes import CommandError, Runner


class VirtualEnvironment:
    """The repository's .venv/, which may be absent, half-made or somebody else's.

    Args:
        root: the repository.
        on_sourced_ros: whether it shall see the system's packages, and so a sourced ROS 2.
    """

    def __init__(self, root: Path, *, on_sourced_ros: bool) -> None:
        self.path = root / '.venv'
        self.python = self.path / 'bin' / 'python'
        self.on_sourced_ros = on_sourced_ros
        version = f'python{sys.version_info.major}.{sys.version_info.minor}'
        self.site_packages = self.path / 'lib' / version / 'site-packages'

    def sees_the_system(self) -> bool:
        """Return whether the .venv/ that is there was made to see the system's packages."""
        config = (self.path / 'pyvenv.cfg').read_text(encoding='utf-8').lower().replace(' ', '')
        return 'include-system-site-packages=true' in config

    def is_usable(self) -> bool:
        """Return whether .venv/ is whole, of this Python, at its place and of the right kind."""
        try:
            # venv writes this last; it names the place for which the environment was made.
            activation = (self.path / 'bin' / 'activate').read_text(encoding='utf-8')
            right_kind = self.sees_the_system() == self.on_sourced_ros
        except OSError:
            return False
        if str(self.path) not in activation or not self.site_packages.is_dir() or not right_kind:
            return False
        if any(path.name.startswith('pip-') for path in self.incomplete_distributions()):
            return False
        check = subprocess.run(
            [self.python, '-m', 'pip', '--version'], capture_output=True, check=False
        )
        return check.returncode == 0

    def make(self, runner: Runner, env: dict[str, str]) -> None:
        """Make .venv/ anew, in place of what is there.

        Raises:
            CommandError: if Python's venv module fails.
        """
        self.remove()
        options = ['--system-site-packages'] if self.on_sourced_ros else []
        runner.run([sys.executable, '-E', '-m', 'venv', *options, self.path], 'venv.log', env)
        if not self.is_usable():
            raise CommandError(f'{sys.executable} -m venv made an environment that does not run')

    def remove(self) -> None:
        """Remove .venv/, and what a killed run left of removing it.

        It is renamed first, so that an interruption never leaves half an environment in place.
        """
        if self.path.exists():
            self.path.rename(self.path.with_name(f'.venv.old-{os.getpid()}'))
        for old in self.path.parent.glob('.venv.old-*'):
            shutil.rmtree(old)

    def size(self) -> float:
        """Return the size of .venv/ in GB; 0 if it is absent."""
        files = (Path(top) / name for top, _, names in os.walk(self.path) for name in names)
        return sum(path.lstat().st_size for path in files) / 1e9

    def incomplete_distributions(self) -> list[Path]:
        """Find packages whose installation was interrupted.

        pip takes a package for installed as soon as its metadata is there, which may be before
        its files are whole; so the files are compared with the package's own record of them.

        Returns:
            The .dist-info folders of the incomplete packages.
        """
        records = {
            info: _recorded_sizes(info) for info in sorted(self.site_packages.glob('*.dist-info'))
        }
        # Where two packages bring the same file, as lark and lark-parser do, either's will do.
        accepted: dict[str, set[int | None]] = {}
        for record in records.values():
            for name, size in record.items():
                accepted.setdefault(name, set()).add(size)
        return [
            info
            for info, record in records.items()
            if not record
            or not (info / 'METADATA').is_file()
            or not (info / 'INSTALLER').is_file()
            or not all(_is_whole(self.site_packages / name, accepted[name]) for name in record)
        ]

    def forget_incomplete_distributions(self) -> int:
        """Make pip take the incomplete packages for missing; return their number."""
        incomplete = self.incomplete_distributions()
        for info in incomplete:
            shutil.rmtree(info)
        return len(incomplete)


def _recorded_sizes(info: Path) -> dict[str, int | None]:
    """Return what a package's record says: file name to size, None where any size will do."""
    try:
        with (info / 'RECORD').open(encoding='utf-8', newline='') as file:
            rows = [row for row in csv.reader(file) if len(row) == 3]
    except OSError:
        return {}
    # Python rewrites byte code, and cmake_exports.py the CMake files.
    return {
        name: None if not size or name.endswith(('.pyc', '.cmake')) else int(size)
        for name, _, size in rows
    }


def _is_whole(path: Path, sizes: set[int | None]) -> bool:
    try:
        return None in sizes or path.stat().st_size in sizes
    except OSError:
        return False
