# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""README.md says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

pytest.importorskip('rclpy')

from ament_index_python.packages import get_package_prefix
from ros_peers import small

from smoe_ros.backbones import load_backbone

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')


def test_tables_and_figures_are_those_of_the_code_and_of_a_recorded_run() -> None:
    command = [sys.executable, str(ROOT / 'scripts' / 'update_readme'), '--check']
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_python_example_runs() -> None:
    (example,) = re.findall(r'In Python:\n\n((?:    .*\n|\n)+)', README)
    code = re.sub(r'^    ', '', example, flags=re.MULTILINE)
    setup = 'from skimage.data import chelsea\nrgb = chelsea()\n'
    done = subprocess.run(
        [sys.executable, '-c', setup + code + '\nprint(picture.shape, picture.dtype)'],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith('(224, 352, 3) uint8\n')


def test_its_commands_on_the_users_own_network_work(tmp_path: Path) -> None:
    (source,) = re.findall(r'For example `my_net.py`:\n\n((?:    .*\n|\n)+)', README)
    (tmp_path / 'my_net.py').write_text(re.sub(r'^    ', '', source, flags=re.MULTILINE))
    cv2.imwrite(str(tmp_path / 'photo.png'), small(height=120, width=160))
    commands = re.findall(r'^    (smoe_\w+ .*my_net.py:build.*)$', README, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ['smoe_scales', 'smoe_explain']
    bin_folder = Path(get_package_prefix('smoe_ros'), 'lib', 'smoe_ros')
    outputs = []
    for command in commands:
        done = subprocess.run(
            [str(bin_folder / command.split()[0]), *command.split()[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert 'layer4' in outputs[0]
    assert (tmp_path / 'explained' / 'photo' / 'saliency.png').is_file()


def test_size_that_it_names_is_the_size_of_the_network_input() -> None:
    (claim,) = re.findall(r'\((\d+)x(\d+) -> (\d+)x(\d+)\)|\((\d+)x(\d+) → (\d+)x(\d+)\)', README)
    width, height, input_width, input_height = (int(number) for number in claim if number)
    preprocessing = load_backbone().preprocessing
    assert preprocessing.input_size(height, width) == (input_height, input_width)


def test_every_launch_argument_that_it_names_exists() -> None:
    shared = (ROOT / 'smoe_ros' / 'node' / 'launching.py').read_text()
    sentences = re.findall(r'`(\w+)\.launch\.py` takes (.*?)(?:;|\.\n)', README, re.DOTALL)
    assert [file for file, _ in sentences] == ['smoe', 'multi_camera', 'demo']
    for file, sentence in sentences:
        declared = (ROOT / 'launch' / f'{file}.launch.py').read_text() + shared
        for name in re.findall(r'`(\w+)`', sentence):
            assert f"'{name}'" in declared, (file, name)
