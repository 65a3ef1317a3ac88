# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fill .venv/ with the Python packages of requirements/."""

import json
import subprocess
from pathlib import Path

from checks import check_disk
from errors import SetupError
from processes import CommandError, Runner
from virtual_environment import VirtualEnvironment

WITH_WHEELS = ('torch.txt', 'ros-jazzy.txt', 'runtime.txt', 'engines.txt', 'test.txt')
ON_SOURCED_ROS = ('torch.txt', 'sourced-ros.txt')

# Tiny, and on every index and mirror.
PROBE = 'iniconfig'

_LOOK_FOR_MODULES = """
import importlib.util, json, sys
found = [name for name in sys.argv[1:] if importlib.util.find_spec(name)]
numpy = __import__('numpy').__version__ if 'numpy' in found else None
print(json.dumps([found, numpy]))
"""


class PackageInstaller:
    """Installs the requirements, or says in one line why it cannot.

    Args:
        root: the repository.
        venv: the environment to fill.
        runner: runs pip.
        env: environment of pip.
        scratch: folder for a temporary file.
        torch_index: index for torch and torchvision; None for the default one.
    """

    def __init__(
        self,
        root: Path,
        venv: VirtualEnvironment,
        runner: Runner,
        env: dict[str, str],
        scratch: Path,
        torch_index: str | None,
    ) -> None:
        self._root = root
        self._requirements = root / 'requirements'
        self._venv = venv
        self._runner = runner
        self._env = env
        self._scratch = scratch
        self._torch_index = torch_index

    def install(self) -> None:
        """Install what is missing.

        Raises:
            SetupError: if the disk is too full, an index cannot be reached or pip fails.
        """
        if self._venv.on_sourced_ros:
            wanted, torch = self._missing_on_sourced_ros()
            if not wanted:
                return
        else:
            wanted = self._as_options(WITH_WHEELS)
            torch = self._as_options(['torch.txt'])
        try:
            # All is there already, or in the user's folder of wheels: then no network is needed.
            self._pip('packages.log', 'install', '--no-index', *wanted)
            return
        except CommandError:
            pass
        check_disk(self._root, self._venv.size(), torch_index=self._torch_index is not None)
        self._check_registry()
        try:
            if self._torch_index and torch:
                # Only these two; what they need comes from the default index below.
                url = self._torch_index
                self._pip('torch.log', 'install', '--no-deps', '--index-url', url, *torch)
            self._pip('packages.log', 'install', *wanted)
        except CommandError as error:
            raise SetupError(
                f'pip could not install the Python packages ({error}); its output is in '
                '.venv.setup/; run scripts/setup again to continue'
            ) from error

    def _as_options(self, names: tuple[str, ...] | list[str]) -> list[str]:
        return [word for name in names for word in ('-r', str(self._requirements / name))]

    def _missing_on_sourced_ros(self) -> tuple[list[str], list[str]]:
        """Return pip's arguments for what the system lacks: all of it, and torch's part."""
        modules: dict[str, list[str]] = {}
        for name in ON_SOURCED_ROS:
            for line in (self._requirements / name).read_text(encoding='utf-8').splitlines():
                requirement, _, module = line.partition('  # import ')
                if module:
                    modules.setdefault(module, []).append(requirement)
        answer = subprocess.run(
            [self._venv.python, '-c', _LOOK_FOR_MODULES, *modules],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise SetupError(
                f"the system's packages cannot be used: {answer.stderr.strip().splitlines()[-1]}"
            )
        found, numpy = json.loads(answer.stdout)
        missing = [line for name, lines in modules.items() if name not in found for line in lines]
        torch = [line for line in missing if line in modules['torch']]
        if missing:
            # colcon's way of installing Python packages ends with setuptools 80.
            kept = ['setuptools<80', *([f'numpy=={numpy}'] if numpy else [])]
            constraints = self._scratch / 'constraints.txt'
            constraints.write_text('\n'.join(kept), encoding='utf-8')
            missing += ['-c', str(constraints)]
        return missing, torch

    def _check_registry(self) -> None:
        quickly = ('--timeout', '10', '--retries', '1')
        try:
            self._pip('registry.log', 'index', 'versions', *quickly, PROBE)
        except CommandError as error:
            raise SetupError(
                'no package registry answers: check the network, the proxy and pip config list; '
                "pip's output is in .venv.setup/registry.log"
            ) from error
        if self._torch_index:
            url = ('--index-url', self._torch_index)
            try:
                self._pip('registry.log', 'index', 'versions', *quickly, *url, 'torch')
            except CommandError as error:
                raise SetupError(
                    f'--torch-index {self._torch_index} does not answer, or has no torch for this '
                    "Python; pip's output is in .venv.setup/registry.log"
                ) from error

    def _pip(self, log: str, *arguments: str) -> None:
        self._runner.run([self._venv.python, '-m', 'pip', *arguments], log, self._env)
