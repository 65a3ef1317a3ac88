# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What every source of camera images offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from smoe_ros.errors import ConfigurationError

Rgb = NDArray[np.uint8]
"""A picture in RGB, shape (H, W, 3); what networks see and what is drawn."""

Image = NDArray[np.uint8]
"""A picture in OpenCV's order, blue first, shape (H, W, 3) or (H, W)."""

Warn = Callable[[str], None]

DEFAULT_RATE = 30.0


class SourceLostError(ConfigurationError):
    """A source that was opened stopped giving images."""


class ImageSource(ABC):
    """A sequence of images.

    Attributes:
        name: For messages.
        rate: Images a second at which it was recorded or is delivered.
        live: Whether a device sets the pace, so that old images are worth nothing.
    """

    name: str
    rate: float = DEFAULT_RATE
    live: bool = False

    @abstractmethod
    def frames(self) -> Iterator[Image]:
        """Give all images once, from the first; a device goes on for ever.

        Raises:
            SourceLostError: The source broke off.
        """

    def close(self) -> None:  # noqa: B027  (most sources hold nothing between images)
        """Release the device or file."""
