# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sheet of scales: the photo, and beside it what each scale of the network saw."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.images import Rgb
from smoe_ros.rendering.overview import scale_bar, scale_colours

_TILE = 320
_CAPTION = 44
_MARGIN = 8
_SWATCH = 12
_BACKGROUND = (24, 24, 28)
_TEXT = (235, 235, 235)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SIZE = 0.45


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
    ratio = _TILE / max(photo.shape[:2])
    size = max(round(photo.shape[1] * ratio), 1), max(round(photo.shape[0] * ratio), 1)
    tiles = [_tile(photo, size, 'photo', photo_note)]
    for scale, scale_map, contribution, colour in zip(
        explanation.scales,
        explanation.scale_maps,
        explanation.contributions,
        scale_colours(len(explanation.scales)),
        strict=True,
    ):
        bar = scale_bar(scale, contribution)
        note = f'{bar.note}   {contribution:.1%}'
        tiles.append(_tile(_grey(scale_map), size, bar.label, note, colour))
    if explanation.class_activation is not None:
        tiles.append(_tile(_grey(explanation.class_activation), size, 'class activation'))
    columns = math.ceil(math.sqrt(len(tiles)))
    tiles += [_blank(*tiles[0].shape[:2])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    sheet = np.vstack(rows)
    framed = _blank(sheet.shape[0] + _MARGIN, sheet.shape[1] + _MARGIN)
    framed[_MARGIN:, _MARGIN:] = sheet
    return framed


def _tile(
    picture: Rgb,
    size: tuple[int, int],
    title: str,
    note: str = '',
    colour: tuple[int, int, int] | None = None,
) -> Rgb:
    """Draw a picture, width by height pixels, and two lines below, behind a swatch if coloured."""
    width, height = size
    canvas = _blank(height + _CAPTION, _TILE + _MARGIN)
    # Maps cover the whole photo, though the network's input has not quite its aspect ratio.
    shrinks = picture.shape[1] > width
    canvas[:height, :width] = cv2.resize(
        picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    start = 0
    if colour is not None:
        cv2.rectangle(canvas, (0, height + 8), (_SWATCH, height + 8 + _SWATCH), colour, -1)
        start = _SWATCH + 6
    for line, text in enumerate((title, note)):
        wanted = cv2.getTextSize(text, _FONT, _SIZE, 1)[0][0]
        fitting = _SIZE * min(1.0, (_TILE - start - 4) / max(wanted, 1))
        origin = (start, height + 18 + 19 * line)
        cv2.putText(canvas, text, origin, _FONT, fitting, _TEXT, 1, cv2.LINE_AA)
    return canvas


def _blank(height: int, width: int) -> Rgb:
    return np.full((height, width, 3), _BACKGROUND, np.uint8)


def _grey(values: NDArray[np.float32]) -> Rgb:
    return cv2.cvtColor(cv2.convertScaleAbs(values, alpha=255), cv2.COLOR_GRAY2RGB)
