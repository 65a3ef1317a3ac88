# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters as a table: declared with text and range, checked with errors that say what is right.

rclpy alone would start a node with an unknown choice, refuse ``rate:=5`` because 5 is no double,
and stumble over an empty list. A node writes its parameters down once, as a table::

    PARAMETERS = (
        Parameter('rate', 30.0, 'Frames a second.', minimum=0.1, maximum=1000.0),
        Parameter('encoding', 'bgr8', 'Pixel format.', choices=('bgr8', 'rgb8')),
        Parameter('image_topics', ['image_raw'], 'Topics to subscribe to.'),
    )
    values = declare(node, PARAMETERS)      # {'rate': 30.0, 'encoding': 'bgr8', ...}
"""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from smoe_ros.errors import ConfigurationError, unknown_name

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Scalar | list[Any]

_TYPE_NAMES = {bool: 'true or false', int: 'an integer', float: 'a number', str: 'text'}
_LIST_NAMES = {
    bool: 'a list such as [true, false]',
    int: 'a list of integers such as [1, 2]',
    float: 'a list of numbers such as [0.5, 1.0]',
    str: 'a list of text such as [first, second]',
}
_ARRAY_TYPES = {
    bool: RosParameter.Type.BOOL_ARRAY,
    int: RosParameter.Type.INTEGER_ARRAY,
    float: RosParameter.Type.DOUBLE_ARRAY,
    str: RosParameter.Type.STRING_ARRAY,
}
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Parameter:
    """One parameter of a node.

    Attributes:
        name: Full name; groups are separated by dots.
        default: Value without an override; its type is the parameter's type.
        description: For ``ros2 param describe``: what it does, its unit, what special values mean.
        minimum: Smallest value allowed (of each element, for a list).
        maximum: Largest value allowed (of each element, for a list).
        choices: Allowed texts (of each element, for a list); empty allows any.
        runtime: Whether it may be changed while the node runs; read-only otherwise.
        element: Type of a list's elements, needed only where the default is an empty list.
        length: How many elements a list must have; 0 allows any number.
    """

    name: str
    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    runtime: bool = False
    element: type[bool] | type[int] | type[float] | type[str] = str
    length: int = 0

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.default, list)

    @property
    def scalar_type(self) -> type[Scalar]:
        """Type of the value, or of its elements if it is a list."""
        if not isinstance(self.default, list):
            return type(self.default)
        return type(self.default[0]) if self.default else self.element

    def checked(self, value: Any) -> Value:
        """Return a value as this parameter's type, or refuse it.

        Integers are taken where a number or text is expected (``rate:=5``, ``source:=0``); a list
        that is not set, or is ``['']``, is the empty list, for which ROS has no notation of its
        own.

        Args:
            value: The value given, as rclpy hands it out; None for an override ``[]``.

        Raises:
            ConfigurationError: Wrong type, outside the range, or not among the choices. The text
                names the parameter, the value, and what would be right.
        """
        if not self.is_list:
            return self._checked_scalar(value, value)
        if value is None:
            return []
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self._wrong_type(value)
        if self.scalar_type is str and list(value) == ['']:
            return []
        if self.length and len(value) != self.length:
            raise ConfigurationError(
                f"parameter '{self.name}' has {len(value)} values, {list(value)}, but must have "
                f'{self.length}'
            )
        return [self._checked_scalar(element, value) for element in value]

    def _checked_scalar(self, scalar: Any, given: Any) -> Scalar:
        wanted = self.scalar_type
        if type(scalar) is int and wanted in (float, str):
            scalar = wanted(scalar)
        if type(scalar) is not wanted:
            raise self._wrong_type(given)
        if isinstance(scalar, str):
            if self.choices and scalar not in self.choices:
                raise unknown_name(f"value of parameter '{self.name}':", scalar, self.choices)
            return scalar
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not low <= scalar <= high:  # written so that NaN is refused, too
            raise ConfigurationError(
                f"parameter '{self.name}' is {given}, outside its range {self._range()}"
            )
        return scalar

    def _wrong_type(self, given: Any) -> ConfigurationError:
        names = _LIST_NAMES if self.is_list else _TYPE_NAMES
        shown = '[]' if given is None else repr(given)
        return ConfigurationError(
            f"parameter '{self.name}' is {shown}, but must be {names[self.scalar_type]}"
        )

    def _range(self) -> str:
        if self.maximum is None:
            return f'(at least {self.minimum})'
        if self.minimum is None:
            return f'(at most {self.maximum})'
        return f'{self.minimum} to {self.maximum}'

    def descriptor(self) -> ParameterDescriptor:
        """Return the ROS descriptor: text, range, choices, and whether it is read-only."""
        descriptor = ParameterDescriptor(
            description=self.description,
            additional_constraints=f'One of: {", ".join(self.choices)}' if self.choices else '',
            read_only=not self.runtime,
        )
        if self.minimum is None and self.maximum is None:
            return descriptor
        if self.scalar_type is int:
            low = -_INT64_MAX if self.minimum is None else int(self.minimum)
            high = _INT64_MAX if self.maximum is None else int(self.maximum)
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high)]
        else:
            low_ = -sys.float_info.max if self.minimum is None else float(self.minimum)
            high_ = sys.float_info.max if self.maximum is None else float(self.maximum)
            descriptor.floating_point_range = [FloatingPointRange(from_value=low_, to_value=high_)]
        return descriptor


def declare(node: Node, table: Iterable[Parameter]) -> dict[str, Any]:
    """Declare a table of parameters on a node and return their values.

    Overrides (command line, parameter file) are checked; from then on so are changes of the
    table's runtime parameters, which a node applies in ``add_post_set_parameters_callback``.

    Args:
        node: The node, on which none of the parameters is declared yet.
        table: The parameters.

    Returns:
        Checked value by name: Python types, lists as lists.

    Raises:
        ConfigurationError: An override has the wrong type, is out of range or is no choice.
    """
    by_name = {parameter.name: parameter for parameter in table}
    values = {}
    for parameter in by_name.values():
        values[parameter.name] = parameter.checked(_override(node, parameter))
        _declare_checked(node, parameter, values[parameter.name])

    def take_integers(changes: list[RosParameter]) -> list[RosParameter]:
        return [_as_declared(by_name.get(change.name), change) for change in changes]

    def refuse(changes: list[RosParameter]) -> SetParametersResult:
        try:
            for change in changes:
                if change.name in by_name:
                    by_name[change.name].checked(change.value)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    if any(parameter.runtime for parameter in by_name.values()):
        node.add_pre_set_parameters_callback(take_integers)
        node.add_on_set_parameters_callback(refuse)
    return values


def checked(table: Iterable[Parameter], changes: Iterable[RosParameter]) -> dict[str, Any]:
    """Return the new values of those changes that are of a table's runtime parameters.

    Raises:
        ConfigurationError: One has the wrong type, is out of range or is no choice.
    """
    by_name = {parameter.name: parameter for parameter in table if parameter.runtime}
    return {
        change.name: by_name[change.name].checked(change.value)
        for change in changes
        if change.name in by_name
    }


def warn_of_misspelt(node: Node) -> None:
    """Log a warning for each override that names no parameter but nearly does.

    ROS ignores ``-p rats:=5`` without a word. Names that resemble none are left alone: one
    parameter file may serve several nodes. Call it when the node has declared everything.

    Args:
        node: The node, with all its parameters declared.
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


