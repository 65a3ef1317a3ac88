# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""scripts/setup refuses in one line, and leaves nothing that breaks the next run.

The real script runs in a copy of its files, with a PATH and environment made for the case. Nothing
is downloaded: where a package index is asked, it is one on 127.0.0.1.
"""

import fcntl
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
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTHON = os.path.realpath(sys.executable)
TOOLS = ['bash', 'cat', 'dirname', 'env', 'sh', 'cc', 'c++', 'make', 'cmake']
SECONDS = 120  # far more than any run takes on a busy machine
NOTE = 'smoe_setup.json'

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

    def made(self) -> set[str]:
        """Return what was made in the folder, besides the lock."""
        return {path.name for path in self.root.iterdir()} - {
            'scripts',
            'requirements',
            '.venv.setup',
        }

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
def index():
    """A package index that has the package by which setup probes an index, and nothing else."""

    class Index(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path.strip('/'))
            found = self.path == '/iniconfig/'
            self.send_response(200 if found else 404)
            self.send_header('Content-Type', 'text/html')
            self.end_headers()
            self.wfile.write(b'<a href="iniconfig-2.0.0-py3-none-any.whl">x</a>' if found else b'')

        def log_message(self, *_):
            pass

    server = HTTPServer(('127.0.0.1', 0), Index)
    server.asked = []
    server.url = f'http://127.0.0.1:{server.server_port}/'
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def steps(monkeypatch):
    """Import a module of scripts/setup_steps, whose modules know each other by bare names."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / 'scripts' / 'setup_steps'))
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(ROOT / 'scripts') in (getattr(sys.modules[name], '__file__', None) or ''):
            del sys.modules[name]


def fake_python(copy: Copy, preface: str) -> None:
    """Put a python3 on PATH that runs the preface before whatever it is asked to run."""
    path = copy.tools / 'python3'
    program = f'import sys; {preface}; exec(sys.argv.pop())'
    path.write_text(f"#!/bin/sh\nexec '{PYTHON}' -c '{program}' \"$@\"\n")
    path.chmod(0o755)


def test_help_names_every_option_and_variable_and_makes_nothing(copy):
    process = copy.start('--help')
    text, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, '')
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
        ('sys.version_info = (3, 9, 18, "final", 0)', ['Python 3.9', '3.10-3.13']),
        ('sys.version_info = (3, 14, 0, "final", 0)', ['Python 3.14', '3.10-3.13']),
        (
            'import sysconfig; sysconfig.get_paths = lambda: {"include": "/nowhere"}',
            ['headers', 'apt install python3.', '-dev'],
        ),
        ('sys.modules["ensurepip"] = None', ['environments', 'apt install python3.', '-venv']),
    ],
    ids=['too old', 'too new', 'no headers', 'no venv'],
)
def test_an_unsuitable_python_is_named_with_what_it_lacks(copy, preface, words):
    fake_python(copy, preface)
    line = copy.refusal()
    for word in [*words, '--python PATH']:
        assert word in line


def test_a_suitable_python_is_found_behind_unsuitable_ones(copy):
    fake_python(copy, 'sys.version_info = (3, 9, 18, "final", 0)')
    (copy.tools / 'python3').rename(copy.tools / 'python3.12')
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
    for word in words:
        assert word in line
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


def test_a_sourced_ros_that_is_too_old_is_refused(copy, tmp_path):
    line = copy.refusal('--python', PYTHON, **sourced(tmp_path, 'humble'))
    assert 'humble' in line
    assert 'jazzy or newer' in line


def test_a_python_that_cannot_import_the_sourced_rclpy_is_refused(copy, tmp_path):
    env = sourced(tmp_path, 'jazzy') | {'PYTHONPATH': ''}
    assert 'cannot import the rclpy' in copy.refusal('--python', PYTHON, **env)


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


