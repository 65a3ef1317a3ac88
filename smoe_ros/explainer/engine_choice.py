# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which engine explains a network faster on this machine: found by trying."""

from __future__ import annotations

import time
from contextlib import suppress

from torch import Tensor

from smoe_ros.engines import TORCH
from smoe_ros.errors import FrameError
from smoe_ros.explainer.explainer import Explainer

# Explanations by each engine, of which the quickest counts: all else is the machine's noise.
_REPEATS = 7


def use_faster(explainer: Explainer, name: str, batch: Tensor) -> None:
    """Let an explainer use an engine if it is faster with it than with torch, else torch.

    Args:
        explainer: Uses torch, and has explained a batch of this shape before.
        name: The engine.
        batch: What to explain; blank frames do.

    Raises:
        EngineError: If the engine is not installed, or cannot run this network.
    """
    engine = explainer.make_engine(name)
    engine.prepare(batch)
    seconds: dict[str, list[float]] = {TORCH: [], name: []}
    for _ in range(_REPEATS):
        # In turn, so that what slows one down for a while slows the other down, too.
        for one, times in seconds.items():
            explainer.use_engine(one, None if one == TORCH else engine)
            started = time.perf_counter()
            with suppress(FrameError):  # blank frames need not have an explanation
                explainer(batch)
            times.append(time.perf_counter() - started)
    if min(seconds[TORCH]) < min(seconds[name]):
        explainer.use_engine(TORCH)
