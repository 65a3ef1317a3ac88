# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which class a user means."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from smoe_ros.errors import ConfigurationError

_SHOWN = 5


def find_class(text: str, labels: Sequence[str]) -> int:
    """Return the index of the class that a user names.

    Args:
        text: Index, name, or a part that only one name has; upper and lower case are the same.
        labels: Name of each class; may be empty, and then an index is taken unseen.

    Raises:
        ConfigurationError: If no class is meant, or more than one; the text has the nearest.
    """
    wanted = text.strip().casefold()
    if wanted.removeprefix('-').isdecimal():
        index = int(wanted)
        if index < 0 or (labels and index >= len(labels)):
            valid = f'0 to {len(labels) - 1}' if labels else 'at least 0'
            raise ConfigurationError(f'class {index} does not exist; an index is {valid}')
        return index
    if not labels:
        raise ConfigurationError(
            f"class '{text}' cannot be looked up: the network has no class names; give its index, "
            'or a file of labels'
        )
    names = [label.casefold() for label in labels]
    exact = [index for index, name in enumerate(names) if name == wanted]
    found = exact or [index for index, name in enumerate(names) if wanted and wanted in name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"class '{text}' is ambiguous: {_listed(found, labels)}; give one of these indices or "
            'more of the name'
        )
    # Words, too: a part of a name is what users get wrong. The first class of a word has it.
    indices = {
        word: index
        for index, name in reversed(list(enumerate(names)))
        for word in (name, *name.split())
    }
    matches = difflib.get_close_matches(wanted, indices, n=_SHOWN, cutoff=0.5)
    near = list(dict.fromkeys(indices[match] for match in matches))
    hint = (
        f'did you mean {_listed(near, labels)}?'
        if near
        else f'give an index from 0 to {len(labels) - 1} or a part of a name, for example '
        f'{_listed([0], labels)}'
    )
    raise ConfigurationError(f"class '{text}' is unknown; {hint}")


def _listed(indices: Sequence[int], labels: Sequence[str]) -> str:
    shown = ', '.join(f'{labels[index]} ({index})' for index in indices[:_SHOWN])
    more = len(indices) - _SHOWN
    return f'{shown} and {more} more' if more > 0 else shown
