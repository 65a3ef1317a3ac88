# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The layouts for RViz and Foxglove, and the recording profile, fit what the node publishes.

None of these programs is started here: what they ask of their files is written out in the tests.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip('rclpy')

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)

from smoe_ros.messages.outputs import IMAGE_OUTPUTS
from smoe_ros.node.publishers import OUTPUT_QOS
from smoe_ros.rendering.overview import scale_colours

ROOT = Path(__file__).parents[1]
MULTI_CAMERA = (ROOT / 'launch' / 'multi_camera.launch.py').read_text()
(DEFAULT_CAMERAS,) = re.findall(r"'cameras',\s*default_value='([^']+)'", MULTI_CAMERA)
# The namespaces of the cameras that each file is for.
RVIZ_FILES = {
    'smoe.rviz': [''],
    'smoe_multi_camera.rviz': [f'/{camera}' for camera in DEFAULT_CAMERAS.split(',')],
}
HIDDEN, SHOWN = 0, 1  # a dock's flag in Qt's window state


def image_topics(camera: str) -> set[str]:
    """Name every image of a camera and of its explanations, raw and compressed."""
    raw = {
        f'{camera}/image_raw',
        *(f'{camera}/smoe/{output.name}' for output in IMAGE_OUTPUTS),
    }
    return raw | {f'{topic}/compressed' for topic in raw}


def rviz(file: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / 'config' / file).read_text())


def displays(file: str) -> list[dict[str, Any]]:
    return rviz(file)['Visualization Manager']['Displays']


def enabled_topics(file: str) -> list[str]:
    return [display['Topic']['Value'] for display in displays(file) if display['Enabled']]


def test_every_rviz_file_is_tested() -> None:
    assert {path.name for path in (ROOT / 'config').glob('*.rviz')} == set(RVIZ_FILES)


@pytest.mark.parametrize('file', RVIZ_FILES)
def test_every_display_shows_images_that_are_published(file: str) -> None:
    known = set().union(*(image_topics(camera) for camera in RVIZ_FILES[file]))
    for display in displays(file):
        assert display['Class'] == 'rviz_default_plugins/Image'
        assert display['Topic']['Value'] in known


@pytest.mark.parametrize('file', RVIZ_FILES)
def test_every_display_asks_for_the_quality_of_service_that_is_offered(file: str) -> None:
    for display in displays(file):
        topic = display['Topic']
        assert topic['Durability Policy'] == 'Volatile'
        assert topic['History Policy'] == 'Keep Last'
        reliability = ReliabilityPolicy[topic['Reliability Policy'].upper().replace(' ', '_')]
        asked = QoSProfile(reliability=reliability, depth=topic['Depth'])
        assert asked == OUTPUT_QOS, display['Name']


@pytest.mark.parametrize('file', RVIZ_FILES)
def test_every_display_has_a_name_of_its_own_and_one_switch_and_stretches_no_values(
    file: str,
) -> None:
    names = ['Displays', *(display['Name'] for display in displays(file))]
    assert len(names) == len(set(names))
    assert all(display['Normalize Range'] is False for display in displays(file))
    assert all(display['Enabled'] is display['Value'] for display in displays(file))


def test_rviz_opens_with_the_overview_alone() -> None:
    assert enabled_topics('smoe.rviz') == ['/smoe/overview']
    topics = {display['Topic']['Value'] for display in displays('smoe.rviz')}
    assert topics >= {'/image_raw', '/smoe/overlay', '/smoe/lovi', '/smoe/saliency'}


def test_rviz_opens_with_the_overlay_of_every_default_camera() -> None:
    file = 'smoe_multi_camera.rviz'
    assert enabled_topics(file) == [f'{camera}/smoe/overlay' for camera in RVIZ_FILES[file]]
    for display in displays(file):
        camera = display['Name'].partition(':')[0]
        assert display['Topic']['Value'].startswith(f'/{camera}/smoe/')


@pytest.mark.parametrize('file', RVIZ_FILES)
def test_window_state_shows_the_docks_of_the_displays_that_are_on(file: str) -> None:
    """RViz turns a display on when its dock is seen, and off when it is not."""
    state = bytes.fromhex(rviz(file)['Window Geometry']['QMainWindow State'])
    for display in displays(file):
        name = display['Name'].encode('utf-16-be')
        # As Qt writes it: a marker, the length, the text, and the flags.
        _, found, rest = state.partition(b'\xfb' + len(name).to_bytes(4, 'big') + name)
        assert found, display['Name']
        assert rest[0] == (SHOWN if display['Enabled'] else HIDDEN), display['Name']


@pytest.mark.parametrize('file', RVIZ_FILES)
def test_window_says_of_every_dock_that_it_is_not_collapsed(file: str) -> None:
    """RViz opens what was collapsed, and its display is on then; unsaid sides it makes up."""
    geometry = rviz(file)['Window Geometry']
    for name in ('Displays', *(display['Name'] for display in displays(file))):
        assert geometry[name] == {'collapsed': False}
    assert geometry['Hide Left Dock'] is False
    assert geometry['Hide Right Dock'] is False


