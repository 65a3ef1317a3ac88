# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""README.md says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')


def test_tables_and_figures_are_those_of_the_code_and_of_a_recorded_run() -> None:
    command = [sys.executable, str(ROOT / 'scripts' / 'update_readme'), '--check']
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_that_it_links_to_exist() -> None:
    links = re.findall(r'\]\((?!https?:)([^)#]+)', README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


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


def test_size_that_it_names_is_the_size_of_the_network_input() -> None:
    from smoe_ros.backbones import load_backbone

    (claim,) = re.findall(r'\((\d+)x(\d+) -> (\d+)x(\d+)\)|\((\d+)x(\d+) → (\d+)x(\d+)\)', README)
    width, height, input_width, input_height = (int(number) for number in claim if number)
    preprocessing = load_backbone().preprocessing
    assert preprocessing.input_size(height, width) == (input_height, input_width)


def test_every_launch_argument_that_it_names_exists() -> None:
    (sentence,) = re.findall(r'`smoe.launch.py` takes (.*?);', README, re.DOTALL)
    declared = (ROOT / 'launch' / 'smoe.launch.py').read_text()
    for name in re.findall(r'`(\w+)`', sentence):
        assert f"'{name}'" in declared, name
