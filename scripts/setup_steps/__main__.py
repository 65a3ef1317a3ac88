# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The steps of scripts/setup, which found this Python; only the standard library is needed."""

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import signal
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from checks import check_compiler, check_disk, check_path, check_ros
from cmake_exports import repair
from errors import SetupError
from packages import ON_SOURCED_ROS, WITH_WHEELS, PackageInstaller
from processes import CommandError, Runner, duration, plain_environment
from stamps import read_stamp, remove_stamp, write_stamp
from underlay_files import write_underlay_files
from virtual_environment import VirtualEnvironment
from workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / '.venv.setup'

_TRY_IMPORTS = """
. .venv/bin/activate
if [ -e .venv/local_setup.sh ]; then . .venv/local_setup.sh; fi
exec python -c 'import rclpy, sensor_msgs.msg, cv2, cv_bridge, torch, torchvision'
"""


def main() -> int:
    """Run the steps; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    parser = argparse.ArgumentParser()
    parser.add_argument('--torch-index')
    torch_index = parser.parse_args().torch_index
    try:
        check_path(ROOT)
        STATE.mkdir(exist_ok=True)
        with _lock() as lock:
            _set_up(lock, torch_index)
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


def _set_up(lock: int, torch_index: str | None) -> None:
    started = time.monotonic()
    scratch = STATE / 'tmp'
    shutil.rmtree(scratch, ignore_errors=True)  # a killed run leaves pip's wheels there
    scratch.mkdir()
    env = plain_environment(scratch)
    runner = Runner(ROOT, STATE, lock)
    ros = os.environ.get('ROS_DISTRO') if os.environ.get('AMENT_PREFIX_PATH') else None
    venv = VirtualEnvironment(ROOT, on_sourced_ros=ros is not None)
    key = _underlay_key(ros)

    origin = f'sourced ROS 2 {ros}' if ros else 'ROS 2 Jazzy from PyPI wheels'
    print(f'[1/4] This machine: Python {platform.python_version()}, {origin}', flush=True)
    check_ros(ros)
    stamp = read_stamp(venv.path)
    workspace = Workspace(ROOT, key)
    is_built = stamp == key and workspace.is_built()
    if not is_built:
        check_compiler(cmake_too=ros is not None)
    if stamp != key:
        _refuse_other_kind(venv, stamp)
        print('[2/4] Environment .venv/', flush=True)
        remove_stamp(venv.path)
        _make_environment(venv, runner, env, torch_index)
        print('[3/4] Python packages (the long step: some GB, minutes)', flush=True)
        _fill_environment(
            venv, runner, env, PackageInstaller(ROOT, venv, runner, env, scratch, torch_index)
        )
        write_stamp(venv.path, key)
    else:
        print('[2/4] Environment .venv/: is there', flush=True)
        print('[3/4] Python packages: are there', flush=True)
    if is_built:
        print('[4/4] smoe_msgs and smoe_ros: are built', flush=True)
    else:
        print('[4/4] Building smoe_msgs and smoe_ros into install/', flush=True)
        workspace.build(runner, env)
    shutil.rmtree(scratch, ignore_errors=True)
    print(f'Ready after {duration(time.monotonic() - started)}. Now, in any shell:')
    print('  source .venv/bin/activate && source install/setup.bash', flush=True)


def _underlay_key(ros: str | None) -> dict[str, Any]:
    """Return what .venv/ depends on; when it changes, the environment is looked over again."""
    names = ON_SOURCED_ROS if ros else WITH_WHEELS
    texts = [(ROOT / 'requirements' / name).read_bytes() for name in names]
    return {
        'root': str(ROOT),
        'requirements': hashlib.sha256(b'\0'.join(texts)).hexdigest(),
        'python_include': sysconfig.get_paths()['include'],
        'ros': ros,
        # The first entries are overlays, which come and go.
        'prefix': os.environ['AMENT_PREFIX_PATH'].split(':')[-1] if ros else None,
    }


def _refuse_other_kind(venv: VirtualEnvironment, stamp: dict[str, Any] | None) -> None:
    """Refuse to replace a complete environment just because a shell is (not) sourced."""
    if stamp is None or stamp.get('root') != str(ROOT):
        return
    if stamp['ros'] and not venv.on_sourced_ros:
        raise SetupError(
            f'.venv/ was made on the ROS 2 at {stamp["prefix"]}: source its setup.bash first, or '
            'remove .venv/ to make one from PyPI wheels'
        )
    if not stamp['ros'] and venv.on_sourced_ros:
        raise SetupError(
            f'.venv/ holds ROS 2 from PyPI wheels, but {os.environ["ROS_DISTRO"]} is sourced: '
            'use a shell that does not source it, or remove .venv/ to build on it'
        )


def _make_environment(
    venv: VirtualEnvironment, runner: Runner, env: dict[str, str], torch_index: str | None
) -> None:
    if venv.is_usable():
        incomplete = venv.forget_incomplete_distributions()
        if incomplete:
            print(f'      half-installed by an earlier run: {incomplete}; again', flush=True)
        return
    if not venv.path.exists():
        check_disk(ROOT, 0.0, torch_index=torch_index is not None)
    try:
        venv.make(runner, env)
    except CommandError as error:
        raise SetupError(
            f'.venv/ could not be made ({error}); see .venv.setup/venv.log'
        ) from error


def _fill_environment(
    venv: VirtualEnvironment, runner: Runner, env: dict[str, str], installer: PackageInstaller
) -> None:
    installer.install()
    if not venv.on_sourced_ros:
        numpy_include = venv.site_packages / 'numpy' / '_core' / 'include'
        include = sysconfig.get_paths()['include']
        repaired = repair(venv.path, include, str(numpy_include))
        write_underlay_files(venv.path, venv.site_packages)
        if repaired:
            print(f"      {repaired} CMake files of the wheels now name this machine's folders")
    try:
        runner.run(['bash', '-c', _TRY_IMPORTS], 'imports.log', env)
    except CommandError as error:
        raise SetupError(f'a package does not work here: {error}') from error


@contextlib.contextmanager
def _lock() -> Iterator[int]:
    """Hold the repository's lock, after waiting for another run to end."""
    with (STATE / 'lock').open('a') as file:
        waited = 0
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waited % 60 == 0:
                    print(
                        'Another scripts/setup works here (or its pip goes on); waiting',
                        flush=True,
                    )
                waited += 1
                time.sleep(0.5)
        yield file.fileno()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == '__main__':
    sys.exit(main())
