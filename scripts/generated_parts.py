# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a document that a script makes: between ``<!-- NAME -->`` and ``<!-- end NAME -->``."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / 'docs'
# Tables, and what measures, are the benchmarks'.
sys.path.append(str(ROOT / 'benchmark'))


def record(name: str) -> dict[str, Any]:
    """Return a record that a run left in docs/, such as ``'performance/stages'``.

    Raises:
        SystemExit: If there is none.
    """
    path = DOCS / f'{name}.json'
    if not path.is_file():
        sys.exit(f"'{path}' is missing: a run makes it; see scripts/update_readme --help")
    return json.loads(path.read_text(encoding='utf-8'))


def write_parts(document: Path, parts: Mapping[str, str], *, check: bool) -> int:
    """Write parts into a document, or only look whether they are there.

    Args:
        document: The document.
        parts: Content of each part by its name.
        check: Whether to change nothing.

    Returns:
        Exit code: 1 if the document was to be checked and is out of date.

    Raises:
        SystemExit: If the document has not exactly one part of a name.
    """
    before = text = document.read_text(encoding='utf-8')
    for name, content in parts.items():
        pattern = re.compile(rf'(<!-- {name} -->\n).*?(<!-- end {name} -->)', re.DOTALL)
        text, count = pattern.subn(lambda match, c=content: f'{match[1]}{c}\n{match[2]}', text)
        if count != 1:
            raise SystemExit(f"{document.name} has {count} parts '{name}', 1 is right")
    if not check:
        document.write_text(text, encoding='utf-8')
    elif text != before:
        script = Path(sys.argv[0]).name
        print(f'{document.name} is out of date; run scripts/{script}', file=sys.stderr)
        return 1
    return 0
