# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is to be done with a bag: which cameras, which span, which copies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from smoe_ros.bags import BagWriter, Message, Recording
from smoe_ros.errors import ConfigurationError, unknown_name
from smoe_ros.messages.outputs import OUTPUT_TYPES
from smoe_ros.offline.bag_options import ALL, BagExplainOptions
from smoe_ros.offline.recorded_cameras import choose_cameras
from smoe_ros.offline.serializing import type_name


class Task:
    """What is to be done with a bag.

    Attributes:
        cameras: The cameras, by the topics of their images.
        copied: Topics to copy.
        left_out: Whether a topic to copy cannot be.
        expected: Number of frames, as far as is known.
    """

    def __init__(self, recording: Recording, options: BagExplainOptions) -> None:
        """Look what the bag has of what is wanted.

        Raises:
            ConfigurationError: If the bag is empty, or does not have it.
        """
        for name in options.outputs:
            if name not in OUTPUT_TYPES:
                raise unknown_name('output', name, tuple(OUTPUT_TYPES))
        if recording.start is None or recording.end is None:
            raise ConfigurationError('it holds no messages')
        self.options = options
        self.cameras = {
            camera.topic: camera for camera in choose_cameras(recording.topics, options.topics)
        }
        self._start = recording.start + round(options.start * 1e9)
        last = recording.end + 1
        if self._start >= last:
            seconds = (recording.end - recording.start) * 1e-9
            raise ConfigurationError(
                f'--start {options.start:g} lies behind its end, at {seconds:.1f} s'
            )
        self._end = last if math.isinf(options.end) else recording.start + round(options.end * 1e9)
        self._topics = recording.topics
        self._recording = recording
        self._size = sum(file.stat().st_size for file in _files(options.input))
        self.left_out = False
        self.copied = frozenset(self._to_copy())
        whole = max(last - recording.start, 1)
        part = max(min(self._end, last) - self._start, 0) / whole
        self.expected = sum(
            math.ceil((camera.count or 0) * part / options.every)
            for camera in self.cameras.values()
        )

    def identity(self) -> dict[str, Any]:
        """Return what makes two runs the same."""
        options = asdict(self.options)
        del options['output'], options['resume']
        options['input'] = str(self.options.input.resolve())
        options['input_bytes'] = self._size
        # As they are read back.
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in options.items()
        }

    def announce(self, writer: BagWriter, say: Callable[[str], None]) -> None:
        """Announce all topics of the new bag."""
        for camera in self.cameras.values():
            for name in self.options.outputs:
                writer.add_topic(f'{camera.outputs}/{name}', type_name(OUTPUT_TYPES[name]))
        for name in sorted(self.copied):
            try:
                writer.copy_topic(self._topics[name])
            except ConfigurationError as error:
                say(str(error))
                self.left_out = True
                self.copied -= {name}

    def messages(self) -> Iterator[Message]:
        """Yield the messages that matter, from the first on; every time the same."""
        topics = {*self.cameras, *self.copied}
        return self._recording.messages(topics, self._start, self._end)

    def _to_copy(self) -> list[str]:
        """Return the topics to copy; explanations are not, which are made anew."""
        asked = self.options.copy
        places = tuple(f'{camera.outputs}/' for camera in self.cameras.values())
        if asked == (ALL,):
            return [name for name in self._topics if not name.startswith(places)]
        for name in asked:
            if name not in self._topics:
                raise unknown_name('topic to copy', name, tuple(self._topics))
            if name.startswith(places):
                raise ConfigurationError(
                    f"topic '{name}' cannot be copied: explanations are written there"
                )
        return list(asked)


def _files(bag: Path) -> list[Path]:
    return [file for file in bag.rglob('*') if file.is_file()] if bag.is_dir() else [bag]
