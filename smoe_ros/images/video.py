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

    Attributes:
        length: Number of images that the container announces, 1 if it does not say.

    Raises:
        ConfigurationError: It cannot be opened, or not even its first image can be decoded.
    """

    def __init__(self, path: Path, warn: Warn) -> None:
        self.name = str(path)
        self._warn = warn
        self._damaged = False
        capture = _capture(self.name)
        if next(_images(capture), None) is None:
            raise ConfigurationError(
                f"cannot read any image from '{path}': it is empty, damaged, or not a video"
            )
        rate = capture.get(cv2.CAP_PROP_FPS)
        # Some containers state nothing, or nonsense such as their 90 kHz time base.
        self.rate = rate if 0 < rate <= 1000 else DEFAULT_RATE
        self.length = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 1)

    def frames(self) -> Iterator[Image]:
        """Give the video's images, from the first to the last that can be decoded."""
        count = 0
        for image in _images(_capture(self.name)):
            count += 1
            yield image
        # The container's figure is an estimate.
        if count < 0.9 * self.length and not self._damaged:
            self._damaged = True  # said once
            self._warn(f"'{self.name}' ended after {count} of {self.length} images: it is damaged")


class Webcam(ImageSource):
    """A video device by its number, as in ``/dev/video0``: the newest image, at its own pace.

    Images a second, width and height are asked of it; 0 leaves them to the device.

    Raises:
        ConfigurationError: There is no such device, or it gives no image.
    """

    live = True

    def __init__(self, index: int, rate: float, width: int, height: int) -> None:
        self.name = f'webcam {index}'
        self._capture = _capture(index)
        if not self._capture.isOpened():
            raise ConfigurationError(
                f'cannot open webcam {index}: there is no such device, it is in use, or the user '
                'may not access it'
            )
        for setting, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, rate),
            (cv2.CAP_PROP_BUFFERSIZE, 1),  # the newest image, not the oldest of a queue
        ):
            if value:
                self._capture.set(setting, value)
        if next(_images(self._capture), None) is None:
            raise ConfigurationError(f'webcam {index} gives no image')
        self.rate = self._capture.get(cv2.CAP_PROP_FPS) or DEFAULT_RATE

    def frames(self) -> Iterator[Image]:
        """Give images until the device fails."""
        yield from _images(self._capture)
        raise SourceLostError(f'{self.name} stopped giving images')

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


def _capture(source: str | int) -> Any:
    """Open a file or device, without OpenCV's and FFmpeg's remarks on standard error."""
    # Read when FFmpeg is first used; a level that the user set is respected.
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    with quiet_opencv():
        return cv2.VideoCapture(source, cv2.CAP_FFMPEG if isinstance(source, str) else cv2.CAP_ANY)


def _images(capture: Any) -> Iterator[Image]:
    while (image := capture.read()[1]) is not None:
        yield image


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's own log lines, which would stand beside ours."""
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)
