# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The life of a node's process: start, spin, and an orderly end whatever happens."""

from __future__ import annotations

import ast
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType

import rclpy
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos_overriding_options import InvalidQosOverridesError
from rclpy.signals import SignalHandlerOptions, install_signal_handlers
from rclpy.utilities import remove_ros_args

from smoe_ros.errors import ConfigurationError
from smoe_ros.messages.topics import without_places

# rclpy raises these for what a user gave it: arguments, names, overrides.
_USER_ERRORS = (
    rclpy_implementation.RCLError,
    rclpy_implementation.UnknownROSArgsError,
    InvalidQosOverridesError,
    NameValidationException,
    ParameterException,
)
_ARGUMENTS = (
    'write -p name:=value, a list as "[a, b]"; write -r from:=to, with names that ROS allows; '
    'choose debug, info, warn, error or fatal as --log-level'
)


def run_node(create: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Run one node until it is done or told to stop, and return the process's exit code.

    For ``main()``, whose last act it is: afterwards SIGINT and SIGTERM stay ignored, so that a
    second Ctrl-C cannot spoil the exit code of a process that is ending already.

    The node may have three attributes that this honours: ``start()``, called when it is made;
    ``finished``, a ``rclpy.task.Future`` that ends the spinning when done (its exception, if any,
    is raised); and ``close()``, called before the node is destroyed whatever happened, for
    example to join threads.

    Args:
        create: Makes the node; called after ``rclpy.init``.
        args: Command line without the program's name; None takes the process's own. Only ROS
            arguments may be among them.

    Returns:
        0 after SIGINT, SIGTERM, a shutdown of the context, or ``finished``. 1 if the configuration
        was refused: by a ConfigurationError, or by ROS itself for a malformed argument, parameter
        or name. The reason is then the one line on standard error, ``<executable>: <reason>``.
    """
    try:
        return _run(create, list(sys.argv[1:] if args is None else args))
    except KeyboardInterrupt:
        # A signal shuts the context down before Python hears of it: what fails of that may have
        # been looked into when the interruption came.
        return 0


def _run(create: Callable[[], Node], arguments: list[str]) -> int:
    executable = Path(sys.argv[0]).name
    node = executor = None
    interruption = _Interruption()
    try:
        executor = _initialise([executable, *arguments])
        interruption.release()
        node = create()
        if hasattr(node, 'start'):
            node.start()
        _spin(executor, node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception as error:
        # After a signal any call into ROS may fail with anything: it shuts the context down, or
        # comes while a call converts its arguments, which then says that it cannot.
        if interruption.arrived or (executor is not None and not rclpy.ok()):
            return 0
        if isinstance(error, ConfigurationError):
            return _refuse(executable, str(error))
        # rclpy has no type of its own for an unknown value of a QoS override.
        if isinstance(error, _USER_ERRORS) or 'QoS override' in str(error):
            return _refuse(executable, _explain(error))
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if node is not None:
            if hasattr(node, 'close'):
                node.close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


class _Interruption:
    """SIGINT and SIGTERM as one KeyboardInterrupt, held back until ``release``.

    Where rclpy is interrupted while it makes an executor, it leaves a broken one, which complains
    on standard error when it is deleted. A second signal would interrupt the clean-up.

    Attributes:
        arrived: Whether a signal came.
    """

    current: _Interruption | None = None

    def __init__(self) -> None:
        self._held, self.arrived = True, False
        _Interruption.current = self
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._arrive)

    def _arrive(self, _number: int, _frame: FrameType | None) -> None:
        again, self.arrived = self.arrived, True
        if not self._held and not again:
            raise KeyboardInterrupt

    def release(self) -> None:
        """Interrupt from now on, and at once if a signal came meanwhile."""
        self._held = False
        if self.arrived:
            raise KeyboardInterrupt

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Interrupt afterwards; once interrupted, never again."""
        if self._held or self.arrived:
            yield
            return
        self._held = True
        try:
            yield
        finally:
            self.release()


def uninterrupted() -> AbstractContextManager[None]:
    """Hold back the interruption of `run_node`: what belongs together is done, or none of it.

    The context may still be shut down meanwhile: a signal does that before Python hears of it.
    """
    current = _Interruption.current
    return nullcontext() if current is None else current.held_back()


def _initialise(argv: list[str]) -> SingleThreadedExecutor:
    # Also refuses malformed ROS arguments, and unlike rclpy.init without a log line of its own.
    stray = remove_ros_args(argv)[1:]
    if stray:
        raise ConfigurationError(
            f'unexpected arguments: {" ".join(stray)} (parameters are given as '
            '--ros-args -p name:=value)'
        )
    rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    executor = SingleThreadedExecutor()
    # rclpy's handlers shut the context down and wake the executor, then call those they replace.
    install_signal_handlers(SignalHandlerOptions.ALL)
    return executor


def _spin(executor: SingleThreadedExecutor, node: Node) -> None:
    executor.add_node(node)
    finished = getattr(node, 'finished', None)
    if finished is None:
        executor.spin()
    else:
        executor.spin_until_future_complete(finished)
        if finished.done():
            finished.result()


def _refuse(executable: str, reason: str) -> int:
    print(f'{executable}: {" ".join(reason.split())}', file=sys.stderr)
    return 1


def _explain(error: Exception) -> str:
    """Put an error of ROS into words of the command line."""
    text = without_places(error)
    if isinstance(error, rclpy_implementation.UnknownROSArgsError):
        return f'unknown ROS arguments: {" ".join(ast.literal_eval(text))}'
    _, malformed, what = text.partition("Couldn't parse ")
    return f'cannot parse {what}; {_ARGUMENTS}' if malformed else text
