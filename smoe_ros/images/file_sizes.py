# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How large an image file claims to be, from its header.

OpenCV makes room for every pixel that a header claims: a few bytes would take gigabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable


def kind_of(data: bytes) -> tuple[str, Callable[[bytes], tuple[int, int]]] | None:
    """Tell an image file by its first bytes.

    Args:
        data: The file.

    Returns:
        Its kind, and the function that reads height and width in pixels from its header, raising
        ValueError, IndexError or struct.error for a damaged one. None if it is none of those.
    """
    if data.startswith(b'\xff\xd8'):
        return 'JPEG', _jpeg_size
    if data.startswith(b'\x89PNG\r\n\x1a\n'):
        return 'PNG', _png_size
    if data.startswith((b'II*\0', b'MM\0*')):
        return 'TIFF', _tiff_size
    if data.startswith(b'RIFF') and data[8:12] == b'WEBP':
        return 'WebP', _webp_size
    return None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Return height and width; a file without its end is refused, older OpenCVs fill it up."""
    size, position = None, 2
    while True:
        marker = data[position + 1]
        if data[position] != 0xFF:
            raise ValueError(f'no JPEG marker at byte {position}')
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # alone, without a segment
            position += 2
        elif marker == 0xDA:  # the coded pixels
            break
        else:
            if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
                size = struct.unpack_from('>HH', data, position + 5)
            position += 2 + struct.unpack_from('>H', data, position + 2)[0]
    if size is None:
        raise ValueError('the size is missing')
    # A thumbnail in the header has an end of its own, and drivers pad with whatever they have.
    if data.rfind(b'\xff\xd9', position) < 0:
        raise ValueError('the end-of-image marker is missing')
    return size


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from('>II', data, 16)
    return height, width


def _tiff_size(data: bytes) -> tuple[int, int]:
    """Return the larger of the image and its tiles, for both are made room for."""
    order = '<' if data.startswith(b'II') else '>'
    (directory,) = struct.unpack_from(f'{order}I', data, 4)
    (count,) = struct.unpack_from(f'{order}H', data, directory)
    height = width = 0
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f'{order}HH', data, entry)
        if tag not in {256, 257, 322, 323}:
            continue
        if kind not in {3, 4}:  # 16 and 32 bits; readers of other types would see another size
            raise ValueError(f'a size of TIFF type {kind}')
        (value,) = struct.unpack_from(order + ('H' if kind == 3 else 'I'), data, entry + 8)
        if tag in {256, 322}:
            width = max(width, value)
        else:
            height = max(height, value)
    return height, width


def _webp_size(data: bytes) -> tuple[int, int]:
    if data[12:16] == b'VP8X':
        return (
            1 + int.from_bytes(data[27:30], 'little'),
            1 + int.from_bytes(data[24:27], 'little'),
        )
    if data[12:16] == b'VP8L':
        (bits,) = struct.unpack_from('<I', data, 21)
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    width, height = struct.unpack_from('<HH', data, 26)
    return height & 0x3FFF, width & 0x3FFF
