# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""scripts/setup refuses in one line, and leaves nothing that breaks the next run.

The real script runs in a copy of its files, with a PATH and environment made for the case. Nothing
is downloaded: where a package index is asked, it is one on 127.0.0.1.
"""

import fcntl
import functools
import importlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTHON = os.path.realpath(sys.executable)
TOOLS = ['bash', 'cat', 'dirname', 'env', 'sh', 'cc', 'c++', 'make', 'cmake']
SECONDS = 120  # far more than any run takes on a busy machine
NOTE = 'smoe_setup.json'
TOO_OLD = 'sys.version_info = (3, 9, 18, "final", 0)'
NO_HEADERS = 'import sysconfig; sysconfig.get_paths = lambda: {"include": "/nowhere"}'

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 14) or platform.machine() != 'x86_64',
    reason='there are no ROS wheels for this Python or machine, so setup stops at that',
)


class Copy:
    """A copy of the files of scripts/setup, and the environment in which it runs."""

    def __init__(self, folder: Path, name: str = 'repository') -> None:
        self.root = folder / name
        for part in ('scripts', 'requirements'):
            ignored = shutil.ignore_patterns('__pycache__')
            shutil.copytree(ROOT / part, self.root / part, ignore=ignored)
        self.venv = self.root / '.venv'
        self.tools = folder / 'tools'
        self.tools.mkdir()
        for tool in TOOLS:
            (self.tools / tool).symlink_to(shutil.which(tool))
        self.env = {
            'PATH': str(self.tools),
            'HOME': str(folder),
            'PIP_CONFIG_FILE': os.devnull,
            'PIP_NO_CACHE_DIR': '1',
            'PIP_INDEX_URL': 'http://127.0.0.1:9/',  # nothing listens on the discard port
        }

    def start(self, *arguments: str, **env: str) -> subprocess.Popen:
        return subprocess.Popen(
            [self.root / 'scripts' / 'setup', *arguments],
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def refusal(self, *arguments: str, code: int = 1, **env: str) -> str:
        """Run setup, which must refuse; return its one line, behind what it said before."""
        process = self.start(*arguments, **env)
        self.said, errors = process.communicate(timeout=SECONDS)
        lines = errors.splitlines()
        assert (process.returncode, len(lines)) == (code, 1), errors
        assert lines[0].startswith('scripts/setup: ')
        return lines[0]

    def success(self, *arguments: str) -> str:
        """Run setup, which must succeed; return what it said."""
        process = self.start(*arguments)
        said, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, errors) == (0, '')
        return said

    def made(self) -> set[str]:
        """Return what was made in the folder, besides the lock."""
        there = {path.name for path in self.root.iterdir()}
        return there - {'scripts', 'requirements', '.venv.setup'}

    def note(self, **content: object) -> None:
        """Write a note as a run leaves it when all is there."""
        self.venv.mkdir()
        (self.venv / NOTE).write_text(json.dumps(content))


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


@pytest.fixture(scope='module')
def with_venv(tmp_path_factory):
    """A copy whose run stopped at an unreachable index, after .venv/ was made."""
    copy = Copy(tmp_path_factory.mktemp('setup'))
    copy.first_refusal = copy.refusal('--python', PYTHON)
    return copy


@pytest.fixture
def index(tmp_path):
    """A package index that has the package by which setup probes an index, and nothing else."""

    class Index(SimpleHTTPRequestHandler):
        def log_request(self, *_):
            server.asked.append(self.path.strip('/'))

        def log_error(self, *_):
            pass

    wheel = tmp_path / 'index' / 'iniconfig' / 'iniconfig-2.0.0-py3-none-any.whl'
    wheel.parent.mkdir(parents=True)
    wheel.touch()
    handler = functools.partial(Index, directory=tmp_path / 'index')
    with HTTPServer(('127.0.0.1', 0), handler) as server:
        server.asked, server.url = [], f'http://127.0.0.1:{server.server_port}/'
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def steps(monkeypatch):
    """Import a module of scripts/setup_steps, whose modules know each other by bare names."""
    monkeypatch.syspath_prepend(str(ROOT / 'scripts' / 'setup_steps'))
    yield importlib.import_module
    for name in ('checks', 'environment', 'wheels', 'workspace'):
        sys.modules.pop(name, None)


def fake_python(copy: Copy, preface: str, name: str = 'python3') -> None:
    """Put a Python on PATH that runs the preface before whatever it is asked to run."""
    path = copy.tools / name
    program = f'import sys; {preface}; exec(sys.argv.pop())'
    path.write_text(f"#!/bin/sh\nexec '{PYTHON}' -c '{program}' \"$@\"\n")
    path.chmod(0o755)


def test_help_names_every_option_and_variable_and_makes_nothing(copy):
    text = copy.success('--help')
    for word in ('--python', '--torch-index', 'SMOE_SETUP_MIN_FREE_GB', 'install/setup.bash'):
        assert word in text
    assert copy.made() == set()


@pytest.mark.parametrize('arguments', [['--fast'], ['x'], ['--python'], ['--torch-index', '']])
def test_a_wrong_option_is_named_with_where_to_read_on(copy, arguments):
    line = copy.refusal(*arguments, code=2)
    assert arguments[0] in line
    assert '--help' in line


@pytest.mark.parametrize(
    ('preface', 'words'),
    [
        (TOO_OLD, ['Python 3.9', '3.10-3.13']),
        ('sys.version_info = (3, 14, 0, "final", 0)', ['Python 3.14', '3.10-3.13']),
        (NO_HEADERS, ['headers', 'apt install python3.', '-dev']),
        ('sys.modules["ensurepip"] = None', ['environments', 'apt install python3.', '-venv']),
    ],
    ids=['too old', 'too new', 'no headers', 'no venv'],
)
def test_an_unsuitable_python_is_named_with_what_it_lacks(copy, preface, words):
    fake_python(copy, preface)
    line = copy.refusal()
    assert all(word in line for word in [*words, '--python PATH']), line


def test_a_suitable_python_is_found_behind_unsuitable_ones(copy):
    fake_python(copy, TOO_OLD, 'python3.12')
    (copy.tools / 'python3.10').symlink_to(PYTHON)
    # It gets on to a later check.
    assert 'disk space' in copy.refusal(SMOE_SETUP_MIN_FREE_GB='1e6')


def test_no_python_at_all_is_said(copy):
    assert 'python3 is not installed' in copy.refusal()
    assert 'no-such-python' in copy.refusal('--python', 'no-such-python')


@pytest.mark.parametrize(
    ('tool', 'name'), [('c++', 'C++ compiler'), ('cc', 'C compiler'), ('make', 'make')]
)
def test_a_missing_build_tool_is_named_with_its_package(copy, tool, name):
    (copy.tools / tool).unlink()
    assert f'no {name} found: sudo apt install build-essential' in copy.refusal('--python', PYTHON)


@pytest.mark.parametrize(
    ('limit', 'words'), [('1e6', ['1000000.0 GB are needed', '--torch-index']), ('x', ["'x'"])]
)
def test_a_full_disk_is_refused_before_anything_is_made(copy, limit, words):
    line = copy.refusal('--python', PYTHON, SMOE_SETUP_MIN_FREE_GB=limit)
    assert all(word in line for word in words), line
    assert copy.made() == set()


def test_a_path_that_colcon_cannot_take_is_refused(tmp_path):
    assert 'my robot' in Copy(tmp_path, name='my robot').refusal('--python', PYTHON)


def sourced(folder: Path, distribution: str, *modules: str) -> dict[str, str]:
    """Return the environment of a sourced ROS whose rclpy and other modules are empty packages."""
    for module in ('rclpy', *modules):
        (folder / 'ros' / module).mkdir(parents=True)
        (folder / 'ros' / module / '__init__.py').write_text('__version__ = "1.26.4"\n')
    ros = str(folder / 'ros')
    return {'ROS_DISTRO': distribution, 'AMENT_PREFIX_PATH': ros, 'PYTHONPATH': ros}


@pytest.mark.parametrize(
    ('distribution', 'changes', 'words'),
    [
        ('humble', {}, 'the sourced ROS is humble, and smoe_ros needs jazzy or newer'),
        ('jazzy', {'PYTHONPATH': ''}, 'cannot import the rclpy'),
    ],
)
def test_a_sourced_ros_that_will_not_do_is_refused(copy, tmp_path, distribution, changes, words):
    env = sourced(tmp_path, distribution) | changes
    assert words in copy.refusal('--python', PYTHON, **env)


def test_on_a_sourced_ros_only_what_it_lacks_is_installed_and_its_numpy_stays(
    copy, tmp_path, index
):
    text = ''.join(
        (ROOT / 'requirements' / name).read_text() for name in ('torch.txt', 'sourced-ros.txt')
    )
    present = set(re.findall(r'  # import (\S+)', text)) - {'tqdm'}
    env = sourced(tmp_path, 'jazzy', *present) | {'PIP_INDEX_URL': index.url}
    assert 'pip could not install' in copy.refusal('--python', PYTHON, **env)
    assert index.asked == ['iniconfig', 'tqdm']
    assert 'numpy==1.26.4' in (copy.venv / 'constraints.txt').read_text()


@pytest.mark.parametrize('ros', [None, 'jazzy'])
def test_a_whole_environment_is_not_replaced_because_of_what_is_sourced(copy, tmp_path, ros):
    copy.note(root=str(copy.root), requirements='x', ros=ros, prefix=ros and '/opt/ros/jazzy')
    line = copy.refusal('--python', PYTHON, **({} if ros else sourced(tmp_path, 'jazzy')))
    assert ('/opt/ros/jazzy: source its setup.bash' if ros else 'remove .venv/') in line
    assert (copy.venv / NOTE).exists()


@pytest.mark.parametrize('linked', [False, True])
def test_an_environment_of_somebody_else_is_left_alone(copy, tmp_path, linked):
    if linked:  # as a second working folder may share the first one's
        theirs = Copy(tmp_path / 'theirs')
        theirs.note(root=str(theirs.root), requirements='x')
        copy.venv.symlink_to(theirs.venv)
    else:
        copy.venv.mkdir()
    assert 'was not made by scripts/setup' in copy.refusal('--python', PYTHON)
    assert copy.venv.exists()


def test_where_all_is_there_nothing_is_done(copy, steps):
    key = steps('environment').Environment(copy.root, None).key
    copy.note(**key)
    (copy.root / 'install').mkdir()
    built = steps('workspace').Workspace(copy.root, key)._state
    (copy.root / 'install' / NOTE).write_text(json.dumps(built))
    before = copy.made()
    (copy.tools / 'c++').unlink()  # it could not build
    text = copy.success('--python', PYTHON)
    assert 'is there' in text
    assert 'are built' in text
    assert copy.made() == before


def test_an_unreachable_index_is_refused_and_the_next_run_goes_on(with_venv, index):
    assert 'no package registry answers' in with_venv.first_refusal
    # As a run leaves it that was killed while pip worked.
    (with_venv.venv / 'half').touch()
    line = with_venv.refusal('--python', PYTHON, PIP_INDEX_URL=index.url)
    assert not (with_venv.venv / 'half').exists()
    # It goes on, to what this index does not have.
    assert 'No matching distribution found for' in with_venv.said
    assert 'pip could not install' in line
    assert not json.loads((with_venv.venv / NOTE).read_text())['requirements']


def test_an_unreachable_torch_index_is_named(with_venv, index):
    url = 'http://127.0.0.1:9/torch'
    line = with_venv.refusal('--python', PYTHON, '--torch-index', url, PIP_INDEX_URL=index.url)
    assert f'--torch-index {url}' in line


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_pip_too_and_says_how_to_go_on(with_venv, number):
    with socket.create_server(('127.0.0.1', 0)) as silent:
        silent.settimeout(SECONDS)
        url = f'http://127.0.0.1:{silent.getsockname()[1]}/'
        process = with_venv.start('--python', PYTHON, PIP_INDEX_URL=url)
        connection, _ = silent.accept()  # pip has asked, and will wait
        process.send_signal(number)
        _, errors = process.communicate(timeout=SECONDS)
        connection.close()
    assert process.returncode == 130
    assert errors == 'scripts/setup: interrupted; run it again to continue\n'
    with (with_venv.root / '.venv.setup' / 'lock').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if pip still held it


def test_a_second_run_waits_for_the_first(copy):
    (copy.root / '.venv.setup').mkdir()
    with (copy.root / '.venv.setup' / 'lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # so that a lock of setup's that is not exclusive shows
        process = copy.start('--python', PYTHON, SMOE_SETUP_MIN_FREE_GB='1e6')
        assert 'waiting' in process.stdout.readline()
        assert process.poll() is None
    _, errors = process.communicate(timeout=SECONDS)
    assert 'disk space' in errors


def test_cmake_exports_get_this_machines_include_folders(tmp_path, steps):
    export = tmp_path / 'share' / 'std_msgs' / 'cmake' / 'pyExport.cmake'
    export.parent.mkdir(parents=True)
    builder = '/opt/python/cp313-cp313'
    export.write_text(
        f'"{builder}/include/python3.13;'
        f'{builder}/lib/python3.13/site-packages/numpy/_core/include;/opt/python/include"'
    )
    steps('wheels').repair_cmake_exports(tmp_path, '/here/include', '/here/numpy/include')
    assert export.read_text() == '"/here/include;/here/numpy/include;/opt/python/include"'


@pytest.mark.parametrize('name', ['setup.sh', 'local_setup.sh', 'setup.bash', 'local_setup.bash'])
def test_the_wheels_can_be_sourced_like_an_installed_ros(tmp_path, steps, name):
    site_packages = tmp_path / 'site-packages'
    (site_packages / 'ros_rcl.libs').mkdir(parents=True)
    steps('wheels').write_underlay_files(tmp_path, site_packages)
    seen = environment_after(
        f'. {tmp_path}/{name}; . {tmp_path}/{name}',
        {'PATH': '/usr/bin:/bin', 'LD_LIBRARY_PATH': '/mine'},
        shell=name.split('.')[1],
    )
    assert seen['AMENT_PREFIX_PATH'] == str(tmp_path)
    assert seen['PATH'] == f'{tmp_path}/bin:/usr/bin:/bin'
    assert seen['LD_LIBRARY_PATH'] == f'{tmp_path}/lib:{site_packages}/ros_rcl.libs:/mine'


def environment_after(script: str, env: dict[str, str], shell: str = 'bash') -> dict[str, str]:
    answer = subprocess.run(
        [shutil.which(shell), '-euc', f'{script}; env'],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split('=', 1) for line in answer.stdout.splitlines())


def test_what_another_environment_left_in_the_shell_is_forgotten(copy, tmp_path):
    other = tmp_path / 'other'
    (other / 'lib').mkdir(parents=True)
    (other / 'pyvenv.cfg').touch()
    left = dict.fromkeys(('AMENT_PREFIX_PATH', 'PYTHONPATH'), str(other))
    left['_ROS_WHEELS_BOOTSTRAP_COMPLETE'] = '1'
    libraries = {'LD_LIBRARY_PATH': f'{other}/lib:/usr/local/cuda/lib64'}
    seen = environment_after(f'. {copy.root}/scripts/environment', copy.env | left | libraries)
    assert seen['LD_LIBRARY_PATH'] == '/usr/local/cuda/lib64'
    assert not left.keys() & seen.keys()


def test_a_sourced_ros_is_kept_but_not_this_repositorys_own_packages(copy):
    own = copy.root / 'install'
    kept = {
        'ROS_DISTRO': 'jazzy',
        'AMENT_PREFIX_PATH': '/opt/ros/jazzy',
        'LD_LIBRARY_PATH': '/opt/ros/jazzy/lib',
    }
    twice = kept | {
        'AMENT_PREFIX_PATH': f'{own}/smoe_ros:{own}/smoe_msgs:/opt/ros/jazzy',
        'LD_LIBRARY_PATH': f'{own}/smoe_msgs/lib:/opt/ros/jazzy/lib',
    }
    seen = environment_after(f'. {copy.root}/scripts/environment', copy.env | twice)
    assert kept.items() <= seen.items()
