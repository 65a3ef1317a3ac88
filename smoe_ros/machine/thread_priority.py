# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Threads that let others go first."""

from __future__ import annotations

import os
import sys
import threading

# Beside a thread of 0 on the same core, a tenth of its time.
_NICENESS = 10


def go_last() -> None:
    """Let the calling thread have what others leave of the cores.

    The threads of the network work in step, and all wait for the one whose core another has taken.
    On Linux, where a thread has a niceness of its own; nothing happens elsewhere.
    """
    if sys.platform == 'linux':
        thread = threading.get_native_id()
        niceness = max(os.getpriority(os.PRIO_PROCESS, thread), _NICENESS)
        os.setpriority(os.PRIO_PROCESS, thread, niceness)
