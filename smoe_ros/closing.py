# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is closed at the end of a with statement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

_Self = TypeVar('_Self', bound='Closing')


class Closing(ABC):
    """A context manager that is itself, and is closed when the block ends, however it ends."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds."""

    def __enter__(self: _Self) -> _Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
