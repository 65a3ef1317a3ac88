# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which activations of a network are read, one for each of its scales."""

from smoe_ros.scales.activations import recording_pre_activations
from smoe_ros.scales.hooks import evaluating, observing
from smoe_ros.scales.selection import STRIDE, Scale, find_scales, select_scales
from smoe_ros.scales.tracing import Call, trace

__all__ = [
    'STRIDE',
    'Call',
    'Scale',
    'evaluating',
    'find_scales',
    'observing',
    'recording_pre_activations',
    'select_scales',
    'trace',
]
