# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_scales prints the scales that a network would be explained by."""

import pytest

from smoe_ros.backbones import backbone_names, load_backbone
from smoe_ros.commands.smoe_scales import main
from smoe_ros.explainer import Explainer


def table(text):
    """Return the title and the rows below the header, as lists of cells."""
    title, header, *rows = text.splitlines()
    assert header.split() == ['layer', 'call', 'channels', 'size', 'stride', 'weight']
    return title, [row.split() for row in rows]


def test_the_table_has_the_scales_that_the_explainer_reads(capsys):
    assert main(['efficientnet_lite0', '--short-side', '192', '--scale-weights', '1,1,2,2,4']) == 0
    title, rows = table(capsys.readouterr().out)
    model = load_backbone('efficientnet_lite0', 'random').model
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert title == f'efficientnet_lite0: {parameters:,} parameters, input 192x192'
    scales = Explainer(model, input_size=(192, 192)).scales
    assert [row[:4] for row in rows] == [
        [scale.layer, str(scale.call), str(scale.channels), f'{scale.height}x{scale.width}']
        for scale in scales
    ]
    assert [row[4] for row in rows] == ['2', '4', '8', '16', '32']
    assert [row[5] for row in rows] == ['10.0%', '10.0%', '20.0%', '20.0%', '40.0%']


def test_list_prints_every_name(capsys):
    assert main(['--list']) == 0
    assert capsys.readouterr().out.split() == backbone_names()


@pytest.mark.parametrize(
    ('args', 'said'),
    [
        (['resnet18', '--scales', 'layer9'], "unknown scale (module path) 'layer9'"),
        (['resnet18', '--scale-weights', '1,2'], '2 scale weights given for 5 scales'),
        (['resnet18', '--weights', 'nowhere.pt'], "'nowhere.pt' is no file"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(args, said, capsys):
    assert main(args) == 1
    output, errors = capsys.readouterr()
    assert output == ''
    assert len(errors.splitlines()) == 1
    assert errors.startswith('smoe_scales: ')
    assert said in errors


@pytest.mark.parametrize('args', [[], ['resnet18', '--list'], ['resnet18', '--short-side', 'big']])
def test_wrong_usage_ends_with_2(args):
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code == 2
