# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files start: the command line and environment of every process, and the nodes.

`launch` runs here as it is: in the table's tests with a launch prefix that notes each process
instead of starting it, in the last ones without.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

pytest.importorskip('rclpy')

from ros_processes import wait_until

ROOT = Path(__file__).parents[1]
NAMES = ('smoe', 'multi_camera', 'demo', 'record')
PROFILE = 'FASTRTPS_DEFAULT_PROFILES_FILE'
SHARED = (ROOT / 'smoe_ros' / 'node' / 'launching.py').read_text()
WITHOUT_LAUNCH = 'PyPI has no launch; a ROS installation has'

# Stands before each command: notes it, with what would be gone later, and ends.
RECORDER = """
import json, os, pathlib, sys
files = [file for option, file in zip(sys.argv, sys.argv[1:]) if option == '--params-file']
note = {
    'argv': sys.argv[2:],
    'environment': dict(os.environ),
    'parameter_files': {file: pathlib.Path(file).read_text() for file in files},
}
pathlib.Path(sys.argv[1], str(os.getpid())).write_text(json.dumps(note))
"""

# What `ros2 launch` does with a file; Ctrl-C reaches it and all that it started.
RUNNER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

source = PythonLaunchDescriptionSource(sys.argv[1])
arguments = [argument.split(':=') for argument in sys.argv[2:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


def launch_file(name: str) -> Path:
    return ROOT / 'launch' / f'{name}.launch.py'


@dataclass(frozen=True)
class Process:
    """One process as a launch file would start it."""

    argv: list[str]
    environment: dict[str, str]
    parameter_files: dict[str, str]

    @property
    def executable(self) -> str:
        return Path(self.argv[0]).name

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters for the node, from all files; later files win."""
        values: dict[str, Any] = {}
        for text in self.parameter_files.values():
            # Not safe_load: launch_ros writes an array as Python's tuple.
            for section in yaml.full_load(text).values():
                values |= section['ros__parameters']
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    def has_option(self, *words: str) -> bool:
        """Say whether these words follow each other on the command line."""
        starts = range(len(self.argv))
        return any(self.argv[start : start + len(words)] == list(words) for start in starts)


Launch = Callable[..., dict[str, Process]]


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    """Give `launch(name, **arguments)`: what the file would start, by executable."""
    pytest.importorskip('launch_ros', reason=WITHOUT_LAUNCH)
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    recorder = tmp_path / 'recorder.py'
    recorder.write_text(RECORDER)
    rviz_prefix = tmp_path / 'rviz'  # RViz need not be installed: it is not started
    for file in ('share/ament_index/resource_index/packages/rviz2', 'lib/rviz2/rviz2'):
        (rviz_prefix / file).parent.mkdir(parents=True)
        (rviz_prefix / file).touch(mode=0o755)

    def run(name: str, **arguments: str) -> dict[str, Process]:
        notes = tmp_path / f'notes_{len(list(tmp_path.iterdir()))}'
        notes.mkdir()
        # Isolated and without site: it need only be quick.
        prefix = shlex.join([sys.executable, '-I', '-S', str(recorder), str(notes)])
        source = PythonLaunchDescriptionSource(str(launch_file(name)))
        given = {**arguments, 'launch-prefix': prefix}
        service = LaunchService(noninteractive=True)
        service.include_launch_description(
            LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given.items())])
        )
        with patch.dict(os.environ):  # SetEnvironmentVariable sets the launching process's own
            result = service.run()
        assert result == 0, f'{name}.launch.py was refused'
        processes = [Process(**json.loads(note.read_text())) for note in notes.iterdir()]
        return {process.executable: process for process in processes}

    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    monkeypatch.setenv(
        'AMENT_PREFIX_PATH', f'{rviz_prefix}{os.pathsep}{os.environ["AMENT_PREFIX_PATH"]}'
    )
    monkeypatch.delenv(PROFILE, raising=False)
    yield run


@dataclass(frozen=True)
class Case:
    """An argument's value, the process it is for, and what is seen there then only."""

    argument: str
    value: str
    executable: str
    option: tuple[str, ...] = ()
    parameters: Mapping[str, Any] | None = None

    def is_seen(self, processes: Mapping[str, Process]) -> bool:
        process = processes.get(self.executable)
        if process is None:
            return False
        expected = dict(self.parameters or {})
        found = {name: process.parameters.get(name) for name in expected}
        return process.has_option(*self.option) and found == expected


PARAMS_FILE = 'other.yaml'  # written by the test
SMOE_CASES = [
    Case('params_file', PARAMS_FILE, 'smoe_node', parameters={'short_side': 96}),
    Case('namespace', 'robot', 'smoe_node', ('-r', '__ns:=/robot')),
    Case(
        'image_transport', 'compressed', 'smoe_node', parameters={'image_transport': 'compressed'}
    ),
    *(
        Case('use_sim_time', value, 'smoe_node', parameters={'use_sim_time': meaning})
        for value, meaning in [('true', True), ('False', False)]
    ),
    Case('log_level', 'debug', 'smoe_node', ('--log-level', 'debug')),
]


def cameras_case(argument: str, value: str, *topics: str) -> Case:
    return Case(argument, value, 'smoe_node', parameters={'image_topics': list(topics)})


def record_case(argument: str, value: str, *words: str) -> Case:
    return Case(argument, value, 'ros2', words)


CASES = {
    'smoe': [
        *SMOE_CASES,
        Case('image_topic', 'front/image', 'smoe_node', ('-r', 'image_raw:=front/image')),
    ],
    'multi_camera': [
        *SMOE_CASES,
        cameras_case('cameras', 'left', 'left/image_raw'),
        cameras_case('cameras', ' left , /a/right, ', 'left/image_raw', '/a/right/image_raw'),
        cameras_case('image_name', 'color/image', 'front/color/image', 'rear/color/image'),
    ],
    'demo': [
        SMOE_CASES[0],
        Case('source', 'synthetic', 'camera_publisher', parameters={'source': 'synthetic'}),
        # Looks like a number, and stays the text that the camera's parameter is.
        Case('source', '0', 'camera_publisher', parameters={'source': '0'}),
        Case('rate', '5', 'camera_publisher', parameters={'rate': 5.0}),
    ],
    'record': [
        record_case('bag', 'street', '-o', 'street'),
        record_case(
            *('image_topic', '/front/image'),
            *('/front/image/compressed', '/front/smoe/overlay/compressed'),
        ),
        record_case('image_topic', 'front/image', '/front/image/compressed'),
        record_case('outputs', '/eye', '/eye/contributions', '/diagnostics'),
        record_case('camera', 'raw', '--topics', '/image_raw', '/smoe/overlay/compressed'),
        record_case('camera', 'none', '--topics', '/smoe/overlay/compressed'),
        record_case('pictures', 'false', '/image_raw/compressed', '/smoe/contributions'),
        record_case('use_sim_time', 'True', '--use-sim-time'),
    ],
}
# What is declared and has a test of its own.
TESTED_ELSEWHERE = {'demo': {'rviz'}, 'record': {'qos_file'}}


@pytest.mark.parametrize(
    ('name', 'case'),
    [
        pytest.param(name, case, id=f'{name}-{case.argument}-{case.value}')
        for name, cases in CASES.items()
        for case in cases
    ],
)
def test_argument_reaches_the_process(
    name: str, case: Case, launch: Launch, tmp_path: Path
) -> None:
    value = case.value
    if value == PARAMS_FILE:
        value = str(tmp_path / value)
        Path(value).write_text('/**: {ros__parameters: {short_side: 96}}')
    assert case.is_seen(launch(name, **{case.argument: value}))
    assert not case.is_seen(launch(name))


def test_argument_rviz_decides_whether_rviz_is_opened(launch: Launch) -> None:
    assert launch('demo', rviz='true')['rviz2'].argv[1] == '-d'
    assert 'rviz2' not in launch('demo', rviz='false')


def test_everything_of_the_camera_is_recorded_by_default(launch: Launch) -> None:
    pictures = [f'/smoe/{name}/compressed' for name in ('overlay', 'lovi', 'saliency')]
    argv = launch('record')['ros2'].argv
    assert argv[1:5] == ['bag', 'record', '-s', 'mcap']
    # The recorder takes all that follows --topics for topics.
    assert argv[argv.index('--topics') + 1 :] == [
        *('/image_raw/compressed', *pictures, '/smoe/contributions', '/diagnostics')
    ]
    assert '-o' not in argv
    assert '--use-sim-time' not in argv


def test_argument_qos_file_says_how_topics_are_subscribed(launch: Launch, tmp_path: Path) -> None:
    def qos_file(**arguments: str) -> Path:
        argv = launch('record', **arguments)['ros2'].argv
        return Path(argv[argv.index('--qos-profile-overrides-path') + 1])

    own = qos_file()
    assert own.parts[-4:] == ('share', 'smoe_ros', 'config', 'record_qos.yaml')
    argv = launch('record', camera='none')['ros2'].argv
    assert set(yaml.safe_load(own.read_text())) == set(argv[argv.index('--topics') + 1 :])
    other = tmp_path / 'other.yaml'
    other.touch()
    assert qos_file(qos_file=str(other)) == other


@pytest.mark.parametrize('name', NAMES)
def test_every_declared_argument_is_tested_and_described(name: str) -> None:
    pytest.importorskip('launch_ros', reason=WITHOUT_LAUNCH)
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(launch_file(name)))
    declared = description.get_launch_arguments()
    tested = {case.argument for case in CASES[name]} | TESTED_ELSEWHERE.get(name, set())
    assert {argument.name for argument in declared} == tested
    assert all(len(argument.description) > 10 for argument in declared)


@pytest.mark.parametrize('name', [*NAMES, 'launching'])
def test_every_argument_in_the_text_is_used(name: str) -> None:
    """What can be said where launch is not installed."""
    text = SHARED if name == 'launching' else launch_file(name).read_text()
    declared = re.findall(r"DeclareLaunchArgument\(\s*'(\w+)'", text)
    assert declared
    for argument in declared:
        assert f"LaunchConfiguration('{argument}')" in text, argument
    if name in ('smoe', 'multi_camera'):
        assert '*smoe_arguments()' in text
        assert 'smoe_node(context' in text


@pytest.mark.parametrize('name', ['smoe', 'multi_camera'])
def test_params_file_keeps_what_no_argument_names(
    name: str, launch: Launch, tmp_path: Path
) -> None:
    params_file = tmp_path / 'params.yaml'
    content = {'use_sim_time': True, 'image_transport': 'compressed'}
    params_file.write_text(yaml.safe_dump({'/**': {'ros__parameters': content}}))
    parameters = launch(name, params_file=str(params_file))['smoe_node'].parameters
    assert {key: parameters[key] for key in content} == content


@pytest.mark.parametrize('name', NAMES)
def test_every_process_has_the_transport_profile_of_the_package_or_the_users(
    name: str, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process in launch(name).values():
        assert process.environment[PROFILE].endswith('share/smoe_ros/config/fastdds.xml')
        assert Path(process.environment[PROFILE]).is_file()
    monkeypatch.setenv(PROFILE, '/etc/mine.xml')
    for process in launch(name).values():
        assert process.environment[PROFILE] == '/etc/mine.xml'


@pytest.fixture
def run_launch(ros_process: Callable[..., Any]) -> Callable[..., Any]:
    """Give `run_launch(name, **arguments)`, a process in which launch really runs the file."""
    pytest.importorskip('launch_ros', reason=WITHOUT_LAUNCH)

    def run(name: str, *, path: str = os.environ['PATH'], **arguments: str) -> Any:
        words = [f'{argument}:={value}' for argument, value in arguments.items()]
        command = [sys.executable, '-c', RUNNER, str(launch_file(name)), *words]
        return ros_process(*command, env={PROFILE: None, 'PATH': path})

    return run


@pytest.mark.parametrize(
    ('name', 'argument', 'value', 'error'),
    [
        ('multi_camera', 'cameras', '', "cameras is ''; name each camera"),
        ('multi_camera', 'cameras', 'front,,rear', "cameras is 'front,,rear'; name each camera"),
        ('multi_camera', 'cameras', 'a,a', "cameras is 'a,a': image_topics names 'a/image_raw'"),
        ('smoe', 'params_file', '/no/file', "params_file is '/no/file', which is not a file"),
        ('record', 'qos_file', '/no/file', "qos_file is '/no/file', which is not a file"),
        ('record', 'image_topic', '[a]', "image_topics has '[a]'"),
        ('record', 'outputs', '/a/', "output_namespaces has '/a/'"),
    ],
)
def test_bad_argument_is_refused_in_one_line(
    name: str, argument: str, value: str, error: str, run_launch: Callable[..., Any]
) -> None:
    process = run_launch(name, **{argument: value})
    assert process.wait() != 0
    output = process.stdout + process.stderr
    (line,) = [line for line in output.splitlines() if '[ERROR]' in line]
    assert error in line
    assert 'Traceback' not in output
    assert 'process started' not in output


RUNS = {
    'smoe': (
        {'namespace': 'robot', 'image_topic': 'eye/image'},
        {'/robot/eye/smoe/contributions'},
    ),
    'multi_camera': (
        {'cameras': 'left,right', 'namespace': 'robot'},
        {'/robot/left/smoe/contributions', '/robot/right/smoe/contributions'},
    ),
    'demo': (
        {'rviz': 'false', 'source': 'synthetic'},
        {'/image_raw', '/smoe/contributions'},
    ),
}


@pytest.mark.parametrize('name', RUNS)
def test_launch_file_runs_its_nodes_until_interrupted(
    name: str,
    run_launch: Callable[..., Any],
    ros_node: Callable[..., Any],
    tmp_path: Path,
) -> None:
    params_file = tmp_path / 'params.yaml'
    # image_topics for this very node: what an argument says goes before it all the same.
    params_file.write_text(
        '/**: {ros__parameters: {backbone: squeezenet1_1, weights: random, short_side: 64}}\n'
        + (
            '/robot/smoe: {ros__parameters: {image_topics: [not_this]}}\n'
            * (name == 'multi_camera')
        )
    )
    arguments, topics = RUNS[name]
    process = run_launch(name, params_file=str(params_file), **arguments)
    node = ros_node('listener')

    def topics_are_there() -> bool:
        assert process.returncode is None, process.report()
        return topics <= {topic for topic, _ in node.get_topic_names_and_types()}

    try:
        wait_until(topics_are_there, 60, node=node)
    except AssertionError as error:
        raise AssertionError(f'{error}\n{process.report()}') from None
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() == 0, process.report()
    assert 'process has died' not in process.stderr + process.stdout, process.report()


# Ends as ros2 bag does: at the first SIGINT it writes out what it holds, others change nothing.
SLOW_RECORDER = """
import pathlib, signal, sys, threading, time
interrupted = threading.Event()
signal.signal(signal.SIGINT, lambda *_: interrupted.set())
print('recording', flush=True)
while not interrupted.wait(0.1):
    pass
time.sleep(7)
bag = pathlib.Path(sys.argv[sys.argv.index('-o') + 1])
bag.write_text('complete')
"""


@pytest.fixture
def run_recorder(run_launch: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Give `run_recorder(script, **arguments)`: launch runs record with that script as ros2."""
    ros2 = tmp_path / 'bin' / 'ros2'
    ros2.parent.mkdir()

    def run(script: str, **arguments: str) -> Any:
        ros2.write_text(f'#!{sys.executable}\n{script}')
        ros2.chmod(0o755)
        path = f'{ros2.parent}{os.pathsep}{os.environ["PATH"]}'
        return run_launch('record', path=path, **arguments)

    return run


@pytest.mark.parametrize(
    ('outputs', 'hint'), [('/smoe', False), ('/eye', True)], ids=['named', 'not_named']
)
def test_topics_that_the_qos_file_does_not_name_are_told(
    outputs: str, hint: bool, run_recorder: Callable[..., Any]
) -> None:
    process = run_recorder("print('recording')", outputs=outputs)
    assert process.wait() == 0, process.report()
    assert 'recording' in process.stdout
    assert (f'qos_file does not name {outputs}/contributions' in process.stdout) == hint


@pytest.mark.slow
def test_recorder_has_time_to_complete_the_bag(
    run_recorder: Callable[..., Any], tmp_path: Path
) -> None:
    """By default launch sends SIGTERM five seconds after SIGINT."""
    bag = tmp_path / 'bag'
    process = run_recorder(SLOW_RECORDER, bag=str(bag))
    process.wait_for_text('recording')
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() == 0, process.report()
    assert bag.read_text() == 'complete'
