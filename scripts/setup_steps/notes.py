# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Notes in .venv/ and install/ of what made them."""

import json
from pathlib import Path
from typing import Any

NAME = 'smoe_setup.json'


def read_note(folder: Path) -> dict[str, Any] | None:
    """Return what ``write_note`` noted in a folder; None if there is nothing sound."""
    try:
        note = json.loads((folder / NAME).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def write_note(folder: Path, note: dict[str, Any]) -> None:
    """Note in a folder what made it, all or nothing."""
    fresh = folder / f'{NAME}.new'
    fresh.write_text(json.dumps(note, indent=1), encoding='utf-8')
    fresh.replace(folder / NAME)
