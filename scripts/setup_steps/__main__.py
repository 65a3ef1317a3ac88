# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The steps of scripts/setup, which found this Python; only the standard library is needed."""

import argparse
import contextlib
import fcntl
import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from checks import SetupError, check_path, check_ros
from environment import Environment
from workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / '.venv.setup'
# Variables that would misdirect pip or colcon.
MISLEADING = ('PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PIP_DRY_RUN', 'COLCON_DEFAULTS_FILE')


def main() -> int:
    """Run the steps; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    parser = argparse.ArgumentParser()
    parser.add_argument('--torch-index')
    torch_index = parser.parse_args().torch_index
    try:
        check_path(ROOT)
        os.chdir(ROOT)
        STATE.mkdir(exist_ok=True)
        with _lock(), _scratch() as scratch:
            _set_up(scratch, torch_index)
    except SetupError as error:
        print(f'scripts/setup: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('scripts/setup: interrupted; run it again to continue', file=sys.stderr)
        return 130
    except OSError as error:  # a full disk, a missing permission
        print(f'scripts/setup: {error.strerror}: {error.filename or ROOT}', file=sys.stderr)
        return 1
    return 0


def _set_up(scratch: Path, torch_index: str | None) -> None:
    started = time.monotonic()
    ros = os.environ.get('ROS_DISTRO') if os.environ.get('AMENT_PREFIX_PATH') else None
    origin = f'sourced ROS 2 {ros}' if ros else 'ROS 2 Jazzy from PyPI wheels'
    print(f'[1/3] This machine: Python {platform.python_version()}, {origin}', flush=True)
    environment = Environment(ROOT, ros)
    workspace = Workspace(ROOT, environment.key)
    whole, built = environment.is_whole(), workspace.is_built()
    check_ros(ros, builds=not (whole and built))
    print('[2/3] Environment .venv/: ' + ('is there' if whole else 'some GB, minutes'), flush=True)
    if not whole:
        environment.make(scratch, torch_index)
    built = whole and built
    print('[3/3] smoe_msgs and smoe_ros: ' + ('are built' if built else 'building'), flush=True)
    if not built:
        workspace.build()
    print(f'Ready after {time.monotonic() - started:.0f} s. Now, in any shell:')
    print('  source .venv/bin/activate && source install/setup.bash', flush=True)


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    """Hold the repository's lock, after waiting for another run to end."""
    with (STATE / 'lock').open('a') as file:
        # What a killed run started holds it, too, until it ends.
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('Another scripts/setup works here (or its pip goes on); waiting', flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Give pip a temporary folder: it puts 3 GB of wheels there, more than many a /tmp holds."""
    scratch = STATE / 'tmp'
    shutil.rmtree(scratch, ignore_errors=True)  # of a killed run
    scratch.mkdir()
    for name in MISLEADING:
        os.environ.pop(name, None)
    os.environ.update(TMPDIR=str(scratch), PIP_USER='0', PIP_NO_INPUT='1')
    os.environ.update(PIP_DISABLE_PIP_VERSION_CHECK='1')
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == '__main__':
    sys.exit(main())
