# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Memory that is free but still the process's."""

from __future__ import annotations

import ctypes
import gc


def give_back_free_memory() -> None:
    """Give the system what a network that is gone has left behind.

    glibc keeps freed memory for later, and networks leave holes of more than a hundred MB. Takes
    some 10 ms. C libraries without ``malloc_trim`` do as they please.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
