# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Peak resident memory of each candidate, each alone in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from candidates import BARE, BARE_ONNXRUNTIME, Workload, camera_frame
from measuring import Record, in_words

_SETTLE_FRAMES = 3
_FRAMES = 10


def measure(backbone: str, short_side: int, names: Sequence[str] | None = None) -> Record:
    """Run each candidate in a fresh process.

    Args:
        backbone: Name of the network.
        short_side: Of its input, in pixels.
        names: Of the candidates, the bare network first; None for all.

    Returns:
        The network, its size, and of each candidate ``peak_mb`` since the process began (imports,
        loading, conversion), ``running_peak_mb`` while frames are explained, and the latter's
        ratio to the bare network's; or the reason that there is none.
    """
    workload = Workload(backbone, short_side, camera_frame())
    candidates: Record = {}
    spawned = multiprocessing.get_context('spawn')  # what this process holds would count
    for name in names or workload.builders:
        try:
            # The export would count otherwise.
            exported = workload.onnx_file() if name == BARE_ONNXRUNTIME else None
            with ProcessPoolExecutor(1, spawned) as pool:
                job = pool.submit(peaks_of, backbone, short_side, name, exported)
                candidates[name] = job.result()
        except Exception as error:  # whatever a library raises costs its own row only
            candidates[name] = {'reason': in_words(error)}
    workload.close()
    bare = candidates.get(BARE, {}).get('running_peak_mb')
    for figures in candidates.values():
        if bare and 'running_peak_mb' in figures:
            figures['ratio_to_bare'] = round(figures['running_peak_mb'] / bare, 4)
    return {'backbone': backbone, 'short_side': short_side, 'candidates': candidates}


def peaks_of(backbone: str, short_side: int, name: str, exported: Path | None) -> dict[str, float]:
    """Return the peaks of this process, in MB, when it has run a candidate."""
    run = Workload(backbone, short_side, camera_frame(), exported).builders[name]()
    for _ in range(_SETTLE_FRAMES):
        run()
    before = peak_mb()
    try:  # let the peak begin anew
        Path('/proc/self/clear_refs').write_text('5', encoding='ascii')
    except OSError as error:
        print(f'the peak includes loading: {error.strerror}', file=sys.stderr)
    for _ in range(_FRAMES):
        run()
    return {'peak_mb': max(before, peak_mb()), 'running_peak_mb': peak_mb()}


def peak_mb() -> float:
    """Return the greatest resident set of this process since its start, or since it was reset."""
    # Not getrusage: its figure begins with that of the process that this one was forked from.
    status = Path('/proc/self/status').read_text(encoding='ascii')
    (line,) = (line for line in status.splitlines() if line.startswith('VmHWM:'))
    return round(int(line.split()[1]) * 1024 / 1e6, 1)