def _override(node: Node, parameter: Parameter) -> Any:
    """Return the override as given, whatever its type, or else the default."""
    loose = ParameterDescriptor(dynamic_typing=True)
    value = node.declare_parameter(parameter.name, parameter.default, loose).value
    node.undeclare_parameter(parameter.name)
    return value


def _declare_checked(node: Node, parameter: Parameter, value: Value) -> None:
    name, descriptor = parameter.name, parameter.descriptor()
    if value != []:
        node.declare_parameter(name, value, descriptor, ignore_override=True)
        return
    # rclpy takes an empty list for bytes, so its type is declared first and its value set after.
    array_type = _ARRAY_TYPES[parameter.scalar_type]
    node.declare_parameter(name, array_type, ParameterDescriptor(), ignore_override=True)
    node.set_parameters([RosParameter(name, array_type, [])])
    descriptor.type = array_type.value
    node.set_descriptor(name, descriptor)


def _as_declared(parameter: Parameter | None, change: RosParameter) -> RosParameter:
    """Let ``ros2 param set`` take 1 where 1.0 is meant, as overrides do."""
    if parameter is None:
        return change
    try:
        value = parameter.checked(change.value)
    except ConfigurationError:
        return change  # refused afterwards, with the reason
    array_type = _ARRAY_TYPES[parameter.scalar_type] if parameter.is_list else None
    return RosParameter(change.name, array_type, value)
