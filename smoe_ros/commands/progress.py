# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far a command is, on standard error."""

from __future__ import annotations

import sys

from tqdm import tqdm


def complain(line: str, command: str = 'smoe_explain') -> None:
    """Write a command's line to standard error, above the bar if there is one."""
    tqdm.write(f'{command}: {line}', file=sys.stderr)


class Progress(tqdm):  # type: ignore[type-arg]
    """A bar of frames with their rate, only where standard error is a terminal."""

    start = tqdm.set_description  # with the name of the input that is explained now
    advance = tqdm.update  # by the number of frames done since

    def __init__(self, frames: int, unit: str = 'frame') -> None:
        """Show the bar of as many frames, or of another unit, as are expected."""
        super().__init__(
            total=frames, unit=unit, disable=None, file=sys.stderr, dynamic_ncols=True
        )

    def expect(self, frames: int) -> None:
        """Add frames that turned out to be there."""
        self.total = (self.total or 0) + frames
        self.refresh()
