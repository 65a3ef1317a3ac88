# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where pictures come from: files, folders, films and webcams."""

from smoe_ros.images.footage import FOOTAGE, footage_path
from smoe_ros.images.framing import ENCODINGS, Framing, encode, fit
from smoe_ros.images.opening import (
    IMAGE_SUFFIXES,
    natural_key,
    open_source,
    quiet_stderr,
    read_image,
)
from smoe_ros.images.read_ahead import EndOfImages, ReadAhead
from smoe_ros.images.source import Image, ImageSource, Rgb, SourceLostError, Warn
from smoe_ros.images.video import VideoFile

__all__ = [
    'ENCODINGS',
    'FOOTAGE',
    'IMAGE_SUFFIXES',
    'EndOfImages',
    'Framing',
    'Image',
    'ImageSource',
    'ReadAhead',
    'Rgb',
    'SourceLostError',
    'VideoFile',
    'Warn',
    'encode',
    'fit',
    'footage_path',
    'natural_key',
    'open_source',
    'quiet_stderr',
    'read_image',
]
