# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the demonstration refuses, and how."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from demo_runs import run_demo

from smoe_ros.demo.smoe_demo import main

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--backbone', 'resnet51'], ["unknown backbone 'resnet51'", 'resnet50']),
        (['--source', '/nowhere/street.mp4'], ['/nowhere/street.mp4']),
        (['--weights', '/nowhere/net.pth'], ['/nowhere/net.pth']),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(
    ros_domain: int, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    done = run_demo('--seconds', 1, '--output', tmp_path / 'output', *arguments)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_a_folder_with_other_things_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'thesis.tex').write_text('mine')
    (tmp_path / 'summary.json').write_text('mine too')
    assert main(['--output', str(tmp_path)]) == 1
    assert 'thesis.tex' in capsys.readouterr().err
    assert (tmp_path / 'summary.json').read_text() == 'mine too'


@pytest.mark.parametrize('seconds', ['0', '-3', 'soon', 'nan', 'inf'])
def test_length_that_is_no_length_is_refused(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f'--seconds={seconds}'])
    assert ended.value.code == 2
    assert seconds in capsys.readouterr().err


def test_help_needs_nothing_installed() -> None:
    options = ROOT / 'smoe_ros' / 'demo' / 'demo_options.py'
    command = [sys.executable, '-I', '-S', str(options), '--help']
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert '--seconds' in done.stdout
