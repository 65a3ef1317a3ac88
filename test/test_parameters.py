# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Options as parameters of a node: what is declared, taken from overrides, changed and refused.

What an option takes and refuses, and in which words, is tested without ROS in test_options.py.
"""

import math
from dataclasses import dataclass

import pytest

pytest.importorskip('rclpy')

from rclpy.parameter import Parameter

from smoe_ros.errors import ConfigurationError
from smoe_ros.node.camera_publisher import CameraPublisherOptions
from smoe_ros.node.declaring import changed, declare, warn_of_misspelt
from smoe_ros.options.option import option, options_of
from smoe_ros.options.parameters import NodeOptions


@dataclass(frozen=True)
class Probe:
    rate: float = option(30.0, 'Hz.', minimum=0.5, maximum=100.0, runtime=True)
    size: int = option(224, 'Pixels.', minimum=1)
    loop: bool = option(True, 'Again.')
    mode: str = option('fast', 'Mode.', choices=('fast', 'exact'), runtime=True)
    word: str = option('long', 'Word.', read=len, runtime=True)
    topics: tuple = option(('image_raw',), 'Topics.')
    outputs: tuple = option((), 'Namespaces.', runtime=True)
    weights: tuple = option((), 'Weights.', minimum=0.0, element=float, runtime=True)


def plain(value):
    return tuple(value) if isinstance(value, list) else value


@pytest.fixture
def declared(ros_node):
    """Declare the table on a node that was started with overrides."""

    def make(*overrides):
        options = [part for override in overrides for part in ('-p', override)]
        node = ros_node('probe', cli_args=['--ros-args', *options] if options else None)
        return node, declare(node, Probe)

    return make


def test_without_overrides_the_values_are_the_defaults_and_the_node_holds_them(declared):
    node, values = declared()
    assert values == Probe()
    for name, one in options_of(Probe).items():
        assert plain(node.get_parameter(name).value) == one.default


@pytest.mark.parametrize(
    ('override', 'name', 'value'),
    [
        ('rate:=5', 'rate', 5.0),
        ('topics:=[]', 'topics', ()),
        ('weights:=[1, 2]', 'weights', (1.0, 2.0)),
    ],
)
def test_an_override_is_taken_as_the_declared_type(declared, override, name, value):
    node, values = declared(override)
    assert values == Probe(**{name: value})
    assert plain(node.get_parameter(name).value) == value


@pytest.mark.parametrize(
    ('override', 'text'),
    [
        ('rate:=[]', "parameter 'rate' is [], but must be a number"),
        ('weights:=[-1.0]', "parameter 'weights' is [-1.0], outside its range (at least 0.0)"),
    ],
)
def test_a_wrong_override_is_refused_with_name_value_and_what_is_right(declared, override, text):
    with pytest.raises(ConfigurationError) as refused:
        declared(override)
    assert text in str(refused.value)


@pytest.mark.parametrize('table', [Probe, NodeOptions, CameraPublisherOptions])
def test_descriptors_tell_text_range_choices_and_what_is_read_only(ros_node, table):
    node = ros_node('probe')
    declare(node, table)
    for name, one in options_of(table).items():
        descriptor = node.describe_parameter(name)
        assert descriptor.description == one.text != ''
        assert descriptor.read_only != one.runtime
        choices = f'One of: {", ".join(one.choices)}' if one.choices else ''
        assert descriptor.additional_constraints == choices
        ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
        assert bool(ranges) == (one.minimum is not None)
        for allowed in ranges:
            assert allowed.from_value == one.minimum
            assert one.maximum is None or allowed.to_value == one.maximum
        # Of an empty list, too, the type is known.
        numbers = one.is_list and one.scalar_type is float
        assert (descriptor.type == Parameter.Type.DOUBLE_ARRAY.value) == numbers


@pytest.mark.parametrize(
    ('name', 'value', 'taken', 'used'),
    [
        ('rate', 50, 50.0, 50.0),
        ('mode', 'exact', 'exact', 'exact'),
        ('word', 'longer', 'longer', 6),
        ('outputs', ['front'], ('front',), ('front',)),
        ('weights', [1, 2], (1.0, 2.0), (1.0, 2.0)),
    ],
)
def test_a_runtime_parameter_takes_a_right_value(declared, name, value, taken, used):
    node, values = declared()
    (result,) = node.set_parameters([Parameter(name, value=value)])
    assert result.successful, result.reason
    assert plain(node.get_parameter(name).value) == taken
    assert getattr(changed(values, [node.get_parameter(name)]), name) == used


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
    node, _ = declared()
    before = node.get_parameter(name).value
    (result,) = node.set_parameters([Parameter(name, value=value)])
    assert not result.successful
    assert reason in result.reason
    assert node.get_parameter(name).value == before


def test_a_misspelt_override_is_pointed_out_and_a_foreign_one_is_not(declared, capfd):
    node, _ = declared('rats:=5', 'input_mode:=x')
    warn_of_misspelt(node)
    lines = [line for line in capfd.readouterr().err.splitlines() if 'WARN' in line]
    assert len(lines) == 1
    assert "'rats' is unknown and has no effect; did you mean 'rate'?" in lines[0]
