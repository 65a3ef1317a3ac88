# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What smoe_explain is to explain: photos and videos, by path, and how a photo is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.images import IMAGE_SUFFIXES, Rgb, natural_key, quiet_stderr, read_image

VIDEO_SUFFIXES = ('.avi', '.mkv', '.mov', '.mp4', '.webm')


@dataclass(frozen=True)
class Input:
    """One photo or video, and the name of the folder of its results."""

    path: Path
    name: str

    @property
    def is_photo(self) -> bool:
        """Whether it is a photo; any other file is tried as a video."""
        return self.path.suffix.lower() in IMAGE_SUFFIXES


def find_inputs(paths: Sequence[Path], refuse: Callable[[str], None]) -> list[Input]:
    """List the photos and videos that a user named.

    A file named twice is listed once.

    Args:
        paths: Photos, videos and folders of them.
        refuse: Takes a line about each path that is none of these, and each file whose results
            would overwrite another's.

    Returns:
        The inputs in the order named, those of a folder in natural order.
    """
    files: dict[Path, Path] = {}
    for path in paths:
        try:
            for file in _files_of(path):
                files.setdefault(file.resolve(), file)
        except ConfigurationError as error:
            refuse(str(error))
    inputs: dict[str, Input] = {}
    for file, name in zip(files.values(), _result_names(list(files)), strict=True):
        if name in inputs:
            refuse(
                f"the results of '{file}' and of '{inputs[name].path}' would both lie in "
                f"'{name}': explain them into two output folders"
            )
        else:
            inputs[name] = Input(file, name)
    return list(inputs.values())


def read_photo(path: Path) -> Rgb:
    """Decode a photo to RGB, shape (H, W, 3), uint8, turned upright as its EXIF data say.

    Raises:
        FrameError: If it is damaged, or no image.
        OSError: If the file cannot be read.
    """
    # OpenCV would not say why a file cannot be read.
    with path.open('rb'), quiet_stderr():
        image = read_image(path)
    if image is None:
        raise FrameError('cannot decode it: it is empty, damaged, or not an image')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[no-any-return]


def _files_of(path: Path) -> list[Path]:
    """Return the file itself, or the photos and videos of a folder in natural order."""
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            what = 'is no file or folder' if path.exists() else 'does not exist'
            raise ConfigurationError(f"'{path}' {what}; name a photo, a folder or a video")
        suffixes = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
        files = [entry for entry in path.iterdir() if entry.suffix.lower() in suffixes]
        files = [file for file in files if file.is_file()]
    except OSError as error:
        raise ConfigurationError(f"cannot read '{path}': {error.strerror}") from None
    if not files:
        raise ConfigurationError(
            f"the folder '{path}' holds no photos or videos (looked for {' '.join(suffixes)})"
        )
    return sorted(files, key=lambda file: natural_key(file.name))


def _result_names(files: Sequence[Path]) -> list[str]:
    """Return for each resolved path the shortest name that no other has, if there is one."""
    candidates = [(file.stem, file.name, f'{file.parent.name}_{file.name}') for file in files]
    lengths = [0] * len(files)
    while True:
        names = [names[length] for names, length in zip(candidates, lengths, strict=True)]
        counts = Counter(names)
        shared = [i for i, name in enumerate(names) if counts[name] > 1 and lengths[i] < 2]
        if not shared:
            return names
        for index in shared:
            lengths[index] += 1
