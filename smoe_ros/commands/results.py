# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of results that appear whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smoe_ros.errors import ConfigurationError

SALIENCY = 'saliency.png'
LOVI = 'lovi.png'
OVERLAY = 'overlay.png'
SCALES = 'scales.png'
REST = 'rest.png'
VIDEO = 'explanation.mp4'
CONTRIBUTIONS = 'contributions.csv'

_FILES = frozenset((SALIENCY, LOVI, OVERLAY, SCALES, REST, VIDEO, CONTRIBUTIONS))
_STAGING = '.smoe_explain_'


def prepare_output(folder: Path) -> None:
    """Make the output folder, before anything slow is done.

    Raises:
        ConfigurationError: If it cannot be made, or not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"cannot write to the output folder '{folder}': {error.strerror}; name another one "
            'with --output'
        ) from None


@contextmanager
def result_folder(output: Path, name: str) -> Iterator[Path]:
    """Give an empty folder that takes its place when all went well, and vanishes otherwise.

    Its place is below the output folder, which exists; what an earlier run left there is replaced.

    Raises:
        ConfigurationError: If something that no earlier run wrote lies in that place.
        OSError: If the folder cannot be written.
    """
    place = output / name
    _refuse_strangers(place)
    with tempfile.TemporaryDirectory(prefix=_STAGING, dir=output) as staging:
        fresh, old = Path(staging, 'fresh'), Path(staging, 'old')
        fresh.mkdir()
        yield fresh
        if place.exists():
            place.rename(old)
        fresh.rename(place)


def _refuse_strangers(place: Path) -> None:
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        flaw = 'is there and no folder of results'
    elif place.exists() and (others := sorted({e.name for e in place.iterdir()} - _FILES)):
        flaw = f'holds something else ({others[0]})'
    else:
        return
    raise ConfigurationError(
        f"'{place}', where its results belong, {flaw}; move it, or name another --output"
    )
