# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sheet of scales: the photo, and beside it what each scale of the network saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.images import Rgb
from smoe_ros.rendering.overview import scale_colours

_TILE = 320
_CAPTION = 44
_MARGIN = 8
_SWATCH = 12
_BACKGROUND = (24, 24, 28)
_TEXT = (235, 235, 235)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SIZE = 0.45


@dataclass(frozen=True)
class Tile:
    """One picture of the sheet.

    Attributes:
        picture: RGB picture, shape (H, W, 3).
        title: First line of its caption.
        note: Second line.
        colour: Drawn before the caption, None for none.
    """

    picture: Rgb
    title: str
    note: str
    colour: tuple[int, int, int] | None = None


def draw_scales_sheet(photo: Rgb, explanation: FrameExplanation, photo_note: str) -> Rgb:
    """Draw the photo and one tile a scale, finest first; with a class activation that, too.

    Args:
        photo: The photo, shape (H, W, 3).
        explanation: Its explanation.
        photo_note: A line about the photo, for example its class.

    Returns:
        RGB picture. Maps are grey, 0..1 from black to white; the swatch is the scale's colour in
        LOVI.
    """
    tiles = [Tile(photo, 'photo', photo_note)]
    colours = scale_colours(len(explanation.scales))
    for scale, scale_map, contribution, colour in zip(
        explanation.scales,
        explanation.scale_maps,
        explanation.contributions,
        colours,
        strict=True,
    ):
        # OpenCV's fonts have ASCII only, so no ×.
        note = f'{scale.channels} x {scale.height} x {scale.width}   {contribution:.1%}'
        tiles.append(Tile(_grey(scale_map), f'{scale.layer}#{scale.call}', note, colour))
    if explanation.class_activation is not None:
        tiles.append(Tile(_grey(explanation.class_activation), 'class activation', ''))
    return _arranged(tiles)


def _arranged(tiles: Sequence[Tile]) -> Rgb:
    height, width = tiles[0].picture.shape[:2]
    ratio = _TILE / max(height, width)
    size = max(round(width * ratio), 1), max(round(height * ratio), 1)
    drawn = [_drawn(tile, size) for tile in tiles]
    columns = math.ceil(math.sqrt(len(tiles)))
    drawn += [_blank(*drawn[0].shape[:2])] * (-len(tiles) % columns)
    rows = [np.hstack(drawn[start : start + columns]) for start in range(0, len(drawn), columns)]
    sheet = np.vstack(rows)
    framed = _blank(sheet.shape[0] + _MARGIN, sheet.shape[1] + _MARGIN)
    framed[_MARGIN:, _MARGIN:] = sheet
    return framed


def _drawn(tile: Tile, size: tuple[int, int]) -> Rgb:
    """Draw a tile: the picture, width by height pixels, and its caption below."""
    width, height = size
    canvas = _blank(height + _CAPTION, _TILE + _MARGIN)
    shrinks = tile.picture.shape[1] > width
    # Maps cover the whole photo, though the network's input has not quite its aspect ratio.
    canvas[:height, :width] = cv2.resize(
        tile.picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    start = 0
    if tile.colour is not None:
        cv2.rectangle(
            canvas, (start, height + 8), (start + _SWATCH, height + 8 + _SWATCH), tile.colour, -1
        )
        start += _SWATCH + 6
    for line, text in enumerate((tile.title, tile.note)):
        wanted = cv2.getTextSize(text, _FONT, _SIZE, 1)[0][0]
        fitting = _SIZE * min(1.0, (_TILE - start - 4) / max(wanted, 1))
        origin = (start, height + 18 + 19 * line)
        cv2.putText(canvas, text, origin, _FONT, fitting, _TEXT, 1, cv2.LINE_AA)
    return canvas


def _blank(height: int, width: int) -> Rgb:
    return np.full((height, width, 3), _BACKGROUND, np.uint8)


def _grey(values: NDArray[np.float32]) -> Rgb:
    return cv2.cvtColor(cv2.convertScaleAbs(values, alpha=255), cv2.COLOR_GRAY2RGB)
