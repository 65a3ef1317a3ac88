# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How a command ends: with an exit code, and a line instead of a traceback."""

from __future__ import annotations

from collections.abc import Callable

from smoe_ros.errors import ConfigurationError

REFUSED = 1
INTERRUPTED = 130

# What a robot's node does without (the extras of setup.py), and what brings it.
_EXTRAS = {
    **dict.fromkeys(('rosbags', 'mcap', 'jinja2'), 'rosbags mcap jinja2'),
    **dict.fromkeys(('scipy', 'skimage', 'matplotlib'), 'scipy scikit-image matplotlib'),
}


def exit_code_of(
    command: Callable[[], int], say: Callable[[str], object], stopped: str = 'stopped'
) -> int:
    """Run a command and return its exit code.

    Args:
        command: Does the work, and returns the exit code.
        say: Told in a line why it could not: then the code is 1, or 130 if it was interrupted.
        stopped: What is said of an interruption.
    """
    try:
        return command()
    except ConfigurationError as error:
        say(str(error))
    except OSError as error:
        say(f'{error.filename or "the output"}: {error.strerror or error}')
    except ModuleNotFoundError as error:
        package = str(error.name).partition('.')[0]
        if package not in _EXTRAS:
            raise
        say(f'{package} is not installed, which this needs: pip install {_EXTRAS[package]}')
    except KeyboardInterrupt:
        say(stopped)
        return INTERRUPTED
    return REFUSED
