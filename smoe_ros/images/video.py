# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera images that OpenCV decodes: video files and webcams."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from smoe_ros.errors import ConfigurationError
from smoe_ros.images.source import DEFAULT_RATE, Image, ImageSource, SourceLostError, Warn


class VideoFile(ImageSource):
    """A video file, decoded by OpenCV's FFmpeg.

    Raises:
        ConfigurationError: It cannot be opened, or not even its first image can be decoded.
    """

    def __init__(self, path: Path, warn: Warn) -> None:
        self.name = str(path)
        self._path = path
        self._warn = warn
        with contextlib.closing(_Capture(str(path))) as capture:
            if capture.read() is None:
                raise ConfigurationError(
                    f"cannot read any image from '{path}': it is empty, damaged, or not a video"
                )
            # Some containers state nothing, or nonsense such as their 90 kHz time base.
            self.rate = capture.rate if 0 < capture.rate <= 1000 else DEFAULT_RATE
            self._announced = capture.length

    def frames(self) -> Iterator[Image]:
        """Give the video's images, from the first to the last that can be decoded."""
        count = 0
        with contextlib.closing(_Capture(self.name)) as capture:
            while (image := capture.read()) is not None:
                count += 1
                yield image
        if count < 0.9 * self._announced:  # the container's figure is an estimate
            self._warn(
                f"'{self._path}' ended after {count} of {self._announced} images: it is damaged"
            )
            self._announced = 0  # said once


class Webcam(ImageSource):
    """A video device by its number: the newest image, at the device's pace.

    Args:
        index: Number of the device, as in ``/dev/video0``.
        rate: Images a second to ask of the device; 0 leaves it to the device.
        width: Width to ask of the device; 0 leaves it to the device.
        height: Height to ask of the device; 0 leaves it to the device.

    Raises:
        ConfigurationError: There is no such device, or it gives no image.
    """

    live = True

    def __init__(self, index: int, rate: float = 0.0, width: int = 0, height: int = 0) -> None:
        self.name = f'webcam {index}'
        self._capture = _Capture(index)
        if not self._capture.opened:
            raise ConfigurationError(
                f'cannot open webcam {index}: there is no such device, it is in use, or the user '
                'may not access it'
            )
        self._capture.ask(width, height, rate)
        if self._capture.read() is None:
            raise ConfigurationError(f'webcam {index} gives no image')
        self.rate = self._capture.rate or DEFAULT_RATE

    def frames(self) -> Iterator[Image]:
        """Give images until the device fails."""
        while (image := self._capture.read()) is not None:
            yield image
        raise SourceLostError(f'{self.name} stopped giving images')

    def close(self) -> None:
        """Release the device."""
        self._capture.close()


class _Capture:
    """cv2.VideoCapture, typed and without its remarks on standard error."""

    def __init__(self, source: str | int) -> None:
        # Read when FFmpeg is first used; a level that the user set is respected.
        os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
        with quiet_opencv():
            if isinstance(source, int):
                self._capture: Any = cv2.VideoCapture(source)
            else:
                self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
        self.opened: bool = self._capture.isOpened()

    @property
    def rate(self) -> float:
        return float(self._capture.get(cv2.CAP_PROP_FPS))

    @property
    def length(self) -> int:
        return int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))

    def ask(self, width: int, height: int, rate: float) -> None:
        for setting, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, rate),
            (cv2.CAP_PROP_BUFFERSIZE, 1),  # the newest image, not the oldest of a queue
        ):
            if value:
                self._capture.set(setting, value)

    def read(self) -> Image | None:
        _, image = self._capture.read()
        return image  # type: ignore[no-any-return]

    def close(self) -> None:
        self._capture.release()


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's own log lines, which would stand beside ours."""
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)
