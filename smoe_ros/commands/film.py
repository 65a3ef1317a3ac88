# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Films that browsers and phones play: H.264 in MP4."""

from __future__ import annotations

from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path

from smoe_ros.errors import ConfigurationError
from smoe_ros.images import Rgb

# 24000/1001, 30000/1001 and 60000/1001 are the rates of television.
_LARGEST_DENOMINATOR = 1001


class Film(AbstractContextManager['Film']):
    """Writes a film picture by picture; a context manager."""

    def __init__(self, path: Path, rate: float) -> None:
        """Create a file ``….mp4`` of so many pictures a second.

        Raises:
            ConfigurationError: If the package that writes films is not installed.
            OSError: If the file cannot be written.
        """
        try:
            import av  # noqa: PLC0415  # a robot does without it
        except ModuleNotFoundError:
            raise ConfigurationError(
                "films need the Python package av, which is not installed: 'pip install av'"
            ) from None
        self._frame_of = av.VideoFrame.from_ndarray
        # With its index in front, a film plays while it is still being loaded.
        self._file = av.open(str(path), 'w', options={'movflags': 'faststart'})
        self._stream = self._file.add_stream(
            'libx264',
            rate=Fraction(rate).limit_denominator(_LARGEST_DENOMINATOR),
            options={'preset': 'veryfast'},
        )
        self._stream.pix_fmt = 'yuv420p'
        # Said to the player, which would have to guess: BT.709 (1), 16..235 (1).
        codec = self._stream.codec_context
        codec.color_primaries = codec.color_trc = codec.colorspace = codec.color_range = 1
        self._begun = False

    def add(self, picture: Rgb) -> None:
        """Write the next picture, shape (H, W, 3), both even, and the same for all.

        Raises:
            OSError: If it cannot be written.
        """
        if not self._begun:
            self._stream.height, self._stream.width = picture.shape[:2]
            self._begun = True
        frame = self._frame_of(picture, 'rgb24').reformat(
            format='yuv420p', dst_colorspace='ITU709'
        )
        self._file.mux(self._stream.encode(frame))

    def __exit__(self, error_type: type[BaseException] | None, *_error: object) -> None:
        """Complete the file, or raise OSError; after an error, leave it as it is."""
        try:
            if error_type is None and self._begun:
                self._file.mux(self._stream.encode(None))
        finally:
            self._file.close()
