# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An option of a node or a command: described once, checked with errors that say what is right.

Options stand in tables, which are dataclasses. From a table come the parameters of a node
(`smoe_ros.node.declaring`), the arguments of a command (`smoe_ros.options.command_line`), a
parameter file and a table in the documentation; its instances are what the program works with::

    @dataclass(frozen=True)
    class CameraOptions:
        rate: float = option(30.0, 'Frames a second.', minimum=0.1, maximum=1000.0)
        encoding: str = option('bgr8', 'Pixel format.', choices=('bgr8', 'rgb8'))
        topics: tuple[str, ...] = option(('image_raw',), 'Topics to subscribe to.')
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from smoe_ros.errors import ConfigurationError, unknown_name

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Scalar | tuple[Any, ...]
Table = TypeVar('Table')

_TYPE_NAMES = {bool: 'true or false', int: 'an integer', float: 'a number', str: 'text'}
_LIST_NAMES = {
    bool: 'a list such as [true, false]',
    int: 'a list of integers such as [1, 2]',
    float: 'a list of numbers such as [0.5, 1.0]',
    str: 'a list of text such as [first, second]',
}


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        default: Value if nothing is said; its type is the option's type, a tuple that of a list.
        text: What it does, its unit, what special values mean; sentences for the user.
        minimum: Smallest value allowed (of each element, for a list).
        maximum: Largest value allowed, likewise; goes with a minimum.
        choices: Allowed texts (of each element, for a list); empty allows any.
        runtime: Whether a node's may be changed while it runs; read-only otherwise.
        element: Type of a list's elements, needed only where the default is an empty list.
        length: How many elements a list must have that is not the default; 0 allows any number.
        read: Makes of a checked value what the program works with; refuses what it cannot read.
        flag: On a command line; empty makes it of the name.
        metavar: What the value is called in a command's help.
        alone: Value on a command line where the flag stands alone; None requires a value.
        name: The field's name in its table.
        title: What errors call it; empty calls it a parameter, by its name.
    """

    default: Value
    text: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    runtime: bool = False
    element: type[Scalar] = str
    length: int = 0
    read: Callable[[Any], Any] | None = None
    flag: str = ''
    metavar: str | None = None
    alone: Value | None = None
    name: str = ''
    title: str = ''

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.default, tuple)

    @property
    def scalar_type(self) -> type[Scalar]:
        """Type of the value, or of its elements if it is a list."""
        if not isinstance(self.default, tuple):
            return type(self.default)
        return type(self.default[0]) if self.default else self.element

    def describe(self) -> str:
        """Return the text and what is allowed, as sentences."""
        if self.choices:
            return f'{self.text} One of: {", ".join(self.choices)}.'
        if self.minimum is None:
            return self.text
        count = f'{self.length} values, ' if self.length else ''
        return f'{self.text} Allowed: {count}{self._range().strip("()")}.'

    def checked(self, value: Any) -> Value:
        """Return a value as this option's type, or refuse it.

        Integers are taken where a number or text is expected (``rate:=5``, ``source:=0``); a list
        that is not set, or is ``['']``, is the empty list, for which ROS has no notation of its
        own.

        Args:
            value: The value given, as rclpy or `parsed` hands it out; None for an override
                ``[]``.

        Raises:
            ConfigurationError: Wrong type, outside the range, or not among the choices. The text
                names the option, the value, and what would be right.
        """
        if not self.is_list:
            return self._checked_scalar(value, value)
        if value is None:
            value = ()
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self._wrong_type(value)
        given = [] if list(value) == [''] else list(value)
        if self.length and len(given) != self.length and tuple(given) != self.default:
            raise ConfigurationError(
                f'{self._called()} has {len(given)} values, {given}, but must have {self.length}'
            )
        return tuple(self._checked_scalar(element, given) for element in given)

    def used(self, value: Any) -> Any:
        """Return what the program works with, for a checked value.

        Raises:
            ConfigurationError: If it cannot be read.
        """
        return value if self.read is None else self.read(value)

    def parsed(self, text: str) -> Any:
        """Return text of a command line as a value to be checked; a list has commas.

        Raises:
            ConfigurationError: If an element is empty.
        """
        if not self.is_list:
            return self._parsed_scalar(text)
        parts = [part.strip() for part in text.split(',')]
        if not all(parts):
            raise ConfigurationError(
                f"{self._called()} is '{text}', which has an empty name; separate names by commas"
            )
        return [self._parsed_scalar(part) for part in parts]

    def _parsed_scalar(self, text: str) -> Scalar:
        try:
            return self.scalar_type(text)
        except ValueError:
            return text  # refused when it is checked, with the type that is right

    def _checked_scalar(self, scalar: Any, given: Any) -> Scalar:
        wanted = self.scalar_type
        if type(scalar) is int and wanted in (float, str):
            scalar = wanted(scalar)
        if type(scalar) is not wanted:
            raise self._wrong_type(given)
        if isinstance(scalar, str):
            if self.choices and scalar not in self.choices:
                raise unknown_name(f'value of {self._called()}:', scalar, self.choices)
            return scalar
        low = -sys.float_info.max if self.minimum is None else self.minimum
        high = sys.float_info.max if self.maximum is None else self.maximum
        if not low <= scalar <= high:  # written so that NaN is refused, too
            raise ConfigurationError(
                f'{self._called()} is {given}, outside its range {self._range()}'
            )
        return scalar

    def _wrong_type(self, given: Any) -> ConfigurationError:
        names = _LIST_NAMES if self.is_list else _TYPE_NAMES
        shown = '[]' if given is None else repr(given)
        return ConfigurationError(
            f'{self._called()} is {shown}, but must be {names[self.scalar_type]}'
        )

    def _called(self) -> str:
        return self.title or f"parameter '{self.name}'"

    def _range(self) -> str:
        if self.maximum is None or math.isinf(self.maximum):
            return f'(at least {self.minimum})'
        return f'{self.minimum} to {self.maximum}'


def option(default: Value, text: str, **facts: Any) -> Any:
    """Return a field of a table; the facts are further attributes of `Option`."""
    return _field(Option(default, text, **facts))


def like(table: type, name: str, **changes: Any) -> Any:
    """Return a field that is another table's option, but for some attributes of `Option`."""
    return _field(dataclasses.replace(options_of(table)[name], **changes))


def options_of(table: type) -> dict[str, Option]:
    """Return a table's options by their names, in its order."""
    return {
        one.name: dataclasses.replace(one.metadata['option'], name=one.name)
        for one in dataclasses.fields(table)
        if 'option' in one.metadata
    }


def taken(table: type[Table], values: Mapping[str, Any]) -> Table:
    """Return a table with checked values; there may be more values than it has fields."""
    options = options_of(table)
    wanted = [one.name for one in dataclasses.fields(table)]  # type: ignore[arg-type]
    return table(
        **{
            name: options[name].used(values[name]) if name in options else values[name]
            for name in wanted
        }
    )


def _field(described: Option) -> Any:
    default = described.used(described.default)
    return dataclasses.field(default=default, metadata={'option': described})