def test_a_whole_environment_is_not_replaced_because_ros_is_sourced(copy, tmp_path):
    copy.note(root=str(copy.root), requirements='x', ros=None, prefix=None)
    assert 'remove .venv/' in copy.refusal('--python', PYTHON, **sourced(tmp_path, 'jazzy'))
    assert (copy.venv / NOTE).exists()


def test_a_whole_environment_on_ros_is_not_replaced_because_ros_is_not_sourced(copy):
    copy.note(root=str(copy.root), requirements='x', ros='jazzy', prefix='/opt/ros/jazzy')
    assert '/opt/ros/jazzy: source its setup.bash' in copy.refusal('--python', PYTHON)
    assert (copy.venv / NOTE).exists()


@pytest.mark.parametrize('kind', ['folder', 'link'])
def test_an_environment_of_somebody_else_is_left_alone(copy, tmp_path, kind):
    theirs = Copy(tmp_path / 'theirs').venv if kind == 'link' else copy.venv
    theirs.mkdir()
    if kind == 'link':
        (theirs / NOTE).write_text(json.dumps({'root': str(tmp_path), 'requirements': 'x'}))
        copy.venv.symlink_to(theirs)
    assert 'was not made by scripts/setup' in copy.refusal('--python', PYTHON)
    assert copy.venv.exists()


def test_where_all_is_there_nothing_is_done(copy, steps):
    environment = steps('environment').Environment(copy.root, None)
    copy.note(**environment.key)
    workspace = steps('workspace').Workspace(copy.root, environment.key)
    (copy.root / 'install').mkdir()
    steps('notes').write_note(copy.root / 'install', workspace._state)
    before = copy.made()
    for tool in ('cc', 'c++', 'make'):
        (copy.tools / tool).unlink()
    process = copy.start('--python', PYTHON)
    text, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, '')
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


@pytest.mark.parametrize('version', ['310', '313'])
def test_cmake_exports_get_this_machines_include_folders(tmp_path, steps, version):
    builder = f'/opt/python/cp{version}-cp{version}'
    name = f'python3.{version[1:]}'
    export = tmp_path / 'share' / 'std_msgs' / 'cmake' / 'pyExport.cmake'
    export.parent.mkdir(parents=True)
    export.write_text(
        f'INTERFACE "{builder}/include/{name};'
        f'{builder}/lib/{name}/site-packages/numpy/_core/include;${{prefix}}/include"\n'
        'set(x /opt/python/include)\n'
    )
    steps('wheels').repair_cmake_exports(tmp_path, '/here/include', '/here/numpy/include')
    assert export.read_text() == (
        'INTERFACE "/here/include;/here/numpy/include;${prefix}/include"\n'
        'set(x /opt/python/include)\n'
    )


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
    left = {
        'AMENT_PREFIX_PATH': str(other),
        'PYTHONPATH': str(other),
        'LD_LIBRARY_PATH': f'{other}/lib:/usr/local/cuda/lib64',
        '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1',
    }
    seen = environment_after(f'. {copy.root}/scripts/environment', copy.env | left)
    assert seen['LD_LIBRARY_PATH'] == '/usr/local/cuda/lib64'
    assert not {'AMENT_PREFIX_PATH', 'PYTHONPATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE'} & seen.keys()


def test_a_sourced_ros_is_kept_but_not_this_repositorys_own_packages(copy):
    own = copy.root / 'install'
    sourced_twice = {
        'ROS_DISTRO': 'jazzy',
        'AMENT_PREFIX_PATH': f'{own}/smoe_ros:{own}/smoe_msgs:/opt/ros/jazzy',
        'LD_LIBRARY_PATH': f'{own}/smoe_msgs/lib:/opt/ros/jazzy/lib',
    }
    seen = environment_after(f'. {copy.root}/scripts/environment', copy.env | sourced_twice)
    assert seen['AMENT_PREFIX_PATH'] == '/opt/ros/jazzy'
    assert seen['LD_LIBRARY_PATH'] == '/opt/ros/jazzy/lib'
    assert seen['ROS_DISTRO'] == 'jazzy'
