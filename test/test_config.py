# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What lies beside the code says the same as the code."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import yaml

from smoe_ros.options.option import options_of
from smoe_ros.options.parameters import NodeOptions
from smoe_ros.options.yaml_file import yaml_file

ROOT = Path(__file__).parents[1]


def test_smoe_yaml_is_made_of_the_options_and_read_back_as_their_defaults() -> None:
    text = (ROOT / 'config' / 'smoe.yaml').read_text()
    assert text == yaml_file('smoe', NodeOptions), 'run scripts/update_readme'
    (parameters,) = yaml.safe_load(text).values()
    defaults = {name: option.default for name, option in options_of(NodeOptions).items()}
    assert parameters == {
        'ros__parameters': {
            name: list(default) if isinstance(default, tuple) else default
            for name, default in defaults.items()
        }
    }


def test_every_message_field_is_commented() -> None:
    for path in (ROOT / 'smoe_msgs' / 'msg').glob('*.msg'):
        blocks = path.read_text().split('\n\n')
        for block in blocks:
            fields = [line for line in block.splitlines() if line and not line.startswith('#')]
            assert not fields or block.startswith('#'), f'{path.name}: {fields}'


def test_the_two_packages_have_one_version() -> None:
    versions = {
        ElementTree.parse(path).findtext('version')
        for path in (ROOT / 'package.xml', ROOT / 'smoe_msgs' / 'package.xml')
    }
    (setup_version,) = re.findall(r"version='([^']+)'", (ROOT / 'setup.py').read_text())
    assert versions == {setup_version}


def test_fast_dds_profile_makes_room_for_large_images() -> None:
    tree = ElementTree.parse(ROOT / 'config' / 'fastdds.xml')
    found = {element.tag.rpartition('}')[2]: element.text or '' for element in tree.iter()}
    assert int(found['segment_size']) >= 64 * 2**20
    assert found['useBuiltinTransports'].strip() == 'false'


def test_scripts_are_executable() -> None:
    for name in ('setup', 'demo', 'soak', 'test'):
        assert os.access(ROOT / 'scripts' / name, os.X_OK), name
