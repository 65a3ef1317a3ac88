# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of aims says of made-up records what was reached."""

from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[1] / 'benchmark'


@pytest.fixture
def aims(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    return pytest.importorskip('aims')


def configuration(backbone, side, textbook, coarse, full):
    ratios = {'textbook': textbook, 'Cam': coarse, 'Gradient': full}
    candidates = {
        name: {'ratio_to_torch': ratio, 'ratio_to_fastest': 2 * ratio}
        for name, ratio in ratios.items()
    }
    candidates['Broken'] = {'reason': 'cannot do this network'}
    return {'backbone': backbone, 'short_side': side, 'candidates': candidates}


def per_frame(textbook=2.5, coarse=1.1, full=2.2, memory=1.1):
    ours = {'ratio_to_bare': memory}
    return {
        'configurations': [
            configuration('efficientnet_lite0', 224, textbook, coarse, full),
            configuration('resnet50', 224, textbook, 2 * coarse, 2 * full),
            configuration('resnet50', 448, 0.1, 0.1, 0.1),  # no aim is about this size
        ],
        'peers': {
            'Cam': {'map': 'coarse'},
            'Gradient': {'map': 'full'},
            'Broken': {'map': 'full'},
        },
        'memory': [
            {
                'backbone': 'resnet50',
                'candidates': {'smoe_ros, torch': ours, 'smoe_ros, onnxruntime': ours},
            }
        ],
    }


def stages(resnet50=0.04, lite0=0.2):
    rows = [('resnet50', 'torch', resnet50), ('efficientnet_lite0', 'onnxruntime', lite0)]
    return {
        'stages': [
            {
                'backbone': backbone,
                'engine': engine,
                'short_side': 224,
                'saliency_and_lovi_over_forward': share,
            }
            for backbone, engine, share in rows
        ]
    }


def through_ros(dropped=0, age=30.0, peak=61.0):
    row = {'size': [640, 480], 'rendering': False, 'sent': 240, 'age_ms': {'p95': age}}
    return {
        'at_30_hz': [
            {**row, 'cameras': 1, 'dropped': 0},
            {**row, 'cameras': 2, 'dropped': dropped},
            {**row, 'cameras': 4, 'dropped': 999},
        ],
        'peak_rate': [{'size': [640, 480], 'rendering': False, 'passed_hz': peak}],
    }


def missed(table):
    return [aim.what for aim in table if not aim.reached]


def test_all_is_reached_where_each_figure_keeps_to_its_aim(aims):
    table = aims.aims(per_frame(), stages(), through_ros())
    assert len(table) == 14
    assert missed(table) == []
    assert '| no |' not in aims.tables(per_frame(), stages(), through_ros())['aims']


@pytest.mark.parametrize(
    ('records', 'what'),
    [
        ({'per_frame': per_frame(textbook=1.9)}, 'textbook'),
        ({'per_frame': per_frame(coarse=0.9)}, 'coarse'),
        ({'per_frame': per_frame(full=1.9)}, 'full-resolution'),
        ({'per_frame': per_frame(memory=1.2)}, 'memory'),
        ({'stages': stages(resnet50=0.06)}, 'saliency and LOVI'),
        ({'stages': stages(lite0=0.26)}, 'saliency and LOVI'),
        ({'through_ros': through_ros(dropped=1)}, '2 cameras'),
        ({'through_ros': through_ros(age=34.0)}, 'age'),
        ({'through_ros': through_ros(peak=60.0)}, 'peak rate'),
        ({'through_ros': through_ros(peak=None)}, 'peak rate'),
    ],
)
def test_a_figure_beyond_its_aim_is_a_miss(aims, records, what):
    good = {'per_frame': per_frame(), 'stages': stages(), 'through_ros': through_ros()}
    found = missed(aims.aims(**(good | records)))
    assert found
    assert all(what in one for one in found)
