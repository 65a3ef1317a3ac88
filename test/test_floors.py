# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The house has floors, and each imports only downward.

kernels: compiled loops on arrays. saliency: mathematics on tensors. The modules beside it and
engines: the explainer, no ROS. bags: beside it, no ROS either. node: the ROS side, no tensor
mathematics. commands: the command line, beside node, no ROS. demo, evaluation, report and
recording: on top; evaluation without ROS.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import smoe_ros

PACKAGE = Path(smoe_ros.__file__).parent
TOP = ('smoe_ros.demo', 'smoe_ros.evaluation', 'smoe_ros.recording', 'smoe_ros.report')
ROS = ('rclpy', 'rcl_interfaces', 'ament_index_python', 'launch', 'launch_ros', 'cv_bridge')


def modules(*patterns):
    return sorted(path for pattern in patterns for path in PACKAGE.glob(pattern))


def imports_of(path):
    """Return what a file imports anywhere in it, as dotted names; relative ones are resolved."""
    package = ('smoe_ros', *path.relative_to(PACKAGE).parts[:-1])
    found = set()
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            base = package[: len(package) + 1 - statement.level] if statement.level else ()
            origin = '.'.join((*base, *filter(None, [statement.module])))
            found |= {origin} | {f'{origin}.{alias.name}' for alias in statement.names}
    return found


def is_ros(name):
    package = name.split('.')[0]
    return package in ROS or package.endswith(('_msgs', '_interfaces', '_srvs'))


def is_within(name, *packages):
    return any(name == package or name.startswith(f'{package}.') for package in packages)


def identify(path):
    return str(path.relative_to(PACKAGE))


def test_every_floor_has_files():
    for pattern in ('saliency/*.py', '*.py', 'node/*.py', 'commands/*.py'):
        assert len(modules(pattern)) > 3, pattern


@pytest.mark.parametrize('path', modules('kernels/*.py'), ids=identify)
def test_kernels_import_numpy_and_numba_and_nothing_of_ours(path):
    allowed = {*sys.stdlib_module_names, 'numpy', 'numba'}
    strange = {
        name
        for name in imports_of(path)
        if name.split('.')[0] not in allowed and not is_within(name, 'smoe_ros.kernels')
    }
    assert not strange


@pytest.mark.parametrize('path', modules('saliency/*.py'), ids=identify)
def test_saliency_imports_torch_kernels_and_errors_and_nothing_else_of_ours(path):
    allowed = {*sys.stdlib_module_names, 'torch'}
    strange = {
        name
        for name in imports_of(path)
        if name.split('.')[0] not in allowed
        and name != 'smoe_ros'
        and not is_within(name, 'smoe_ros.saliency', 'smoe_ros.kernels', 'smoe_ros.errors')
    }
    assert not strange


@pytest.mark.parametrize(
    'path',
    modules('*.py', 'kernels/*.py', 'saliency/*.py', 'engines/*.py', 'bags/*.py'),
    ids=identify,
)
def test_the_lower_floors_import_no_ros_and_nothing_above_them(path):
    wrong = {
        name
        for name in imports_of(path)
        if is_ros(name) or is_within(name, 'smoe_ros.node', 'smoe_msgs', *TOP)
    }
    assert not wrong


@pytest.mark.parametrize('path', modules('node/*.py'), ids=identify)
def test_the_node_imports_no_tensor_mathematics_and_nothing_above_it(path):
    wrong = {
        name
        for name in imports_of(path)
        if is_within(name, 'torch', 'torchvision', 'smoe_ros.saliency', *TOP)
    }
    assert not wrong


@pytest.mark.parametrize('path', modules('commands/*.py'), ids=identify)
def test_the_command_line_imports_no_ros_and_nothing_of_the_node_or_the_demo(path):
    wrong = {
        name for name in imports_of(path) if is_ros(name) or is_within(name, 'smoe_ros.node', *TOP)
    }
    assert not wrong


@pytest.mark.parametrize(
    'path', modules('*.py', 'saliency/*.py', 'bags/*.py', 'node/*.py'), ids=identify
)
def test_nothing_below_imports_the_command_line(path):
    assert not any(is_within(name, 'smoe_ros.commands') for name in imports_of(path))


def test_cv_bridge_sits_behind_one_module():
    users = [path for path in modules('**/*.py') if 'cv_bridge' in imports_of(path)]
    assert users == [PACKAGE / 'node' / 'image_conversion.py']


BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        package = name.split('.')[0]
        if package in {blocked!r} or package.endswith(('_msgs', '_interfaces', '_srvs')):
            raise ModuleNotFoundError(name + ' is blocked', name=name)

sys.meta_path.insert(0, Blocker())
"""


def import_without(blocked, names):
    """Import modules in a process of its own in which other packages are not there."""
    code = BLOCKER.format(blocked=tuple(blocked)) + '\n'.join(f'import {name}' for name in names)
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, '-c', code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_lower_floors_import_without_ros():
    names = [
        '.'.join(('smoe_ros', *path.relative_to(PACKAGE).with_suffix('').parts))
        for path in modules('*.py', 'kernels/*.py', 'saliency/*.py', 'engines/*.py', 'bags/*.py')
        if path.stem != '__init__'
    ]
    assert {'smoe_ros.explainer', 'smoe_ros.rendering', 'smoe_ros.saliency.fusion'} <= set(names)
    result = import_without(ROS, names)
    assert result.returncode == 0, result.stderr


def test_the_command_line_imports_without_ros():
    names = [
        f'smoe_ros.{path.parent.name}.{path.stem}'
        for path in modules('commands/[!_]*.py', 'evaluation/[!_]*.py')
    ]
    assert {'smoe_ros.commands.explain', 'smoe_ros.evaluation.evaluate'} <= set(names)
    result = import_without(ROS, names)
    assert result.returncode == 0, result.stderr


def test_saliency_imports_with_torch_alone():
    blocked = (*ROS, 'cv2', 'torchvision', 'rosbags', 'matplotlib', 'scipy', 'skimage', 'PIL')
    result = import_without(blocked, ['smoe_ros.saliency'])
    assert result.returncode == 0, result.stderr


def test_the_blocked_imports_of_these_tests_are_blocked():
    result = import_without(ROS, ['smoe_ros.node.image_conversion'])
    assert result.returncode != 0
    assert 'is blocked' in result.stderr
