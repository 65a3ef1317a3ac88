# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which activations of a network are read: one for each of its scales."""

from smoe_ros.scales.selection import STRIDE, Scale, find_scales, select_scales

__all__ = ['STRIDE', 'Scale', 'find_scales', 'select_scales']
