#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Peak resident memory of each candidate, each alone in a process of its own.

usage: benchmark/memory.py BACKBONE SHORT_SIDE CANDIDATE [ONNX_FILE]

As a program it measures one candidate and prints a line of JSON; `measure` runs it for each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from candidates import BARE, BARE_ONNXRUNTIME, Workload, camera_frame
from measuring import in_words

_SETTLE_FRAMES = 3
_FRAMES = 10
_TIMEOUT_SECONDS = 300


def measure(backbone: str, short_side: int, names: Sequence[str] | None = None) -> dict[str, Any]:
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
    candidates: dict[str, Any] = {}
    try:
        for name in names or workload.builders:
            arguments = [backbone, str(short_side), name]
            try:
                if name == BARE_ONNXRUNTIME:  # the export would count otherwise
                    arguments.append(workload.onnx_file())
                candidates[name] = _in_a_process(arguments)
            except Exception as error:  # whatever a library raises costs its own row only
                candidates[name] = {'reason': in_words(error)}
    finally:
        workload.close()
    bare = candidates.get(BARE, {}).get('running_peak_mb')
    for figures in candidates.values():
        if bare and 'running_peak_mb' in figures:
            figures['ratio_to_bare'] = round(figures['running_peak_mb'] / bare, 4)
    return {'backbone': backbone, 'short_side': short_side, 'candidates': candidates}


def _in_a_process(arguments: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f'exit code {done.returncode}']
        raise RuntimeError(lines[-1])
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _peak_mb() -> float:
    """Return the greatest resident set since the start or the latest `_forget_peak`, in MB."""
    # Not getrusage: its figure begins with that of the process that this one was forked from.
    status = Path('/proc/self/status').read_text(encoding='ascii')
    (line,) = (line for line in status.splitlines() if line.startswith('VmHWM:'))
    return round(int(line.split()[1]) * 1024 / 1e6, 1)


def _forget_peak() -> None:
    """Let the peak begin anew; it stays what it is where the kernel does not allow that."""
    try:
        Path('/proc/self/clear_refs').write_text('5', encoding='ascii')
    except OSError as error:
        print(f'the peak includes loading: {error.strerror}', file=sys.stderr)


def main() -> int:
    """Measure one candidate, and return the exit code."""
    backbone, short_side, name, *onnx_file = sys.argv[1:]
    workload = Workload(backbone, int(short_side), camera_frame(), *map(Path, onnx_file))
    run = workload.builders[name]()
    for _ in range(_SETTLE_FRAMES):
        run()
    peak = _peak_mb()
    _forget_peak()
    for _ in range(_FRAMES):
        run()
    print(json.dumps({'peak_mb': max(peak, _peak_mb()), 'running_peak_mb': _peak_mb()}))
    sys.stdout.flush()
    os._exit(0)  # threads of the engines may not hold up the run


if __name__ == '__main__':
    sys.exit(main())
