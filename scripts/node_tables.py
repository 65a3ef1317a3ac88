# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node takes and gives, as Markdown tables made from its code."""

import json
from collections.abc import Sequence

from record_tables import table

from smoe_ros.node.diagnostics import FIGURES
from smoe_ros.node.image_conversion import PIXEL_BYTES
from smoe_ros.node.outputs import IMAGE_OUTPUTS
from smoe_ros.node.parameters import Parameter

_TYPES = {bool: 'bool', int: 'integer', float: 'double', str: 'string'}


def parameter_table(parameters: Sequence[Parameter]) -> str:
    """Return the parameters with type, default, what is allowed, and when they may be set."""
    return table(
        'parameter | type | default | allowed | set | what it does',
        [
            (
                f'`{parameter.name}`',
                _TYPES[parameter.scalar_type] + ('[]' if parameter.is_list else ''),
                f'`{json.dumps(parameter.default)}`' if parameter.default != '' else "`''`",
                _allowed(parameter),
                'any time' if parameter.runtime else 'at start',
                parameter.description,
            )
            for parameter in parameters
        ],
    )


def short_parameter_table(parameters: Sequence[Parameter]) -> str:
    """Return the parameters with default and meaning."""
    return table(
        'parameter | default | what it does',
        [
            (
                f'`{parameter.name}`',
                f'`{json.dumps(parameter.default)}`' if parameter.default != '' else "''",
                parameter.description
                + (f' One of: {", ".join(parameter.choices)}.' if parameter.choices else ''),
            )
            for parameter in parameters
        ],
    )


def output_table() -> str:
    """Return the node's outputs beside a camera."""
    rows = [
        (f'`{output.name}`', f'`sensor_msgs/Image` `{output.encoding}`', output.description)
        for output in IMAGE_OUTPUTS
    ]
    rows.append(
        (
            '`contributions`',
            '`smoe_msgs/ScaleContributions`',
            "what each scale contributed, the most salient points, the network's class",
        )
    )
    return table('topic | type | content', rows)


def compressed_table() -> str:
    """Return the compressed outputs and their files."""
    codecs = {'rgb8': 'JPEG, `jpeg_quality`', 'mono8': 'PNG, lossless', '32FC1': 'TIFF, lossless'}
    return table(
        'topic (`sensor_msgs/CompressedImage`) | file',
        [(f'`{output.name}/compressed`', codecs[output.encoding]) for output in IMAGE_OUTPUTS],
    )


def encodings() -> str:
    """Return the encodings that are understood."""
    return ', '.join(f'`{encoding}`' for encoding in PIXEL_BYTES)


def figure_table() -> str:
    """Return the figures of a diagnostic status."""
    return table('key | value', [(f'`{one.key}`', one.meaning) for one in FIGURES])


def _allowed(parameter: Parameter) -> str:
    if parameter.choices:
        return ', '.join(f'`{choice}`' for choice in parameter.choices)
    length = f'{parameter.length} values, ' if parameter.length else ''
    if parameter.minimum is None:
        return length.removesuffix(', ')
    return f'{length}{parameter.minimum} to {parameter.maximum}'
