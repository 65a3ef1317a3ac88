# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the machine must have before anything is made; each check refuses with what to do."""

import os
import platform
import re
import shutil
from pathlib import Path

DEFAULT_MIN_FREE_GB = 10.0  # 6.2 GB in .venv/ and, while pip works, 3 GB of wheels
MIN_FREE_GB_WITH_TORCH_INDEX = 4.0
OLDEST_ROS = 'jazzy'


class SetupError(Exception):
    """What is missing and what to do about it, as one line for the user."""


def check_path(root: Path) -> None:
    """Refuse a path that CMake, colcon or a script's first line would break at."""
    if not re.fullmatch(r'[\w./+@%=,~-]+', str(root)):
        raise SetupError(
            f"the path '{root}' contains a space or special character, which colcon and Python's "
            'scripts cannot take; move the repository'
        )


def check_ros(distribution: str | None, *, builds: bool) -> None:
    """Refuse a sourced ROS that is too old, wheels where there are none, and missing compilers.

    Args:
        distribution: name of the sourced ROS distribution; None for the wheels.
        builds: whether smoe_msgs has to be built.
    """
    if distribution is None:
        if (platform.system(), platform.machine()) != ('Linux', 'x86_64'):
            raise SetupError(
                'ROS 2 wheels exist for x86-64 Linux only, and this is '
                f'{platform.system()} on {platform.machine()}; install ROS 2 Jazzy and '
                'source its setup.bash first'
            )
    # The names of the distributions run through the alphabet.
    elif distribution < OLDEST_ROS or os.environ.get('ROS_VERSION') == '1':
        raise SetupError(
            f'the sourced ROS is {distribution}, and smoe_ros needs {OLDEST_ROS} or newer; use '
            'a shell that does not source it'
        )
    tools = {
        'C++ compiler': [os.environ.get('CXX', ''), 'c++', 'g++', 'clang++'],
        'C compiler': [os.environ.get('CC', ''), 'cc', 'gcc', 'clang'],
        'make': ['make'],
    }
    if distribution is not None:  # with the wheels it comes from PyPI
        tools['cmake'] = ['cmake']
    for tool, names in tools.items():
        if builds and not any(shutil.which(name.split()[0]) for name in names if name):
            package = 'cmake' if tool == 'cmake' else 'build-essential'
            raise SetupError(f'no {tool} found: sudo apt install {package}')


def check_disk(root: Path, *, torch_index: bool) -> None:
    """Refuse a disk on which the packages would not fit.

    Args:
        root: the repository.
        torch_index: whether torch comes from an index that the user named.
    """
    needed = MIN_FREE_GB_WITH_TORCH_INDEX if torch_index else DEFAULT_MIN_FREE_GB
    text = os.environ.get('SMOE_SETUP_MIN_FREE_GB', str(needed))
    try:
        needed = float(text)
    except ValueError:
        raise SetupError(f"SMOE_SETUP_MIN_FREE_GB is '{text}'; it must be a number") from None
    free = shutil.disk_usage(root).free / 1e9
    if free < needed:
        hint = '' if torch_index else ', or use --torch-index for smaller torch wheels'
        raise SetupError(
            f'not enough disk space: {root} has {free:.1f} GB free and {needed:.1f} GB are '
            f'needed; free some{hint}'
        )
