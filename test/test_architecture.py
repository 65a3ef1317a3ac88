# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The house: its rooms, the floor each is on, and what each may import. This table is the plan."""

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import smoe_ros

PACKAGE = Path(smoe_ros.__file__).parent
ROOT = Path(__file__).resolve().parents[1]

# Room: the rooms that it imports. An empty line is a ceiling: what is named lies on a lower floor.
# `errors` is everybody's.
HOUSE = """
demo: options images bags rendering commands node offline

node: options machine images rendering saliency explainer messages
offline: options machine images bags rendering explainer messages commands
evaluation: options machine images scales saliency engines explainer commands

messages: options images rendering explainer
commands: options machine images backbones rendering explainer

explainer: options kernels machine scales saliency backbones engines

engines: options scales saliency
backbones: options kernels images scales
rendering: kernels images

saliency: options kernels
machine: options
scales:
images:
bags:

kernels:
options:
"""
FLOORS = [
    {room: set(below.split()) for room, _, below in (line.partition(':') for line in floor)}
    for floor in (text.split('\n') for text in HOUSE.strip().split('\n\n'))
]
ALLOWED = {room: below for floor in FLOORS for room, below in floor.items()}
WITHOUT_ROS = set(ALLOWED) - {'messages', 'node', 'offline', 'demo'}

ROS = ('rclpy', 'rcl_interfaces', 'ament_index_python', 'launch', 'launch_ros', 'cv_bridge')
# What only evaluation, reports and bags need: a robot's node does without.
EXTRAS = ('scipy', 'skimage', 'matplotlib', 'rosbags', 'mcap', 'jinja2', 'av')


def modules(room='**'):
    return sorted(path for path in PACKAGE.glob(f'{room}/**/*.py'))


def identify(path):
    return str(path.relative_to(PACKAGE))


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


def rooms_imported_by(path):
    names = [name.split('.') for name in imports_of(path) if name.startswith('smoe_ros.')]
    return {name[1] for name in names} - {'errors', path.relative_to(PACKAGE).parts[0]}


def is_ros(name):
    package = name.split('.')[0]
    return package in ROS or package.endswith(('_msgs', '_interfaces', '_srvs'))


def test_the_package_holds_the_rooms_of_the_plan_and_nothing_else():
    entries = {path.name for path in PACKAGE.iterdir() if path.name != '__pycache__'}
    assert entries == {'__init__.py', 'errors.py', *ALLOWED}


def test_the_plan_has_at_most_seven_floors_and_no_arrow_upward_or_sideways():
    assert len(FLOORS) <= 7
    below = set()
    for floor in reversed(FLOORS):
        for room, allowed in floor.items():
            assert allowed <= below, f'{room} imports {allowed - below}'
        below |= floor.keys()


@pytest.mark.parametrize('room', ALLOWED)
def test_a_room_imports_exactly_what_the_plan_says(room):
    found = {other for path in modules(room) for other in rooms_imported_by(path)}
    assert found == ALLOWED[room]


@pytest.mark.parametrize('room', ALLOWED)
def test_a_room_says_in_a_sentence_what_it_is_for(room):
    text = ast.get_docstring(ast.parse((PACKAGE / room / '__init__.py').read_text()))
    assert text is not None
    assert text.splitlines()[0].endswith('.')


@pytest.mark.parametrize('path', modules(), ids=identify)
def test_a_file_is_neither_a_scrap_nor_a_heap(path):
    lines = len(path.read_text().splitlines())
    assert lines <= 350
    assert lines >= 30 or path.name == '__init__.py'


def test_no_two_files_share_a_name():
    names = Counter(path.name for path in modules() if path.name != '__init__.py')
    assert not [name for name, count in names.items() if count > 1]


@pytest.mark.parametrize('room', sorted(WITHOUT_ROS))
def test_what_needs_no_ros_imports_none(room):
    assert not {name for path in modules(room) for name in imports_of(path) if is_ros(name)}


def test_kernels_import_numpy_and_numba_alone():
    allowed = {*sys.stdlib_module_names, 'numpy', 'numba', 'smoe_ros'}
    found = {name.split('.')[0] for path in modules('kernels') for name in imports_of(path)}
    assert found <= allowed


def test_the_node_does_no_tensor_mathematics():
    found = {name for path in modules('node') for name in imports_of(path)}
    assert not {name for name in found if name.split('.')[0] in ('torch', 'torchvision')}


def test_cv_bridge_sits_behind_one_module():
    users = [identify(path) for path in modules() if 'cv_bridge' in imports_of(path)]
    assert users == ['messages/decoding.py']


def test_the_picture_of_the_house_is_drawn_from_this_table():
    command = [sys.executable, ROOT / 'scripts' / 'house_picture', '--check']
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        package = name.split('.')[0]
        ros = package.endswith(('_msgs', '_interfaces', '_srvs'))
        if package in {blocked!r} or {ros!r} and ros:
            raise ModuleNotFoundError(name + ' is blocked', name=name)

sys.meta_path.insert(0, Blocker())
"""


def import_without(blocked, names):
    """Import modules in a process of its own in which other packages are not there."""
    code = BLOCKER.format(blocked=tuple(blocked), ros=blocked[: len(ROS)] == ROS)
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, '-c', code + '\n'.join(f'import {name}' for name in names)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def modules_of(rooms, *left_out):
    paths = [path for room in sorted(rooms) for path in modules(room) if path.stem not in left_out]
    names = [path.relative_to(PACKAGE).with_suffix('').parts for path in paths]
    return ['.'.join(('smoe_ros', *(p for p in name if p != '__init__'))) for name in names]


def test_what_needs_no_ros_imports_in_an_interpreter_without_ros():
    result = import_without(ROS, modules_of(WITHOUT_ROS))
    assert result.returncode == 0, result.stderr


def test_a_robot_carries_no_evaluation():
    """The node imports where nothing is that only evaluation, reports and bags need."""
    rooms = set(ALLOWED) - {'bags', 'offline', 'evaluation', 'demo'}
    # `launch` is not a package of the node; its module is for launch files.
    result = import_without(EXTRAS, modules_of(rooms, 'launching'))
    assert result.returncode == 0, result.stderr


def test_saliency_imports_with_torch_alone():
    blocked = (*ROS, *EXTRAS, 'cv2', 'torchvision')
    result = import_without(blocked, ['smoe_ros.saliency'])
    assert result.returncode == 0, result.stderr


def test_the_blocked_imports_of_these_tests_are_blocked():
    for blocked, name in ((ROS, 'smoe_ros.messages.decoding'), (EXTRAS, 'smoe_ros.bags')):
        result = import_without(blocked, [name])
        assert result.returncode != 0
        assert 'is blocked' in result.stderr
