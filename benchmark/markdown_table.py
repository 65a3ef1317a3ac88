# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the benchmarks write a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, without a line end after its last row."""
    lines = (header, ['---'] * len(header), *rows)
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
