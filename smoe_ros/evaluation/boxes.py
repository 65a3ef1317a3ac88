# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Boxes around what pictures show: read from a file, and brought to the network's input."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from smoe_ros.errors import ConfigurationError

COLUMNS = ('name', 'label', 'x0', 'y0', 'x1', 'y1')
"""Columns of a file of boxes; ``label`` is for its reader only."""


class Box(NamedTuple):
    """Pixels from column ``x0`` up to, not including, ``x1``; rows ``y0`` to ``y1`` likewise."""

    x0: int
    y0: int
    x1: int
    y1: int


def bundled_boxes() -> dict[str, list[Box]]:
    """Return the boxes of ``boxes.csv``, drawn by hand around objects of the bundled subjects.

    They are around what an ImageNet class or a close relative of it names: a person's suit, not
    the person. Frames that show no such thing clearly have none.
    """
    return read_boxes(Path(__file__).with_name('boxes.csv'))


def read_boxes(path: Path) -> dict[str, list[Box]]:
    """Read boxes from a CSV file.

    Args:
        path: The file, UTF-8, with the columns ``COLUMNS`` in any order: the picture's name, what
            is in the box, and the box in whole pixels of the picture.

    Returns:
        The boxes of each picture, by its name, in the order of the file.

    Raises:
        ConfigurationError: If the file cannot be read, or holds something else.
    """
    boxes: dict[str, list[Box]] = {}
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:  # spreadsheets write a BOM
            rows = csv.DictReader(file, strict=True)
            header = rows.fieldnames or ()
            if sorted(header) != sorted(COLUMNS):
                raise ConfigurationError(
                    f"'{path}' has in line 1 the columns {','.join(header) or '(none)'}; boxes "
                    f'have {",".join(COLUMNS)}'
                )
            for row in rows:
                where = f"'{path}', line {rows.line_num}"
                name, box = _read_row(row, where)
                boxes.setdefault(name, []).append(box)
    except OSError as error:
        raise ConfigurationError(f"cannot read '{path}': {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"'{path}' is no CSV file in UTF-8: {error}") from error
    return boxes


def boxes_in_input(
    boxes: Sequence[Box], size: tuple[int, int], input_size: tuple[int, int]
) -> list[Box]:
    """Scale boxes as a picture is scaled to the network's input.

    Args:
        boxes: Boxes in pixels of the picture.
        size: Height and width of the picture.
        input_size: Height and width of the network's input.

    Returns:
        The boxes in pixels of the input, rounded; each has at least one pixel.

    Raises:
        ValueError: If a box has no pixel, or reaches beyond the picture.
    """
    height, width = size
    scaled = []
    for box in boxes:
        if not (0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height):
            raise ValueError(
                f'the box {tuple(box)} is not in a picture of {width}x{height} pixels: '
                '0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height would be right'
            )
        x0, x1 = _scaled(box.x0, box.x1, width, input_size[1])
        y0, y1 = _scaled(box.y0, box.y1, height, input_size[0])
        scaled.append(Box(x0, y0, x1, y1))
    return scaled


def _read_row(row: dict[str, str], where: str) -> tuple[str, Box]:
    if None in row or None in row.values():  # so DictReader marks too many and too few
        raise ConfigurationError(
            f'{where}: not as many values as the {len(COLUMNS)} columns {",".join(COLUMNS)}'
        )
    if not row['name'].strip():
        raise ConfigurationError(f'{where}: the name of the picture is missing')
    try:
        box = Box(*(int(row[column]) for column in COLUMNS[2:]))
    except ValueError:
        given = ','.join(row[column] for column in COLUMNS[2:])
        raise ConfigurationError(
            f'{where}: a box is four whole numbers of pixels x0,y0,x1,y1, got {given}'
        ) from None
    if not (0 <= box.x0 < box.x1 and 0 <= box.y0 < box.y1):
        raise ConfigurationError(
            f'{where}: the box {tuple(box)} has no pixel; 0 <= x0 < x1 and 0 <= y0 < y1 would be '
            'right'
        )
    return row['name'].strip(), box


def _scaled(low: int, high: int, length: int, input_length: int) -> tuple[int, int]:
    """Scale the ends of a stretch; what would round to nothing keeps one pixel."""
    start = min(round(low * input_length / length), input_length - 1)
    return start, max(round(high * input_length / length), start + 1)
