# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors whose text is meant for the user: what was wrong, the value, what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ConfigurationError(ValueError):
    """A setting that cannot work; refused before any frame is touched."""


class FrameError(ValueError):
    """One frame that cannot be explained; it costs that frame only."""


def in_words(error: BaseException) -> str:
    """Return anybody's error as one line: its class and its text."""
    return ' '.join(f'{type(error).__name__}: {error}'.split())


def unknown_name(what: str, name: str, known: Iterable[str]) -> ConfigurationError:
    """Return the error for a name that is not among the known ones.

    Args:
        what: What the name should name, for example ``'backbone'``.
        name: The name given.
        known: All names that would be right.

    Returns:
        The error, naming the nearest matches, or all choices where they are few.
    """
    choices = sorted(known)
    near = difflib.get_close_matches(name.lower(), choices, n=4, cutoff=0.5)
    if near:
        hint = f'did you mean {" or ".join(near)}?'
    elif len(choices) <= 12:
        hint = f'choose one of: {", ".join(choices)}'
    else:
        hint = f'{len(choices)} names are known, for example {", ".join(choices[:3])}'
    return ConfigurationError(f"unknown {what} '{name}'; {hint}")
