# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where pictures come from: files, folders, films and webcams."""

from smoe_ros.images.source import Image, ImageSource, Rgb

__all__ = ['Image', 'ImageSource', 'Rgb']
