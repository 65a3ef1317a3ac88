# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far a command is, on standard error."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from tqdm import tqdm


def complain(line: str, command: str = 'smoe_explain') -> None:
    """Write a command's line to standard error, above the bar if there is one."""
    tqdm.write(f'{command}: {line}', file=sys.stderr)


class Progress(AbstractContextManager['Progress']):
    """A bar of frames with their rate, only where standard error is a terminal."""

    def __init__(self, frames: int, unit: str = 'frame') -> None:
        """Show the bar.

        Args:
            frames: Number of frames expected as far as is known.
            unit: What is counted, if not frames.
        """
        self._frames = frames
        self._bar = tqdm(
            total=frames, unit=unit, disable=None, file=sys.stderr, dynamic_ncols=True
        )

    def __exit__(self, *_error: object) -> None:
        """Close, however the block ends."""
        self.close()

    def close(self) -> None:
        """Leave the bar as it is, on a line of its own."""
        self._bar.close()

    def start(self, name: str) -> None:
        """Show the name of the input that is explained now."""
        self._bar.set_description(name)

    def expect(self, frames: int) -> None:
        """Add frames that turned out to be there."""
        self._frames += frames
        self._bar.total = self._frames
        self._bar.refresh()

    def advance(self, frames: int = 1) -> None:
        """Count frames."""
        self._bar.update(frames)
