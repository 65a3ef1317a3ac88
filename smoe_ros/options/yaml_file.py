# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A table of options as a ROS parameter file, every option commented and at its default."""

from __future__ import annotations

import json
import textwrap

from smoe_ros.options.option import Value, options_of


def yaml_file(node: str, table: type) -> str:
    """Return the text of a node's parameter file, of its name and the table of its options."""
    lines = [
        f'# Parameters of the node {node}; every value here is its default.',
        '/**:',
        '  ros__parameters:',
    ]
    for option in options_of(table).values():
        comment = textwrap.wrap(option.describe(), 93, break_on_hyphens=False)
        lines += [f'    # {line}' for line in comment]
        lines.append(f'    {option.name}: {_written(option.default)}')
    return '\n'.join(lines) + '\n'


def _written(value: Value) -> str:
    if isinstance(value, str):
        return value or "''"
    if isinstance(value, tuple):
        return f'[{", ".join(map(_written, value))}]'
    return json.dumps(value)
