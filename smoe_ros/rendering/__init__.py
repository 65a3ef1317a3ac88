# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Explanations as pictures: LOVI, heat map, overlay, mask and overview."""

from smoe_ros.rendering.maps import heat_map, lovi, overlay, salient_mask
from smoe_ros.rendering.overview import (
    HISTORY_SECONDS,
    Bar,
    History,
    draw_overview,
    scale_bar,
    scale_colours,
)

__all__ = [
    'HISTORY_SECONDS',
    'Bar',
    'History',
    'draw_overview',
    'heat_map',
    'lovi',
    'overlay',
    'salient_mask',
    'scale_bar',
    'scale_colours',
]
