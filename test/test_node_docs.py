# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/node.md says of the node what a running node says of itself.

Its generated tables are compared with the code in test_readme.py.
"""

import re
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from forked_nodes import forked_nodes
from ros_peers import Stream, peer
from ros_processes import wait_until

NODE = (Path(__file__).parents[1] / 'docs' / 'node.md').read_text(encoding='utf-8')


def section(title):
    return re.split(r'^## ', NODE.partition(f'\n## {title}\n')[2], flags=re.MULTILINE)[0]


def named(text):
    """Return what stands in backticks in the first column of a section's tables."""
    cells = re.findall(r'^\| (`[^|]*) \|', text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r'`([^`]+)`', cell)]


@pytest.fixture(scope='module')
def live(ros_domain, tmp_path_factory):
    """Give a node beside a running smoe node, its diagnostics, and an active camera's figures."""
    with peer('observer') as ros, forked_nodes(tmp_path_factory.mktemp('nodes')) as start:
        stream = Stream(ros, start(parameters={'short_side': 64}), outputs=['contributions'])
        yield ros, stream.diagnostics.next()


def test_services_are_those_of_the_running_node(live):
    ros, _ = live
    documented = {name.replace('~', '/smoe') for name in named(section('Services'))}
    services = {name for name, _ in ros.get_service_names_and_types_by_node('smoe', '/')}
    # rclpy's own, which every node may have, documented with ROS.
    assert services - {'/smoe/get_type_description'} == documented


def test_topics_are_those_of_the_running_node(live):
    ros, _ = live
    documented = {
        name.replace('~', '/smoe') if name[0] in '~/' else f'/smoe/{name}'
        for name in named(section('Published'))
        if not name.startswith('sensor_msgs')
    }
    wait_until(lambda: 'smoe' in ros.get_node_names(), node=ros)
    published = {name for name, _ in ros.get_publisher_names_and_types_by_node('smoe', '/')}
    assert published - {'/rosout', '/parameter_events'} == documented


def test_diagnostic_keys_are_those_of_the_running_node(live):
    _, figures = live
    facts = re.findall(r'Beside them, facts: (.*)\.', section('Diagnostics'))
    documented = [*named(section('Diagnostics')), *re.findall(r'`([^`]+)`', facts[0])]
    assert set(documented) == set(figures)
