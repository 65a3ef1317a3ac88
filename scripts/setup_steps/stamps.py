# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Notes in .venv/ and install/ of what made them, written when they are complete."""

import json
from pathlib import Path
from typing import Any

NAME = 'smoe_setup.json'


def read_stamp(folder: Path) -> dict[str, Any] | None:
    """Return what ``write_stamp`` noted in a folder; None if there is no sound one."""
    try:
        stamp = json.loads((folder / NAME).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) else None


def write_stamp(folder: Path, stamp: dict[str, Any]) -> None:
    """Note in a folder what made it, all or nothing."""
    fresh = folder / f'{NAME}.new'
    fresh.write_text(json.dumps(stamp, indent=1), encoding='utf-8')
    fresh.replace(folder / NAME)


def remove_stamp(folder: Path) -> None:
    """Take the note away, before the folder is changed."""
    (folder / NAME).unlink(missing_ok=True)
