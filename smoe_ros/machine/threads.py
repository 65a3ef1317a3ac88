# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the process asks of the system: sleeping and yielding threads, memory given back.

Imports nothing heavy: some of it counts only if it is said before torch is loaded.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading

# Of loops; GNU OpenMP takes 300,000 by itself.
_SPINS = '1000'
# Beside a thread of 0 on the same core, a tenth of its time.
_NICENESS = 10


def spin_briefly() -> None:
    """Let threads of GNU OpenMP, on which torch computes, soon sleep while they wait.

    By itself each waits in a loop for milliseconds, and so keeps the thread that it waits for off
    the core where other processes work, too: on two busy cores a network was seen to take sixty
    times as long. On cores of its own the network is as fast either way. It is an environment
    variable that is read when torch is loaded: call this before. What the user has set stays.
    """
    if 'OMP_WAIT_POLICY' not in os.environ:
        os.environ.setdefault('GOMP_SPINCOUNT', _SPINS)


def go_last() -> None:
    """Let the calling thread have what others leave of the cores.

    The threads of the network work in step, and all wait for the one whose core another has taken.
    On Linux, where a thread has a niceness of its own; nothing happens elsewhere.
    """
    if sys.platform == 'linux':
        thread = threading.get_native_id()
        niceness = max(os.getpriority(os.PRIO_PROCESS, thread), _NICENESS)
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


def give_back_free_memory() -> None:
    """Give the system what a network that is gone has left behind.

    glibc keeps freed memory for later, and networks leave holes of more than a hundred MB. Takes
    some 10 ms. C libraries without ``malloc_trim`` do as they please.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
