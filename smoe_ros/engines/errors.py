# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Why an engine is not used."""

from __future__ import annotations

from smoe_ros.errors import ConfigurationError


class EngineError(ConfigurationError):
    """An engine that is not installed, or cannot run this network; eager torch can."""


def short_reason(error: BaseException) -> str:
    """Return an error of a compiler or exporter as one line of readable length."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    # Compilers wrap the cause in pages of advice; its first line says what was wrong.
    text = ' '.join(str(causes[-1]).strip().partition('\n')[0].split())
    name = type(causes[-1]).__name__
    return f'{name}: {text[:200]}' if text else name
