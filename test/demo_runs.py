# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs of the installed demonstration, in processes of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ament_index_python.packages import get_package_prefix


def demo_command(*arguments: object) -> list[str]:
    executable = Path(get_package_prefix('smoe_ros'), 'lib', 'smoe_ros', 'smoe_demo')
    return [str(executable), *map(str, arguments)]


def run_demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = demo_command(*arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
