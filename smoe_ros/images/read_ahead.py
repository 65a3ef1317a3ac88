# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a source of images ahead of time, in a thread, so that the consumer never waits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Generic, TypeVar

from smoe_ros.images.source import Image, ImageSource, SourceLostError

Prepared = TypeVar('Prepared')
# Images of a recorded source that are kept ready.
_CAPACITY = 8


class EndOfImages(Exception):  # noqa: N818  (an event like StopIteration, not an error)
    """All images were taken."""


class ReadAhead(Generic[Prepared]):
    """A thread that opens a source, reads it and keeps a few prepared images ready.

    Of a recorded source it keeps every image, in order, and waits while eight of them are ready.
    Of a live source it keeps only the newest.
    """

    def __init__(
        self,
        open_source: Callable[[], ImageSource],
        prepare: Callable[[Image], Prepared],
        *,
        loop: bool,
        arrived: Callable[[], None],
    ) -> None:
        """Start reading.

        Args:
            open_source: Called in the thread, as opening may block.
            prepare: Turns an image into what ``take`` returns; called in the thread, right after
                the image was read.
            loop: Begin again at the end of a recorded source.
            arrived: Called in the thread after each image of a live source, and at its end.
        """
        self._open_source = open_source
        self._prepare = prepare
        self._loop = loop
        self._arrived = arrived
        self._changed = threading.Condition()
        self._ready: deque[Prepared] = deque()
        self._source: ImageSource | None = None
        self._error: Exception | None = None
        self._ended = False
        self._stopping = False
        # A daemon: a blocking open cannot be interrupted and must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name='read_ahead', daemon=True)
        self._thread.start()

    def opened(self) -> ImageSource:
        """Wait until the source is open and return it; a signal interrupts the wait.

        Raises:
            ConfigurationError: It could not be opened.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._source is not None or self._ended)
        if self._source is None:
            raise self._error or EndOfImages
        return self._source

    def take(self) -> Prepared | None:
        """Return the next image, or None if it is not there yet.

        Raises:
            EndOfImages: There will be none any more.
            SourceLostError: The source broke off.
        """
        with self._changed:
            if self._ready:
                self._changed.notify_all()
                return self._ready.popleft()
            if not self._ended:
                return None
        raise self._error or EndOfImages

    def close(self, timeout: float = 2.0) -> None:
        """Stop the thread, and wait ``timeout`` seconds for it: a device may block it longer."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            with closing(self._open_source()) as source:
                with self._changed:
                    self._source = source
                    self._changed.notify_all()
                self._read(source)
        except Exception as error:  # whatever it is belongs to whoever takes the next image
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            abandoned = self._stopping
        if not abandoned:
            self._arrived()

    def _read(self, source: ImageSource) -> None:
        while True:
            count = 0
            for image in source.frames():
                count += 1
                if not self._keep(self._prepare(image), source.live):
                    return
            if not self._loop:
                return
            if count == 0:
                raise SourceLostError(f"'{source.name}' gives no images any more")

    def _keep(self, prepared: Prepared, live: bool) -> bool:
        """Make an image available; return False if reading is to stop."""
        with self._changed:
            if live:
                self._ready.clear()
            self._changed.wait_for(lambda: self._stopping or len(self._ready) < _CAPACITY)
            self._ready.append(prepared)
        if live:
            self._arrived()
        return not self._stopping
