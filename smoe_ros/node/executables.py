# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The executable `smoe_node` around its `main()`: the seconds in which torch comes and goes.

Nothing heavy is imported at the top: the signals are in hand before it is.
"""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType


def smoe_node() -> int:
    """Run the node and return the process's exit code.

    A signal that comes while torch is imported ends the process with 0, as one that comes later;
    Python would print a traceback from wherever the import was.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    from smoe_ros.node.smoe_node import main  # noqa: PLC0415

    code = main()
    # Python looks for cycles once more at its end, and in torch for more than a second.
    gc.freeze()
    return code


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """End without a trace: nothing is open yet that wants closing."""
    os._exit(0)
