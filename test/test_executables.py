# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The end of a node's process."""

import subprocess
import sys

import pytest

STUCK = """
import ctypes, gc
from smoe_ros.node import executables

class Held:
    def __del__(self):
        ctypes.PyDLL(None).sleep(60)  # as Fast DDS: waits, and lets no other thread run

held = Held()
held.itself = held
del held
executables.leave({code}, patience=0.5)
"""


@pytest.mark.parametrize('code', [0, 1])
def test_a_process_that_waits_for_ever_in_ros_ends_all_the_same(code):
    ended = subprocess.run(
        [sys.executable, '-c', STUCK.format(code=code)],
        timeout=30,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, '')


@pytest.mark.parametrize('code', [0, 1, 3])
def test_a_process_ends_with_its_own_code(code):
    program = f'from smoe_ros.node import executables; print("said"); executables.leave({code})'
    ended = subprocess.run(
        [sys.executable, '-c', program], timeout=30, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (code, 'said\n')
