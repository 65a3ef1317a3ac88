# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Threads that wait or go last leave the cores to others."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from smoe_ros.machine import go_last, spin_briefly

VARIABLES = ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY')


@pytest.mark.parametrize(
    ('set_before', 'wanted'),
    [
        ({}, {'GOMP_SPINCOUNT': '1000'}),
        ({'GOMP_SPINCOUNT': '7'}, {'GOMP_SPINCOUNT': '7'}),
        ({'OMP_WAIT_POLICY': 'ACTIVE'}, {'OMP_WAIT_POLICY': 'ACTIVE'}),
    ],
)
def test_what_the_user_set_stays(monkeypatch, set_before, wanted):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in set_before.items():
        monkeypatch.setenv(name, value)
    spin_briefly()
    assert {name: os.environ[name] for name in VARIABLES if name in os.environ} == wanted


@pytest.mark.parametrize(
    'command',
    [
        'from smoe_ros.commands.smoe_explain import main; main(["none.png", "--output", {folder!r}])',  # noqa: E501
        'from smoe_ros.evaluation.smoe_evaluate import main; main(["none.png", "--output", {folder!r}])',  # noqa: E501
        'from smoe_ros.offline.smoe_bag import main; main(["explain", "none.bag", {folder!r}])',
        'from smoe_ros.node.executables import smoe_node; smoe_node()',
    ],
)
def test_it_is_said_before_torch_is_loaded(command, tmp_path):
    environment = {name: os.environ[name] for name in os.environ if name not in VARIABLES}
    program = (
        'import sys\n'
        'from smoe_ros import machine\n'
        'told = machine.spin_briefly\n'
        'def watch():\n'
        '    assert "torch" not in sys.modules\n'
        '    told()\n'
        '    print("said in time", flush=True)\n'
        '    sys.exit(0)\n'
        'machine.spin_briefly = machine.threads.spin_briefly = watch\n'
        + command.format(folder=str(tmp_path / 'out'))
    )
    said = subprocess.check_output([sys.executable, '-c', program], env=environment, timeout=60)
    assert said == b'said in time\n'


on_linux = pytest.mark.skipif(
    sys.platform != 'linux', reason='only on Linux has a thread a niceness of its own'
)


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@on_linux
def test_a_thread_goes_last_and_the_others_stay_where_they_are():
    before = niceness()
    with ThreadPoolExecutor(1, 'last', go_last) as last, ThreadPoolExecutor(1, 'other') as other:
        assert last.submit(niceness).result() == max(before, 10)
        assert other.submit(niceness).result() == before
    assert niceness() == before


@on_linux
def test_a_thread_that_is_lower_already_is_not_raised():
    def lower():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        go_last()
        return niceness()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(lower).result() == 15
