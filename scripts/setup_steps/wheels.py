# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Make the environment with the ROS wheels a prefix like /opt/ros/jazzy: built on, and sourced."""

import re
from pathlib import Path

_BUILDERS_PYTHON = r'/opt/python/cp3\d+-cp3\d+'
_PYTHON_INCLUDE = rf'{_BUILDERS_PYTHON}/include/python3\.\d+'
_NUMPY_INCLUDE = rf'{_BUILDERS_PYTHON}/lib/python3\.\d+/site-packages/numpy/_?core/include'


def repair_cmake_exports(prefix: Path, python_include: str, numpy_include: str) -> None:
    """Put this machine's include folders into the CMake exports; once is enough.

    They name folders of the machine that built the wheels, and CMake stops at an imported target
    whose include folder does not exist.

    Args:
        prefix: the environment that holds the wheels; its share/**/*.cmake are repaired.
        python_include: folder of Python.h.
        numpy_include: what ``numpy.get_include()`` returns.
    """
    for path in (prefix / 'share').rglob('*.cmake'):
        text = path.read_text(encoding='utf-8')
        repaired = re.sub(_PYTHON_INCLUDE, lambda _: python_include, text)
        repaired = re.sub(_NUMPY_INCLUDE, lambda _: numpy_include, repaired)
        if repaired != text:
            path.write_text(repaired, encoding='utf-8')


def write_underlay_files(prefix: Path, site_packages: Path) -> None:
    """Write setup and local_setup for sh, bash and zsh.

    colcon recognises an underlay by its local_setup files and lets install/setup.bash source
    them, so that a shell with nothing else set finds the middleware and the libraries.

    Args:
        prefix: the environment, an absolute path.
        site_packages: its folder of Python packages.
    """
    entries = [
        ('PATH', prefix / 'bin'),
        ('AMENT_PREFIX_PATH', prefix),
        ('CMAKE_PREFIX_PATH', prefix),
        *(('LD_LIBRARY_PATH', path) for path in sorted(site_packages.glob('ros_*.libs'))),
        ('LD_LIBRARY_PATH', prefix / 'lib'),
    ]
    lines = ['# Written by scripts/setup: ROS 2 from PyPI wheels as an underlay.']
    for name, path in entries:
        lines += [
            f'case ":${{{name}-}}:" in',
            f'  *":{path}:"*) ;;',
            f'  *) export {name}="{path}${{{name}:+:${name}}}" ;;',
            'esac',
        ]
    # Otherwise each Python would start twice, to set LD_LIBRARY_PATH by itself.
    lines += ['export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1', '']
    text = '\n'.join(lines)
    for shell in ('sh', 'bash', 'zsh'):
        for stem in ('local_setup', 'setup'):
            (prefix / f'{stem}.{shell}').write_text(text, encoding='utf-8')
