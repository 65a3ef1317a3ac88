# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes take and give, as Markdown tables made from their code."""

import json

from record_tables import table

from smoe_ros.messages.decoding import PIXEL_BYTES
from smoe_ros.messages.outputs import IMAGE_OUTPUTS
from smoe_ros.node.camera_publisher import CameraPublisherOptions
from smoe_ros.node.diagnostics import FIGURES
from smoe_ros.options.option import Option, options_of
from smoe_ros.options.parameters import NodeOptions

_TYPES = {bool: 'bool', int: 'integer', float: 'double', str: 'string'}
_CODECS = {'rgb8': 'JPEG, `jpeg_quality`', 'mono8': 'PNG, lossless', '32FC1': 'TIFF, lossless'}
_CONTRIBUTIONS = (
    '`contributions`',
    '`smoe_msgs/ScaleContributions`',
    "what each scale contributed, the most salient points, the network's class",
)


def readme_parts() -> dict[str, str]:
    """Return the parts of README.md that say what the nodes take and give."""
    rows = [
        (
            f'`{parameter.name}`',
            f'`{json.dumps(parameter.default)}`' if parameter.default != '' else "''",
            parameter.text
            + (f' One of: {", ".join(parameter.choices)}.' if parameter.choices else ''),
        )
        for parameter in options_of(CameraPublisherOptions).values()
    ]
    return {
        'outputs': _output_table(),
        'camera parameters': table('parameter | default | what it does', rows),
    }


def node_parts() -> dict[str, str]:
    """Return every generated part of docs/node.md by its name."""
    parameters = [
        (
            f'`{parameter.name}`',
            _TYPES[parameter.scalar_type] + ('[]' if parameter.is_list else ''),
            f'`{json.dumps(parameter.default)}`' if parameter.default != '' else "`''`",
            _allowed(parameter),
            'any time' if parameter.runtime else 'at start',
            parameter.text,
        )
        for parameter in options_of(NodeOptions).values()
    ]
    files = [(f'`{output.name}/compressed`', _CODECS[output.encoding]) for output in IMAGE_OUTPUTS]
    return {
        'encodings': ', '.join(f'`{encoding}`' for encoding in PIXEL_BYTES),
        'outputs': _output_table(),
        'compressed': table('topic (`sensor_msgs/CompressedImage`) | file', files),
        'parameters': table(
            'parameter | type | default | allowed | set | what it does', parameters
        ),
        'figures': table('key | value', [(f'`{one.key}`', one.meaning) for one in FIGURES]),
    }


def _output_table() -> str:
    rows = [
        (f'`{output.name}`', f'`sensor_msgs/Image` `{output.encoding}`', output.description)
        for output in IMAGE_OUTPUTS
    ]
    return table('topic | type | content', [*rows, _CONTRIBUTIONS])


def _allowed(parameter: Option) -> str:
    if parameter.choices:
        return ', '.join(f'`{choice}`' for choice in parameter.choices)
    length = f'{parameter.length} values, ' if parameter.length else ''
    if parameter.minimum is None:
        return length.removesuffix(', ')
    return f'{length}{parameter.minimum} to {parameter.maximum}'
