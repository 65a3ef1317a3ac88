# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What all benchmarks do: time candidates in turn, describe the machine, write the record."""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from record_tables import host_sentence

from smoe_ros.errors import ConfigurationError

Run = Callable[[], object]
Record = dict[str, Any]
Case = TypeVar('Case', bound=Hashable)

_WARM_UPS = 3
_MIN_ROUNDS = 5
# ONNX Runtime's threads look out for work for a moment after a call: not in the next one's time.
_PAUSE_SECONDS = 0.003
_PACKAGES = ('torch', 'torchvision', 'onnxruntime', 'numba', 'numpy', 'opencv-python')


def interleaved(
    candidates: Mapping[Case, Run],
    repeats: int,
    seconds: float = math.inf,
    failures: dict[Case, str] | None = None,
) -> dict[Case, list[float]]:
    """Time candidates in turn, so that the machine's drift meets all of them.

    Args:
        candidates: What to time.
        repeats: Rounds at most, after some that do not count.
        seconds: No further round begins after that, but five are made.
        failures: Takes the reasons of candidates that fail, which are dropped; None lets the
            first failure through.

    Returns:
        Milliseconds of each candidate, of the same rounds for all.
    """
    times: dict[Case, list[float]] = {name: [] for name in candidates}
    end = time.monotonic() + seconds
    for number in range(-_WARM_UPS, repeats):
        if number >= _MIN_ROUNDS and time.monotonic() > end:
            break
        names = list(times)
        # Every candidate meets what another one leaves in the caches, not always the same one.
        for name in names if number % 2 else reversed(names):
            time.sleep(_PAUSE_SECONDS)
            started = time.perf_counter()
            try:
                candidates[name]()
            except Exception as error:  # whatever a library raises
                if failures is None:
                    raise
                failures[name] = in_words(error)
                del times[name]
                continue
            if number >= 0:
                times[name].append(1e3 * (time.perf_counter() - started))
    return times


def percentiles(values: ArrayLike, levels: Sequence[int]) -> dict[str, float | None]:
    """Return percentiles, such as ``'p50'``, of values of shape (N,); None without any."""
    array = np.asarray(values, np.float64)
    found = np.percentile(array, levels).tolist() if len(array) else [None] * len(levels)
    return {f'p{level}': value for level, value in zip(levels, found, strict=True)}


def in_words(error: Exception) -> str:
    """Return an error in one line of at most 200 characters."""
    text = ' '.join(f'{type(error).__name__}: {error}'.split())
    return text if len(text) <= 200 else f'{text[:199]}…'


def host() -> Record:
    """Return machine and versions, without names or paths; None for what is missing."""
    return {
        'date': datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        'system': platform.system(),
        'processor': _processor(),
        'cpus': os.cpu_count(),
        'memory_gb': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30),
        'gpu': torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        'python': platform.python_version(),
        'versions': {name: version_of(name) for name in _PACKAGES},
        'threads': torch.get_num_threads(),
    }


def write_record(record: Mapping[str, Any], path: Path) -> None:
    """Write a record as JSON.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')


def benchmark(
    options: argparse.Namespace,
    measure: Callable[[argparse.Namespace], Record],
    tables: Callable[[Record], Mapping[str, str]],
) -> int:
    """Measure, write the record, print its tables, and return the exit code.

    Args:
        options: By `benchmark_parser`.
        measure: Returns the record, but for ``host``.
        tables: Markdown of the record.
    """
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)  # before minutes are spent
        # Read back, as the tables will find it later.
        record = json.loads(json.dumps({'host': host(), **measure(options)}))
        write_record(record, options.output)
    except (ConfigurationError, OSError) as error:
        print(f'{options.output.stem}: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(host_sentence(record['host']))
    for title, table in tables(record).items():
        print(f'\n{title}:\n\n{table}')
    return 0


def _processor() -> str:
    for line in Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.machine()


def version_of(package: str) -> str | None:
    """Return the version of an installed package, None for what is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
