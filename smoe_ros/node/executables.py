# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The executable `smoe_node` around its `main()`: the seconds in which torch comes and goes.

Nothing heavy is imported at the top: the signals are in hand before it is.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
from typing import NoReturn

from smoe_ros.machine.threads import spin_briefly


def smoe_node() -> NoReturn:
    """Run the node, and end the process with its exit code.

    A signal that comes while torch is imported ends the process with 0, as one that comes later;
    Python would print a traceback from wherever the import was.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # Without a trace: nothing is open yet that wants closing.
        signal.signal(number, lambda _number, _frame: os._exit(0))
    spin_briefly()
    from smoe_ros.node.smoe_node import main  # noqa: PLC0415

    gc.freeze()  # the collection below need not look through torch, which takes a second
    leave(main())


def leave(code: int, patience: float = 10.0) -> NoReturn:
    """Let go of what ROS holds, and end the process with an exit code.

    After some seconds of patience it ends all the same, then with 1: deleting the participant was
    seen to wait in Fast DDS for ever, with the interpreter locked.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with open(os.devnull, 'w') as nowhere:  # noqa: PTH123
        # The only watch that needs no interpreter.
        faulthandler.dump_traceback_later(patience, exit=True, file=nowhere)
        # rclpy's nodes are cycles: only now is the participant deleted, its shared memory freed.
        gc.collect()
        # What Python would still do, take torch apart, needs a second, and was seen not to end.
        os._exit(code)
