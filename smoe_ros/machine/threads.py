# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the CPU threads of the network wait for each other, said before torch is imported."""

from __future__ import annotations

import os

# Of loops; GNU OpenMP takes 300,000 by itself.
_SPINS = '1000'


def spin_briefly() -> None:
    """Let threads of GNU OpenMP, on which torch computes, soon sleep while they wait.

    By itself each waits in a loop for milliseconds, and so keeps the thread that it waits for off
    the core where other processes work, too: on two busy cores a network was seen to take sixty
    times as long. On cores of its own the network is as fast either way. It is an environment
    variable that is read when torch is loaded: call this before. What the user has set stays.
    """
    if 'OMP_WAIT_POLICY' not in os.environ:
        os.environ.setdefault('GOMP_SPINCOUNT', _SPINS)
