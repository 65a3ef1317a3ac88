# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of a table as parameters of a node: declared, checked, changed while it runs.

rclpy alone would start a node with an unknown choice, refuse ``rate:=5`` because 5 is no double,
and stumble over an empty list.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from smoe_ros.errors import ConfigurationError
from smoe_ros.options.option import Option, Table, Value, options_of, taken

_ARRAY_TYPES = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}
_INT64_MAX = 2**63 - 1


def declare(node: Node, table: type[Table]) -> Table:
    """Declare the options of a table as parameters of a node and return their values.

    Overrides (command line, parameter file) are checked; from then on so are changes of those
    that may change at run time, which a node applies in ``add_post_set_parameters_callback``.

    Raises:
        ConfigurationError: An override has the wrong type, is out of range or is no choice.
    """
    options = options_of(table)
    values = {}
    for option in options.values():
        values[option.name] = option.checked(_override(node, option))
        _declare_checked(node, option, values[option.name])

    def take_integers(changes: list[Parameter]) -> list[Parameter]:
        return [_as_declared(options.get(change.name), change) for change in changes]

    def refuse(changes: list[Parameter]) -> SetParametersResult:
        try:
            _values(options, changes)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    if any(option.runtime for option in options.values()):
        node.add_pre_set_parameters_callback(take_integers)
        node.add_on_set_parameters_callback(refuse)
    return taken(table, values)


def changed(values: Table, changes: Iterable[Parameter]) -> Table:
    """Return a table's values with those changes that are of its options.

    Raises:
        ConfigurationError: One has the wrong type, is out of range or cannot be read.
    """
    return replace(values, **_values(options_of(type(values)), changes))  # type: ignore[type-var]


def warn_of_misspelt(node: Node) -> None:
    """Log a warning for each override that names no parameter but nearly does.

    ROS ignores ``-p rats:=5`` without a word. Names that resemble none are left alone: one
    parameter file may serve several nodes. Call it when the node has declared everything.
    """
    # rclpy has no public way to list overrides of parameters that are not declared.
    overrides = getattr(node, '_parameter_overrides', {})
    declared = list(node.get_parameters_by_prefix(''))
    for name in overrides:
        near = difflib.get_close_matches(name, declared, n=1, cutoff=0.75)
        # A slip of the finger, not another node's parameter with a longer name.
        if near and name not in declared and abs(len(near[0]) - len(name)) <= 2:
            node.get_logger().warning(
                f"parameter '{name}' is unknown and has no effect; did you mean '{near[0]}'?"
            )


def _values(options: Mapping[str, Option], changes: Iterable[Parameter]) -> dict[str, Any]:
    return {
        change.name: options[change.name].used(options[change.name].checked(change.value))
        for change in changes
        if change.name in options
    }


def _override(node: Node, option: Option) -> Any:
    """Return the override as given, whatever its type, or else the default."""
    loose = ParameterDescriptor(dynamic_typing=True)
    value = node.declare_parameter(option.name, option.default, loose).value
    node.undeclare_parameter(option.name)
    return value


def _declare_checked(node: Node, option: Option, value: Value) -> None:
    name, descriptor = option.name, _descriptor(option)
    if value != ():
        node.declare_parameter(name, value, descriptor, ignore_override=True)
        return
    # rclpy takes an empty list for bytes, so its type is declared first and its value set after.
    array_type = _ARRAY_TYPES[option.scalar_type]
    node.declare_parameter(name, array_type, ParameterDescriptor(), ignore_override=True)
    node.set_parameters([Parameter(name, array_type, [])])
    descriptor.type = array_type.value
    node.set_descriptor(name, descriptor)


def _descriptor(option: Option) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=option.text,
        additional_constraints=f'One of: {", ".join(option.choices)}' if option.choices else '',
        read_only=not option.runtime,
    )
    if option.minimum is None:
        return descriptor
    if option.scalar_type is int:
        highest = _INT64_MAX if option.maximum is None else int(option.maximum)
        integers = IntegerRange(from_value=int(option.minimum), to_value=highest)
        descriptor.integer_range = [integers]
    else:
        high = sys.float_info.max if option.maximum is None else float(option.maximum)
        numbers = FloatingPointRange(from_value=float(option.minimum), to_value=high)
        descriptor.floating_point_range = [numbers]
    return descriptor


def _as_declared(option: Option | None, change: Parameter) -> Parameter:
    """Let ``ros2 param set`` take 1 where 1.0 is meant, as overrides do."""
    if option is None:
        return change
    try:
        value = option.checked(change.value)
    except ConfigurationError:
        return change  # refused afterwards, with the reason
    array_type = _ARRAY_TYPES[option.scalar_type] if option.is_list else None
    return Parameter(change.name, array_type, value)