LAYOUT = (ROOT / 'config' / 'smoe_foxglove.json').read_text()


def layout() -> dict[str, Any]:
    return json.loads(LAYOUT)


def panels(kind: str) -> list[dict[str, Any]]:
    found = [panel for name, panel in layout()['configById'].items() if name.split('!')[0] == kind]
    assert found, kind
    return found


def leaves(node: str | dict[str, Any]) -> Iterator[str]:
    """Name the panels of a mosaic, those within tabs, too."""
    if isinstance(node, dict):
        assert set(node) == {'direction', 'first', 'second', 'splitPercentage'}
        assert node['direction'] in {'row', 'column'}
        assert 0 < node['splitPercentage'] < 100
        yield from leaves(node['first'])
        yield from leaves(node['second'])
        return
    yield node
    if node.startswith('Tab!'):
        for tab in layout()['configById'][node]['tabs']:
            yield from leaves(tab['layout'])


def field_type(path: str) -> str:
    """Return the type of the field that a path like ``scales[0].contribution`` leads to."""
    kind = 'smoe_msgs/ScaleContributions'
    for step in path.split('.'):
        name, index = re.fullmatch(r'(\w+)(\[\d+\])?', step).groups()
        package, _, message = kind.partition('/')
        fields = getattr(importlib.import_module(f'{package}.msg'), message)
        kind = fields.get_fields_and_field_types()[name]
        element = re.fullmatch(r'sequence<(.+)>', kind)
        assert (element is not None) == (index is not None), path
        kind = element.group(1) if element else kind
    return kind


def test_foxglove_layout_has_all_that_an_import_asks_for() -> None:
    content = layout()
    for key in ('configById', 'globalVariables', 'userNodes', 'playbackConfig'):
        assert isinstance(content[key], dict), key
    assert isinstance(content['playbackConfig']['speed'], (int, float))
    # Every panel is placed once, and of a kind that Lichtblick has, too.
    assert sorted(leaves(content['layout'])) == sorted(content['configById'])
    kinds = {name.split('!')[0] for name in content['configById']}
    assert kinds == {'DiagnosticSummary', 'Image', 'Plot', 'RawMessages', 'Tab'}
    for name, panel in content['configById'].items():
        assert panel.get('foxglovePanelTitle') == panel.get('lichtblickPanelTitle'), name


def test_foxglove_shows_camera_overlay_and_lovi_in_both_forms() -> None:
    shown = [panel['imageMode']['imageTopic'] for panel in panels('Image')]
    raw = ['/image_raw', '/smoe/overlay', '/smoe/lovi']
    assert shown == [*raw, *(f'{topic}/compressed' for topic in raw)]


def test_every_path_of_the_foxglove_layout_is_a_field_of_a_published_message() -> None:
    known = image_topics('') | {'/smoe/contributions', '/diagnostics'}
    for path in re.findall(r'"(/[^"]*)"', LAYOUT):
        topic, _, field = path.partition('.')
        assert topic in known
        if field:
            assert topic == '/smoe/contributions'
            assert field_type(field)
    assert field_type('scales[0].layer') == 'string'  # the walk itself tells types apart


def test_foxglove_plots_each_scale_in_the_colour_of_lovi() -> None:
    (plot,) = panels('Plot')
    paths = plot['paths']
    assert [path['value'] for path in paths] == [
        f'/smoe/contributions.scales[{index}].contribution' for index in range(5)
    ]
    assert field_type('scales[0].contribution') == 'float'
    # Darker than in the picture, so that all are seen on white.
    darker = [[round(0.8 * part) for part in colour] for colour in scale_colours(len(paths))]
    assert [list(bytes.fromhex(path['color'][1:])) for path in paths] == darker
    assert 'finest' in paths[0]['label']
    assert 'deepest' in paths[-1]['label']
    assert len({path['label'] for path in paths}) == len(paths)
    assert all(path['enabled'] for path in paths)


def test_recording_profile_hears_what_the_node_publishes_and_bridges_a_stall() -> None:
    profiles = yaml.safe_load((ROOT / 'config' / 'record_qos.yaml').read_text())
    assert set(profiles) <= image_topics('') | {'/smoe/contributions', '/diagnostics'}
    assert '/smoe/contributions' in profiles
    # What a camera offers is not known here: RELIABLE would hear nothing of some.
    assert not [topic for topic in profiles if topic.startswith('/image_raw')]
    for topic, values in profiles.items():
        assert values['depth'] >= 100
        # As ``ros2 bag record`` reads it.
        profile = QoSProfile(
            depth=values.pop('depth'),
            reliability=ReliabilityPolicy.get_from_short_key(values.pop('reliability')),
            history=HistoryPolicy.get_from_short_key(values.pop('history')),
            durability=DurabilityPolicy.get_from_short_key(values.pop('durability')),
        )
        assert not values, topic
        assert qos_check_compatible(OUTPUT_QOS, profile)[0] != QoSCompatibility.ERROR, topic
        assert profile.reliability == ReliabilityPolicy.RELIABLE
        assert profile.history == HistoryPolicy.KEEP_LAST
