# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_bag explain: every image of a bag explained into another bag."""

from __future__ import annotations

from collections.abc import Callable

from smoe_ros.bags import BagWriter, Recording
from smoe_ros.commands.explaining import pipeline_of
from smoe_ros.commands.line_log import LineLog
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.bag_options import BagExplainOptions
from smoe_ros.offline.bag_run import Run
from smoe_ros.offline.serializing import message_types
from smoe_ros.offline.task import Task
from smoe_ros.offline.unfinished import Place, UnfinishedBag

DAMAGED = 3


def explain_bag(options: BagExplainOptions, say: Callable[[str], None]) -> int:
    """Explain a bag and return the exit code: 0, or 3 if something of it could not be read.

    Args:
        options: What to explain, and how.
        say: Told in a sentence what went wrong.

    Raises:
        ConfigurationError: If nothing can be done.
        OSError: If the output cannot be written.
    """
    with Recording(options.input) as recording:
        try:
            task = Task(recording, options)
        except ConfigurationError as error:
            found = ''.join(f'{flaw}; ' for flaw in recording.flaws)
            raise ConfigurationError(f"'{options.input}': {found}{error}") from None
        unfinished = UnfinishedBag(options.output, resume=options.resume)
        pipeline = pipeline_of(options)  # what is refused must leave nothing behind
        unfinished.begin()
        with LineLog(unfinished.journal, task.identity()) as journal:
            resumed = Place.latest(journal.entries, unfinished.count_before())
            with BagWriter(unfinished.path, message_types()) as writer:
                task.announce(writer, say)
                run = Run(task, pipeline, writer, journal, say)
                run.take_over(resumed, unfinished)
                run.explain()
        unfinished.complete()
        for flaw in recording.flaws:
            say(flaw)
        told = f'explained {run.place.explained} frames'
        if run.place.rejected:
            told += f', {run.place.rejected} could not be'
        say(f"{told}; written to '{options.output}'")
        damaged = recording.flaws or run.place.rejected or task.left_out
    return DAMAGED if damaged else 0
