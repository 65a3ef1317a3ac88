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


LEAVING = 'from smoe_ros.node import executables; print("said"); executables.leave({code})'


@pytest.mark.parametrize(
    ('program', 'code', 'ending'),
    [(STUCK, 0, (1, '')), *((LEAVING, code, (code, 'said\n')) for code in (0, 1, 3))],
)
def test_a_process_ends_with_its_code_and_with_1_if_it_would_wait_for_ever_in_ros(
    program, code, ending
):
    ended = subprocess.run(
        [sys.executable, '-c', program.format(code=code)],
        timeout=30,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (*ending, '')
