# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network by its name, from a file, or the user's own, with its preprocessing and labels."""

from smoe_ros.backbones.loading import Backbone, backbone_names, load_backbone
from smoe_ros.backbones.preprocessing import Preprocessing
from smoe_ros.options.choices import DEFAULT_BACKBONE

__all__ = ['DEFAULT_BACKBONE', 'Backbone', 'Preprocessing', 'backbone_names', 'load_backbone']
