# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests over real DDS; see ``ros_processes.py`` for what they hand out."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The transport profile is read once per process, with the first participant: set it before any.
FAST_DDS_PROFILE = Path(__file__).parents[1] / 'config' / 'fastdds.xml'
os.environ['FASTRTPS_DEFAULT_PROFILES_FILE'] = str(FAST_DDS_PROFILE)

# A shell ignores SIGINT in what it starts in the background, and children inherit that: tests
# send it. What is handled here, they get with its default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

try:
    import rclpy
except ModuleNotFoundError:  # the mathematics is tested without ROS, too
    rclpy = None
else:
    from rclpy.node import Node
    from ros_processes import RosProcess, claimed_domain, ros_nodes, started_processes


@pytest.fixture(scope='module')
def ros_domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Put this module on a ROS domain of its own, on this host only, and return the domain's id.

    Also safe under pytest-xdist and beside other sessions on the machine. Processes started and
    contexts initialised afterwards inherit it by environment, with the Fast DDS profile of
    ``config/fastdds.xml`` and a log folder of their own.
    """
    if rclpy is None:
        pytest.skip('rclpy is not importable')
    locks = Path(tempfile.gettempdir(), f'smoe_ros_test_domains_{os.getuid()}')
    with claimed_domain(locks) as domain, pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_DOMAIN_ID', str(domain))
        patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        patch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(FAST_DDS_PROFILE))
        patch.setenv('ROS_LOG_DIR', str(tmp_path_factory.mktemp('ros_log')))
        yield domain


@pytest.fixture
def ros_process(ros_domain: int, tmp_path: Path) -> Iterator[Callable[..., RosProcess]]:
    """Start installed executables of this package; they are stopped, by pid, at teardown.

    See ``ros_processes.started_processes`` for the arguments. For processes that outlive one test,
    write a module-scoped fixture around it.
    """
    with started_processes(tmp_path / 'processes') as start:
        yield start


@pytest.fixture
def start_node(ros_domain: int, tmp_path: Path) -> Iterator[Callable[..., RosProcess]]:
    """Start `smoe_node` within a second; see ``forked_nodes.forked_nodes`` for the arguments."""
    from forked_nodes import forked_nodes

    with forked_nodes(tmp_path / 'nodes') as start:
        yield start


@pytest.fixture
def ros_node(ros_domain: int) -> Iterator[Callable[..., Node]]:
    """Make nodes in the test's own process, as ``ros_processes.ros_nodes`` says."""
    with ros_nodes() as make:
        yield make
