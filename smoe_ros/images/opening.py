# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where camera images come from: a video file, a folder of images, a webcam, or drawn ones.

Every source gives (H, W, 3) uint8 images in OpenCV's order, blue first.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
import re
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np

from smoe_ros.errors import ConfigurationError
from smoe_ros.images.footage import FOOTAGE, footage_path
from smoe_ros.images.source import Image, ImageSource, Warn
from smoe_ros.images.video import VideoFile, Webcam, quiet_opencv

IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


class Synthetic(ImageSource):
    """Shapes that move over a gradient; needs no files and is the same in every run.

    The clip of ``LENGTH`` images ends where it began, so that it loops without a jump.
    """

    LENGTH = 300
    WIDTH, HEIGHT = 640, 480

    def __init__(self) -> None:
        self.name = 'synthetic'
        x = np.linspace(30, 110, self.WIDTH)
        y = np.linspace(0, 60, self.HEIGHT)[:, None]
        self._background = np.stack([x + y, x + 0 * y, 90 + 0 * x - y / 2], 2).astype(np.uint8)

    def frames(self) -> Iterator[Image]:
        """Give the images of one clip."""
        for index in range(self.LENGTH):
            yield self._draw(2 * math.pi * index / self.LENGTH)

    def _draw(self, phase: float) -> Image:
        image = self._background.copy()
        disc = (320 + round(220 * math.cos(phase)), 240 + round(150 * math.sin(phase)))
        cv2.circle(image, disc, 60, (40, 60, 230), -1, cv2.LINE_AA)
        corner = 320 + round(240 * math.sin(2 * phase))
        cv2.rectangle(image, (corner - 40, 330), (corner + 40, 410), (60, 200, 70), -1)
        tip = (320 + round(120 * math.cos(3 * phase)), 140 + round(120 * math.sin(3 * phase)))
        cv2.line(image, (320, 140), tip, (230, 230, 240), 12, cv2.LINE_AA)
        return image


class ImageFolder(ImageSource):
    """The images of a folder in natural order: ``image2`` before ``image10``.

    Files that cannot be decoded are named in a warning once, counted and left out.

    Attributes:
        unreadable: Number of files left out so far.

    Raises:
        ConfigurationError: The folder holds no image files, or none that can be decoded.
    """

    def __init__(self, path: Path, warn: Warn) -> None:
        self.name = str(path)
        self._warn = warn
        self.unreadable = 0
        files = [file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
        self._files = sorted(filter(Path.is_file, files), key=lambda file: natural_key(file.name))
        if not self._files:
            raise ConfigurationError(
                f"the folder '{path}' holds no images (looked for {' '.join(IMAGE_SUFFIXES)})"
            )
        with quiet_stderr():  # libpng and libjpeg print what OpenCV then reports
            bad = list(takewhile(lambda file: read_image(file) is None, self._files))
        if len(bad) == len(self._files):
            raise ConfigurationError(
                f"none of the {len(bad)} images in the folder '{path}' can be decoded"
            )
        for file in bad:
            self._leave_out(file)

    def frames(self) -> Iterator[Image]:
        """Give the folder's images; their sizes may differ."""
        for file in tuple(self._files):
            image = read_image(file)
            if image is None:
                self._leave_out(file)
            else:
                yield image

    def _leave_out(self, file: Path) -> None:
        self._files.remove(file)
        self.unreadable += 1
        self._warn(f"cannot decode the image '{file}': left out")


def open_source(
    source: str,
    warn: Warn,
    *,
    rate: float = 0.0,
    width: int = 0,
    height: int = 0,
) -> ImageSource:
    """Open what a user named. May take long: a device, a network file system, a named pipe.

    Args:
        source: ``synthetic``, a name of ``footage.FOOTAGE``, digits for a webcam, or the path of a
            video file or a folder of images. Names go before paths; ``./bikes`` is a path.
        warn: Takes a line about each flaw that the source survives.
        rate: Asked of a webcam; 0 leaves it to the device.
        width: Asked of a webcam; 0 leaves it to the device.
        height: Asked of a webcam; 0 leaves it to the device.

    Raises:
        ConfigurationError: There is no such thing, or not one image can be had from it.
    """
    if not source:
        raise ConfigurationError(
            f'the source is empty; name one of {", ".join((*FOOTAGE, "synthetic"))}, a video '
            'file, a folder of images, or the number of a webcam'
        )
    if source == 'synthetic':
        return Synthetic()
    if source.isdecimal():
        return Webcam(int(source), rate, width, height)
    path = footage_path(source) if source in FOOTAGE else Path(source).expanduser()
    try:
        if path.is_dir():
            return ImageFolder(path, warn)
        if path.exists():
            with path.open('rb'):  # says "permission denied" where OpenCV only fails
                pass
            return VideoFile(path, warn)
    except OSError as error:
        raise ConfigurationError(f"cannot open the source '{source}': {error.strerror}") from error
    near = difflib.get_close_matches(source, (*FOOTAGE, 'synthetic'), n=1)
    hint = f'; did you mean {near[0]}?' if near else ''
    raise ConfigurationError(f"the source '{source}' does not exist{hint}")


def read_image(path: Path) -> Image | None:
    """Return an image file's pixels, turned upright as its EXIF data say.

    Returns:
        (H, W, 3) uint8, blue first; None if the file cannot be read, is damaged, or no image.
    """
    try:
        # cv2.imread would fill a photo up that is cut off.
        data = np.frombuffer(path.read_bytes(), np.uint8)
        with quiet_opencv():
            return cv2.imdecode(data, cv2.IMREAD_COLOR)  # type: ignore[no-any-return]
    except (OSError, cv2.error):  # cv2.error: it is empty, or has more pixels than OpenCV takes
        return None


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sorting key under which digits count as the number they write."""
    parts = re.findall(r'\d+|\D+', name.lower())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Silence C libraries that write to the process's standard error themselves."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open('wb') as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
