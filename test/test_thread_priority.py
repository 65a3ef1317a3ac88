# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A thread that goes last does so by itself, and stays as low as it was."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from smoe_ros.machine.threads import go_last

pytestmark = pytest.mark.skipif(
    sys.platform != 'linux', reason='only on Linux has a thread a niceness of its own'
)


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_goes_last_and_the_others_stay_where_they_are():
    before = niceness()
    with ThreadPoolExecutor(1, 'last', go_last) as last, ThreadPoolExecutor(1, 'other') as other:
        assert last.submit(niceness).result() == max(before, 10)
        assert other.submit(niceness).result() == before
    assert niceness() == before


def test_a_thread_that_is_lower_already_is_not_raised():
    def lower():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        go_last()
        return niceness()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(lower).result() == 15
