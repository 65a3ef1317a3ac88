# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Repair the CMake exports of the ROS wheels.

They name the folders of the machine that built the wheels, and CMake stops at an imported target
whose include folder does not exist.
"""

import re
from pathlib import Path

_BUILDERS_PYTHON = r'/opt/python/cp3\d+-cp3\d+'
_PYTHON_INCLUDE = re.compile(rf'{_BUILDERS_PYTHON}/include/python3\.\d+')
_NUMPY_INCLUDE = re.compile(
    rf'{_BUILDERS_PYTHON}/lib/python3\.\d+/site-packages/numpy/_?core/include'
)


def repair(prefix: Path, python_include: str, numpy_include: str) -> int:
    """Put this machine's include folders into the exports; does nothing the second time.

    Args:
        prefix: the environment that holds the wheels; its share/**/*.cmake are repaired.
        python_include: folder of Python.h.
        numpy_include: what ``numpy.get_include()`` returns.

    Returns:
        Number of files changed.
    """
    changed = 0
    for path in sorted((prefix / 'share').rglob('*.cmake')):
        text = path.read_text(encoding='utf-8')
        repaired = _PYTHON_INCLUDE.sub(lambda _: python_include, text)
        repaired = _NUMPY_INCLUDE.sub(lambda _: numpy_include, repaired)
        if repaired != text:
            # Written beside and moved: a killed run leaves the old file or the new one.
            fresh = path.with_suffix('.cmake.new')
            fresh.write_text(repaired, encoding='utf-8')
            fresh.replace(path)
            changed += 1
    return changed
