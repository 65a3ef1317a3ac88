# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Real processes on a private ROS domain: start them, watch them, end them, always within bounds.

Tests reach all of this through the fixtures in ``conftest.py``.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import rclpy
from ament_index_python.packages import get_package_prefix
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

PACKAGE = 'smoe_ros'


def wait_until(
    condition: Callable[[], Any],
    timeout: float = 20.0,
    *,
    node: Node | None = None,
    message: str = '',
) -> Any:
    """Wait until a condition holds, spinning ROS meanwhile, and return its (true) value.

    Args:
        condition: Called again and again; anything true ends the wait.
        timeout: Seconds until the test fails. Generous on purpose: it costs nothing on success.
        node: A node made by the ``ros_node`` fixture, whose callbacks run while waiting.
        message: What was waited for, for the failure's text; a callable's name otherwise.

    Raises:
        AssertionError: The condition did not come true in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            waited_for = message or getattr(condition, '__name__', repr(condition))
            raise AssertionError(f'not within {timeout:g} s: {waited_for}')
        if node is None:
            time.sleep(0.01)
        else:
            node.executor.spin_once(timeout_sec=0.02)


class RosProcess:
    """One running executable; its output goes to files, so that it can never block on a pipe."""

    def __init__(self, command: Sequence[str], folder: Path, env: Mapping[str, str | None]):
        """Start ``command`` in a process group of its own.

        Args:
            command: The executable and its arguments.
            folder: Where the folder of its output is made.
            env: Variables on top of this process's own; the value None removes one.
        """
        self.command = list(command)
        folder.mkdir(parents=True, exist_ok=True)
        output = Path(tempfile.mkdtemp(dir=folder))
        self._stdout, self._stderr = output / 'stdout', output / 'stderr'
        self._process = self._started({**os.environ, 'PYTHONUNBUFFERED': '1', **env})

    def _started(self, env: Mapping[str, str | None]) -> Any:
        with self._stdout.open('wb') as stdout, self._stderr.open('wb') as stderr:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={name: value for name, value in env.items() if value is not None},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id (the interpreter's: nothing is started through a shell)."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal that killed it, None while it runs."""
        return self._process.poll()

    @property
    def stdout(self) -> str:
        """Everything written to standard output so far."""
        return self._stdout.read_text(errors='replace')

    @property
    def stderr(self) -> str:
        """Everything written to standard error so far (rclpy logs there)."""
        return self._stderr.read_text(errors='replace')

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self._process.send_signal(number)

    def wait(self, timeout: float = 20.0) -> int:
        """Wait for the process to end by itself and return its exit code.

        Raises:
            AssertionError: It still runs after ``timeout`` seconds; the text holds its output.
        """
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'still running after {timeout:g} s\n{self.report()}') from None

    def wait_for_text(self, text: str, timeout: float = 20.0) -> None:
        """Wait until ``text`` was written to standard output or standard error.

        Raises:
            AssertionError: It ended or the time is up, and the text has not appeared.
        """

        def written_or_ended() -> bool:
            return self.returncode is not None or text in self.stdout + self.stderr

        with suppress(AssertionError):
            wait_until(written_or_ended, timeout)
        assert text in self.stdout + self.stderr, f'{text!r} was not written\n{self.report()}'

    def stop(self, timeout: float = 5.0) -> int:
        """End the process: SIGINT, then SIGTERM, then SIGKILL to its whole group.

        Args:
            timeout: Seconds granted after each of the first two signals.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            if self.returncode is None:
                self.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout)
        with suppress(ProcessLookupError):  # also children that a killed parent left behind
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait(timeout)

    def report(self) -> str:
        """Return command, exit code and output, for the text of a failing assertion."""
        return (
            f'{" ".join(self.command)}\nexit code {self.returncode}\n'
            f'--- stdout\n{self.stdout}--- stderr\n{self.stderr}---'
        )


StartProcess = Callable[..., RosProcess]


def ros_options(
    parameters: Mapping[str, Any] | None, remappings: Mapping[str, str] | None
) -> list[str]:
    """Return what follows ``--ros-args``; values as JSON, which is what rcl reads: YAML."""
    given = [('-p', name, json.dumps(value)) for name, value in (parameters or {}).items()]
    given += [('-r', name, value) for name, value in (remappings or {}).items()]
    return [word for option, name, value in given for word in (option, f'{name}:={value}')]


@contextmanager
def started_processes(folder: Path) -> Iterator[StartProcess]:
    """Give a function that starts executables; all of them are stopped on the way out.

    The function's signature is
    ``start(executable, *arguments, parameters=None, remappings=None, env=None) -> RosProcess``:

    - ``executable``: a name under ``lib/smoe_ros`` of the installed package, or an absolute path.
    - ``arguments``: passed on as they are, before the ROS arguments.
    - ``parameters``: ``{'rate': 10.0}``, passed as ``-p rate:=10.0`` (typed: 10 is an integer).
    - ``remappings``: ``{'image_raw': 'front/image_raw', '__ns': '/robot'}``, passed by ``-r``.
    - ``env``: variables on top of the test's own environment; the value None removes one.
    """
    with ExitStack() as running:

        def start(
            executable: str,
            *arguments: str,
            parameters: Mapping[str, Any] | None = None,
            remappings: Mapping[str, str] | None = None,
            env: Mapping[str, str | None] | None = None,
        ) -> RosProcess:
            path = Path(get_package_prefix(PACKAGE), 'lib', PACKAGE, executable)
            options = ros_options(parameters, remappings)
            command = [str(path), *arguments, *(['--ros-args', *options] if options else [])]
            process = RosProcess(command, folder, env or {})
            running.callback(process.stop)
            return process

        yield start


@contextmanager
def ros_nodes() -> Iterator[Callable[..., Node]]:
    """Give a function that makes nodes in this process, in one context that ends with it.

    It takes the arguments of ``rclpy.node.Node`` except ``context``. ``node.executor`` is a
    SingleThreadedExecutor shared by all of them; let ``wait_until`` spin it.
    """
    context = rclpy.Context()
    rclpy.init(context=context)
    executor = SingleThreadedExecutor(context=context)
    nodes: list[Node] = []

    def make(name: str, **options: object) -> Node:
        node = Node(name, context=context, **options)
        executor.add_node(node)
        nodes.append(node)
        return node

    try:
        yield make
    finally:
        executor.shutdown()
        for node in nodes:
            node.destroy_node()
        rclpy.try_shutdown(context=context)


@contextmanager
def claimed_domain(folder: Path) -> Iterator[int]:
    """Give a ROS domain id that no other test module, worker or session uses meanwhile.

    Args:
        folder: Where the locks lie; shared by everything that must not collide. A lock belongs
            to its process, so one that died leaves nothing to clean up.

    Raises:
        RuntimeError: All ids are taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for domain in range(1, 102):  # higher ids reach into Linux's ephemeral ports
        with (folder / str(domain)).open('w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise RuntimeError('all ROS domain ids are taken by running tests')
