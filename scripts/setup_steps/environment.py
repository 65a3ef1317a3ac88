# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The environment .venv/: made by Python's venv, filled by pip, noted when it is whole."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checks import SetupError, check_disk
from wheels import repair_cmake_exports, write_underlay_files

WITH_WHEELS = (
    *('torch.txt', 'ros-jazzy.txt', 'runtime.txt', 'engines.txt', 'extras.txt', 'test.txt'),
)
ON_SOURCED_ROS = ('torch.txt', 'sourced-ros.txt')

NOTE = 'smoe_setup.json'

# Tiny, and on every index and mirror.
PROBE = 'iniconfig'

_LOOK_FOR_MODULES = """
import importlib.util, json, sys
found = [name for name in sys.argv[1:] if importlib.util.find_spec(name)]
numpy = __import__('numpy').__version__ if 'numpy' in found else None
print(json.dumps([found, numpy]))
"""

_TRY_IMPORTS = """
. .venv/bin/activate
if [ -e .venv/local_setup.sh ]; then . .venv/local_setup.sh; fi
exec python -c 'import rclpy, sensor_msgs.msg, cv2, cv_bridge, torch, torchvision'
"""


def run(command: Sequence[str | Path], problem: str) -> None:
    """Run a command in the repository; all that it says goes to our standard output.

    Raises:
        SetupError: with the problem, if the command fails.
    """
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, close_fds=False, check=False
    )
    if done.returncode:
        raise SetupError(problem)


def read_note(folder: Path) -> dict[str, Any] | None:
    """Return what ``write_note`` noted in a folder; None if there is nothing sound."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def write_note(folder: Path, note: dict[str, Any]) -> None:
    """Note in a folder what made it, all or nothing."""
    fresh = folder / f'{NOTE}.new'
    fresh.write_text(json.dumps(note, indent=1), encoding='utf-8')
    fresh.replace(folder / NOTE)


class Environment:
    """The repository's .venv/, which may be absent or half-made.

    Args:
        root: the repository, the working folder.
        ros: name of the sourced ROS distribution; None takes ROS 2 from wheels.

    Attributes:
        key: what .venv/ depends on; when it changes, there is something to do.
    """

    def __init__(self, root: Path, ros: str | None) -> None:
        self._root = root
        self._ros = ros
        self._path = root / '.venv'
        self._python = self._path / 'bin' / 'python'
        names = ON_SOURCED_ROS if ros else WITH_WHEELS
        self._requirements = [root / 'requirements' / name for name in names]
        texts = [path.read_bytes() for path in self._requirements]
        self.key: dict[str, Any] = {
            'root': str(root),
            'requirements': hashlib.sha256(b'\0'.join(texts)).hexdigest(),
            'python_include': sysconfig.get_paths()['include'],
            'ros': ros,
            # The first entries are overlays, which come and go.
            'prefix': os.environ['AMENT_PREFIX_PATH'].split(':')[-1] if ros else None,
        }
        self._unfinished = self.key | {'requirements': None}

    def is_whole(self) -> bool:
        """Return whether .venv/ is all that it has to be."""
        return read_note(self._path) == self.key

    def make(self, scratch: Path, torch_index: str | None) -> None:
        """Make .venv/, or install what the requirements have since got.

        Half of an installation looks whole to pip, so an interrupted one is made anew; what it
        downloaded is in pip's cache.

        Args:
            scratch: folder for what is to be removed.
            torch_index: index for torch and torchvision; None for the default one.

        Raises:
            SetupError: if .venv/ is not to be touched, the disk is too full, an index cannot be
                reached or pip fails.
        """
        note = read_note(self._path)
        if self._path.exists():
            self._refuse_to_replace(note)
        is_kept = note and note['requirements']
        if not is_kept or note | {'requirements': None} != self._unfinished:
            if self._path.exists():
                # The folder is emptied at our end, or at the next start.
                self._path.rename(scratch / 'old')
                shutil.rmtree(scratch / 'old')
            check_disk(self._root, torch_index=torch_index is not None)
            self._path.mkdir()
            write_note(self._path, self._unfinished)
            options = ['--system-site-packages'] if self._ros else []
            command = [sys.executable, '-E', '-m', 'venv', *options, self._path]
            run(command, f'{sys.executable} -m venv made no environment; see above')
        write_note(self._path, self._unfinished)
        self._install(torch_index)
        if not self._ros:
            (site_packages,) = self._path.glob('lib/python*/site-packages')
            numpy_include = site_packages / 'numpy' / '_core' / 'include'
            repair_cmake_exports(self._path, self.key['python_include'], str(numpy_include))
            write_underlay_files(self._path, site_packages)
        run(['bash', '-c', _TRY_IMPORTS], 'a package does not work here; see above')
        write_note(self._path, self.key)

    def _refuse_to_replace(self, note: dict[str, Any] | None) -> None:
        """Refuse to replace what is not ours, or is whole but not for this shell."""
        if note is None or self._path.is_symlink():
            raise SetupError('.venv/ was not made by scripts/setup: remove it first')
        whole = note['requirements'] and note['root'] == str(self._root)
        if whole and bool(note['ros']) != bool(self._ros):
            made = f'on the ROS 2 at {note["prefix"]}' if note['ros'] else 'with ROS 2 from wheels'
            use = 'source its setup.bash first' if note['ros'] else 'use a shell without a ROS 2'
            raise SetupError(f'.venv/ was made {made}: {use}, or remove .venv/ to make another')

    def _install(self, torch_index: str | None) -> None:
        wanted = {path.name: [f'-r{path}'] for path in self._requirements}
        if self._ros:
            wanted = self._missing_on_sourced_ros()
        arguments = [word for words in wanted.values() for word in words]
        if not arguments:
            return
        probe = ['index', 'versions', '--timeout', '10', '--retries', '1']
        self._pip(
            [*probe, PROBE],
            'no package registry answers: check the network, the proxy and pip config list',
        )
        problem = 'pip could not install the Python packages; see above, then run it again'
        if torch_index and wanted['torch.txt']:
            index = ['--index-url', torch_index]
            self._pip(
                [*probe, *index, 'torch'],
                f'--torch-index {torch_index} does not answer, or has no torch for this Python',
            )
            # Only these two; what they need comes from the default index below.
            self._pip(['install', '--no-deps', *index, *wanted['torch.txt']], problem)
        self._pip(['install', *arguments], problem)

    def _missing_on_sourced_ros(self) -> dict[str, list[str]]:
        """Return pip's arguments for what the system lacks, by the name of the file."""
        files = {
            path.name: [line.split('  # import ') for line in path.read_text().splitlines()]
            for path in self._requirements
        }
        modules = {line[1] for lines in files.values() for line in lines if line[1:]}
        answer = subprocess.run(
            [self._python, '-c', _LOOK_FOR_MODULES, *modules],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            reason = answer.stderr.strip().splitlines()[-1]
            raise SetupError(f"the system's packages cannot be used: {reason}")
        found, numpy = json.loads(answer.stdout)
        missing = {
            name: [line[0] for line in lines if line[1:] and line[1] not in found]
            for name, lines in files.items()
        }
        if any(missing.values()):
            constraints = self._path / 'constraints.txt'
            # colcon's way of installing Python packages ends with setuptools 80.
            constraints.write_text('setuptools<80\n' + (f'numpy=={numpy}\n' if numpy else ''))
            missing['constraints'] = ['-c', str(constraints)]
        return missing

    def _pip(self, arguments: Sequence[str], problem: str) -> None:
        run([self._python, '-m', 'pip', *arguments], problem)
