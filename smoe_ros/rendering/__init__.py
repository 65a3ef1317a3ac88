# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Explanations as pictures: LOVI, heat map, overlay, mask and overview."""

from smoe_ros.rendering.maps import heat_map, lovi, overlay, salient_mask

__all__ = ['heat_map', 'lovi', 'overlay', 'salient_mask']
