# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a document that a script makes: between ``<!-- NAME -->`` and ``<!-- end NAME -->``."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path


def with_parts(document: Path, parts: Mapping[str, str]) -> str:
    """Return a document's text with parts made anew.

    Args:
        document: The document.
        parts: Content of each part by its name.

    Raises:
        SystemExit: If the document has not exactly one part of a name.
    """
    text = document.read_text(encoding='utf-8')
    for name, content in parts.items():
        pattern = re.compile(rf'(<!-- {name} -->\n).*?(<!-- end {name} -->)', re.DOTALL)
        text, count = pattern.subn(lambda match, c=content: f'{match[1]}{c}\n{match[2]}', text)
        if count != 1:
            raise SystemExit(f"{document.name} has {count} parts '{name}', 1 is right")
    return text


def write_parts(document: Path, parts: Mapping[str, str], *, check: bool) -> int:
    """Write parts into a document, or only look whether they are there.

    Returns:
        Exit code: 1 if the document was to be checked and is out of date.
    """
    text = with_parts(document, parts)
    if not check:
        document.write_text(text, encoding='utf-8')
    elif text != document.read_text(encoding='utf-8'):
        script = Path(sys.argv[0]).name
        print(f'{document.name} is out of date; run scripts/{script}', file=sys.stderr)
        return 1
    return 0
