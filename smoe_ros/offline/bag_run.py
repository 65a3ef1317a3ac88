# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Goes through a bag: reading, explaining, writing."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict

from torch import Tensor

from smoe_ros.bags import BagWriter, Message
from smoe_ros.commands.line_log import LineLog
from smoe_ros.commands.progress import Progress
from smoe_ros.errors import FrameError
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.temporal_average import TemporalAverage
from smoe_ros.machine.threads import go_last
from smoe_ros.messages.encoding import Method
from smoe_ros.messages.outputs import ExplainedFrame, output_message
from smoe_ros.messages.stamp_order import nanoseconds
from smoe_ros.offline.recorded_cameras import BagCamera
from smoe_ros.offline.recorded_frames import Batch, Frame, Refusal, batches
from smoe_ros.offline.serializing import serialized
from smoe_ros.offline.task import Task
from smoe_ros.offline.unfinished import Place, UnfinishedBag
from smoe_ros.options.parameters import DrawingOptions
from smoe_ros.rendering.overview import HISTORY_SECONDS, History

# Refusals that are told one by one; a bag may have thousands.
_MOST_TOLD = 5
# Frames come in the order of their recording, which their stamps follow within a second or so.
_WARM_SECONDS = HISTORY_SECONDS + 5


class Run:
    """Reads, explains and writes, each in a thread: the network never waits for the disk.

    Attributes:
        place: How far it has come.
    """

    def __init__(
        self,
        task: Task,
        pipeline: Pipeline,
        writer: BagWriter,
        journal: LineLog,
        say: Callable[[str], None],
    ) -> None:
        """Do nothing yet; the task's topics are announced to the writer.

        The journal is told how far it has come, `say` in a sentence what cannot be explained.
        """
        self._task, self._pipeline, self._writer = task, pipeline, writer
        self._journal, self._say = journal, say
        self._method = Method.of(pipeline, task.options)
        self._drawing = DrawingOptions(overlay_alpha=task.options.alpha)
        self._averages: defaultdict[BagCamera, TemporalAverage] = defaultdict(TemporalAverage)
        self._histories: defaultdict[BagCamera, History] = defaultdict(History)
        self._told: Counter[BagCamera] = Counter()
        self.place = Place()

    def take_over(self, resumed: Place, unfinished: UnfinishedBag) -> None:
        """Copy what an interrupted run has written."""
        for message in itertools.islice(unfinished.before(), resumed.written):
            self._writer.write(*message)
        if resumed.written:
            self._say(f'going on after {resumed.explained} frames')
        unfinished.forget_before()
        self.place = resumed

    def explain(self) -> None:
        """Explain the frames that are left."""
        task, resumed = self._task, self.place
        ahead = batches(task, skip=self._warm_from(resumed), warm=resumed.read)

        def read() -> tuple[Batch, list[Tensor | FrameError]] | None:
            batch = next(ahead, None)
            if batch is None:
                return None
            return batch, [self._pipeline.prepare(frame.rgb) for frame in batch.frames]

        with (
            Progress(max(task.expected, self.place.explained)) as progress,
            ThreadPoolExecutor(1, 'reader', go_last) as reader,
            ThreadPoolExecutor(1, 'writer', go_last) as writer,
        ):
            progress.advance(self.place.explained)
            written: Future[None] | None = None
            upcoming = reader.submit(read)
            while (taken := upcoming.result()) is not None:
                upcoming = reader.submit(read)
                batch, inputs = taken
                results = self._pipeline.explain_prepared(inputs)
                if written is not None:
                    written.result()
                written = writer.submit(self._write, batch, results)
                if batch.end > resumed.read:
                    progress.advance(len(batch.frames))
            if written is not None:
                written.result()

    def _warm_from(self, resumed: Place) -> int:
        """Return the number of messages after which frames matter: for what shows the past."""
        needs_past = any(name.startswith('overview') for name in self._task.options.outputs)
        if resumed.read and self._task.options.smoothing_time:
            return 0  # an average holds something of every frame before
        if not resumed.read or not needs_past:
            return resumed.read
        times = [one.time for one in itertools.islice(self._task.messages(), resumed.read)]
        since = times[-1] - round(_WARM_SECONDS * 1e9)
        return next(number for number, time in enumerate(times) if time >= since)

    def _write(self, batch: Batch, results: Sequence[FrameExplanation | FrameError]) -> None:
        repeated = batch.end <= self.place.read
        explained, rejected, written = self.place.explained, self.place.rejected, 0
        remaining = iter(results)
        for item in batch.items:
            if isinstance(item, Frame):
                result = next(remaining)
                if isinstance(result, FrameExplanation):
                    written += self._write_frame(item, result, silent=repeated)
                    explained += 1
                    continue
                item = Refusal(item.camera, str(result))  # noqa: PLW2901
            if isinstance(item, Message):
                if not repeated:
                    self._writer.write(*item)
                    written += 1
            elif not repeated:
                rejected += 1
                self._tell(item)
        if not repeated:
            before = self.place.written
            self.place = Place(batch.end, before + written, explained, rejected)
            self._journal.add(asdict(self.place))

    def _write_frame(self, frame: Frame, explanation: FrameExplanation, *, silent: bool) -> int:
        """Write a frame's outputs and return their number."""
        history, average = self._histories[frame.camera], self._averages[frame.camera]
        stamp = nanoseconds(frame.header.stamp)
        method, smoothing_time = self._pipeline.settings.method, self._task.options.smoothing_time
        explanation = average.add(explanation, method, stamp or None, smoothing_time)
        history.add(stamp * 1e-9, explanation.contributions.tolist())
        if silent:
            return 0
        explained = ExplainedFrame(frame.rgb, explanation, self._method, self._drawing, history)
        for name in self._task.options.outputs:
            message = output_message(name, explained, frame.header)
            topic = f'{frame.camera.outputs}/{name}'
            self._writer.write(topic, frame.time, serialized(message))
        return len(self._task.options.outputs)

    def _tell(self, refusal: Refusal) -> None:
        self._told[refusal.camera] += 1
        if self._told[refusal.camera] <= _MOST_TOLD:
            self._say(f'a frame of {refusal.camera.topic} is not explained: {refusal.reason}')
