# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the process runs on: devices, threads and memory.

`devices` is imported by its own name: it brings torch.
"""

from smoe_ros.machine.threads import give_back_free_memory, go_last, spin_briefly

__all__ = ['give_back_free_memory', 'go_last', 'spin_briefly']
