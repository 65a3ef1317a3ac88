# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of parameters: what is declared, what is taken, and what is refused in which words."""

import math

import pytest

pytest.importorskip('rclpy')

from rclpy.parameter import Parameter as RosParameter

from smoe_ros.errors import ConfigurationError
from smoe_ros.node.parameters import Parameter, declare, warn_of_misspelt

TABLE = (
    Parameter('rate', 30.0, 'Hz.', minimum=0.5, maximum=100.0, runtime=True),
    Parameter('size', 224, 'Pixels.', minimum=1),
    Parameter('loop', True, 'Again.'),
    Parameter('mode', 'fast', 'Mode.', choices=('fast', 'exact'), runtime=True),
    Parameter('topics', ['image_raw'], 'Topics.'),
    Parameter('outputs', [], 'Namespaces.', runtime=True),
    Parameter('weights', [], 'Weights.', minimum=0.0, element=float, runtime=True),
)
DEFAULTS = {parameter.name: parameter.default for parameter in TABLE}


@pytest.fixture
def declared(ros_node):
    """Declare the table on a node that was started with overrides."""

    def make(*overrides):
        options = [part for override in overrides for part in ('-p', override)]
        node = ros_node('probe', cli_args=['--ros-args', *options] if options else None)
        return node, declare(node, TABLE)

    return make


def test_without_overrides_the_values_are_the_defaults_and_the_node_holds_them(declared):
    node, values = declared()
    assert values == DEFAULTS
    assert {name: node.get_parameter(name).value for name in values} == DEFAULTS


@pytest.mark.parametrize(
    ('override', 'name', 'value'),
    [
        ('rate:=12.5', 'rate', 12.5),
        ('rate:=5', 'rate', 5.0),
        ('mode:=exact', 'mode', 'exact'),
        ('loop:=false', 'loop', False),
        ('topics:=[a, b]', 'topics', ['a', 'b']),
        ('topics:=[]', 'topics', []),
        ("topics:=['']", 'topics', []),
        ('weights:=[1, 2]', 'weights', [1.0, 2.0]),
    ],
)
def test_an_override_is_taken_as_the_declared_type(declared, override, name, value):
    node, values = declared(override)
    assert values == {**DEFAULTS, name: value}
    assert type(values[name]) is type(DEFAULTS[name])
    assert node.get_parameter(name).value == value


def test_an_empty_list_in_a_parameter_file_is_an_empty_list(ros_node, tmp_path):
    file = tmp_path / 'parameters.yaml'
    file.write_text('/**:\n  ros__parameters:\n    topics: []\n')
    node = ros_node('probe', cli_args=['--ros-args', '--params-file', str(file)])
    assert declare(node, TABLE)['topics'] == []


@pytest.mark.parametrize(
    ('override', 'text'),
    [
        ('rate:=quick', "parameter 'rate' is 'quick', but must be a number"),
        ('rate:=true', "parameter 'rate' is True, but must be a number"),
        ('rate:=[]', "parameter 'rate' is [], but must be a number"),
        ('rate:=0.4', "parameter 'rate' is 0.4, outside its range 0.5 to 100.0"),
        ('rate:=.nan', "parameter 'rate' is nan, outside its range 0.5 to 100.0"),
        ('size:=2.5', "parameter 'size' is 2.5, but must be an integer"),
        ('size:=0', "parameter 'size' is 0, outside its range (at least 1)"),
        ('mode:=exakt', "unknown value of parameter 'mode': 'exakt'; did you mean exact?"),
        ('topics:=a', "parameter 'topics' is 'a', but must be a list of text such as"),
        ('topics:=[1.5]', "parameter 'topics' is [1.5], but must be a list of text such as"),
        ('weights:=[-1.0]', "parameter 'weights' is [-1.0], outside its range (at least 0.0)"),
    ],
)
def test_a_wrong_override_is_refused_with_name_value_and_what_is_right(declared, override, text):
    with pytest.raises(ConfigurationError) as refused:
        declared(override)
    assert text in str(refused.value)


def test_descriptors_tell_text_range_choices_and_what_is_read_only(declared):
    node, _ = declared()
    rate, size, mode, weights = (
        node.describe_parameter(name) for name in ('rate', 'size', 'mode', 'weights')
    )
    assert rate.description == 'Hz.'
    assert (rate.floating_point_range[0].from_value, rate.floating_point_range[0].to_value) == (
        0.5,
        100.0,
    )
    assert size.integer_range[0].from_value == 1
    assert mode.additional_constraints == 'One of: fast, exact'
    assert weights.type == RosParameter.Type.DOUBLE_ARRAY.value
    assert {name: node.describe_parameter(name).read_only for name in DEFAULTS} == {
        parameter.name: not parameter.runtime for parameter in TABLE
    }


@pytest.mark.parametrize(
    ('name', 'value', 'taken'),
    [
        ('rate', 50.0, 50.0),
        ('rate', 50, 50.0),
        ('mode', 'exact', 'exact'),
        ('outputs', ['front'], ['front']),
        ('weights', [1, 2], [1.0, 2.0]),
    ],
)
def test_a_runtime_parameter_takes_a_right_value(declared, name, value, taken):
    node, _ = declared()
    (result,) = node.set_parameters([RosParameter(name, value=value)])
    assert result.successful, result.reason
    assert node.get_parameter(name).value == taken


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('rate', math.inf, 'range'),
        ('mode', 'exakt', 'did you mean exact?'),
        ('weights', [-1.0], 'range'),
        ('size', 100, 'read-only'),
    ],
)
def test_a_wrong_or_read_only_change_is_refused_with_the_reason(declared, name, value, reason):
    node, values = declared()
    (result,) = node.set_parameters([RosParameter(name, value=value)])
    assert not result.successful
    assert reason in result.reason
    assert node.get_parameter(name).value == values[name]


def test_a_misspelt_override_is_pointed_out_and_a_foreign_one_is_not(declared, capfd):
    node, _ = declared('rats:=5', 'input_mode:=x')
    warn_of_misspelt(node)
    lines = [line for line in capfd.readouterr().err.splitlines() if 'WARN' in line]
    assert len(lines) == 1
    assert "'rats' is unknown and has no effect; did you mean 'rate'?" in lines[0]
