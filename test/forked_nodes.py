# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Processes that start within a second: forked from one that has imported torch already.

What runs is the executable in a process of its own; only the seconds of importing are shared.
Tests of the executable as it is installed use ``ros_processes``.
"""

from __future__ import annotations

import faulthandler
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from ros_processes import RosProcess, ros_options, wait_until

_SIGTERM_BIT = 1 << 14
_forking = multiprocessing.get_context('forkserver')
# The compiled kernels, too, which take two seconds to load.
_KERNELS = [f'smoe_ros.kernels.{name}' for name in ('smoe', 'fusing', 'colours', 'resizing')]
_forking.set_forkserver_preload(
    ['__main__', 'smoe_ros.node.smoe_node', 'smoe_ros.offline.explain_bag', *_KERNELS]
)


NODE = 'smoe_ros.node.executables:smoe_node'
BAG = 'smoe_ros.offline.smoe_bag:main'


class Forked(RosProcess):
    """A running executable: its command begins with a function, ``module:function``."""

    def _started(self, env: Mapping[str, str | None]) -> Any:
        self._stdout.touch()
        self._stderr.touch()
        _start_forking()
        arguments = self.command, str(self._stdout.parent), dict(env)
        return _PopenLike(_forking.Process(target=_run, args=arguments, daemon=True))


def wait_until_signals_are_handled(process: RosProcess) -> None:
    """Wait until a process of the node has taken over SIGTERM: its first act."""

    def handled() -> bool:
        status = Path(f'/proc/{process.pid}/status').read_text()
        return bool(int(status.partition('SigCgt:')[2].split()[0], 16) & _SIGTERM_BIT)

    wait_until(handled)


def _start_forking() -> None:
    """Start the process to fork from, away from the source tree, which it would import."""
    here = Path.cwd()
    os.chdir(tempfile.gettempdir())
    try:
        forkserver.ensure_running()
    finally:
        os.chdir(here)


class _PopenLike:
    """The part of ``subprocess.Popen`` that `RosProcess` uses."""

    def __init__(self, process: Any):
        process.start()
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            self.send_signal(signal.SIGUSR1)  # writes where it stands to its standard error
            self._process.join(1)
            raise subprocess.TimeoutExpired('forked process', timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)


@contextmanager
def forked_nodes(folder: Path) -> Iterator[Callable[..., RosProcess]]:
    """Give a function that starts ``smoe_node``; all of them are stopped on the way out.

    Its signature is ``start(*arguments, parameters=None, remappings=None, env=None)``, with the
    meanings of ``ros_processes.started_processes``; ``arguments`` follow ``--ros-args`` here.
    """
    with ExitStack() as running:

        def start(
            *arguments: str,
            parameters: Mapping[str, Any] | None = None,
            remappings: Mapping[str, str] | None = None,
            env: Mapping[str, str | None] | None = None,
        ) -> RosProcess:
            # Unless a test is about engines: exporting a network takes longer than most tests.
            options = ros_options({'engine': 'torch', **(parameters or {})}, remappings)
            node = Forked([NODE, '--ros-args', *arguments, *options], folder, env or {})
            running.callback(node.stop)
            return node

        yield start


def _run(command: list[str], folder: str, env: Mapping[str, str | None]) -> None:
    os.setsid()
    for descriptor, name in ((1, 'stdout'), (2, 'stderr')):
        os.dup2(os.open(f'{folder}/{name}', os.O_WRONLY | os.O_TRUNC), descriptor)
    for name, value in env.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    faulthandler.register(signal.SIGUSR1)
    module, _, name = command[0].partition(':')
    sys.argv = [name, *command[1:]]
    sys.exit(getattr(importlib.import_module(module), name)())
