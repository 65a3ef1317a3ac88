# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of a table on a command line; known before anything heavy is imported."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from smoe_ros.errors import ConfigurationError
from smoe_ros.options.option import Option, Table, options_of, taken


def make_parser(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Return a parser that shows description and epilog of a command as they are written."""
    return argparse.ArgumentParser(
        prog=name,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_options(parser: argparse.ArgumentParser, table: type) -> None:
    """Add a table's options; those of its base classes in a group each, titled by their docstring.

    A wrong value ends the process (2) with the option, the value, and what would be right.
    """
    groups: dict[type, argparse._ActionsContainer] = {table: parser}
    for option in options_of(table).values():
        home = next(one for one in table.__mro__ if option.name in inspect.get_annotations(one))
        if home not in groups:
            title = (inspect.getdoc(home) or '').partition('.')[0].lower()
            groups[home] = parser.add_argument_group(title)
        _add(parser, groups[home], option)


def options_from(
    parser: argparse.ArgumentParser, table: type[Table], arguments: argparse.Namespace
) -> Table:
    """Return a table with the values of a command line; lists of paths become tuples.

    Values that the table refuses, since they do not go together, end the process (2).
    """
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(arguments).items()
    }
    try:
        return taken(table, values)
    except ConfigurationError as error:
        parser.error(str(error))


def _add(
    parser: argparse.ArgumentParser, group: argparse._ActionsContainer, option: Option
) -> None:
    flag = option.flag or f'--{option.name.replace("_", "-")}'
    if isinstance(option.default, bool):
        group.add_argument(flag, dest=option.name, action='store_true', help=_help(option))
        return
    group.add_argument(
        flag,
        dest=option.name,
        default=option.default,
        type=_reader(parser, replace(option, title=flag)),
        metavar=option.metavar,
        help=_help(option),
        nargs=None if option.alone is None else '?',
        const=option.alone,
    )


def _reader(parser: argparse.ArgumentParser, option: Option) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = option.checked(option.parsed(text))
            option.used(value)
        except ConfigurationError as error:
            parser.error(str(error))
        return value

    return read


def _help(option: Option) -> str:
    default = option.default
    shown = ','.join(map(str, default)) if isinstance(default, tuple) else str(default)
    said = '' if shown in ('', 'False', 'inf') else f' (default: {shown})'
    return (option.describe() + said).replace('%', '%%')
