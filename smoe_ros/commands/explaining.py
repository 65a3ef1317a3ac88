# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Explain the inputs of a run, one after the other; a bad one does not stop the others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import cv2

from smoe_ros.commands.class_names import find_class
from smoe_ros.commands.explain_options import ExplainOptions
from smoe_ros.commands.inputs import Input, read_photo
from smoe_ros.commands.progress import Progress, complain
from smoe_ros.commands.results import result_folder
from smoe_ros.commands.writers import Style, video_files, write_photo
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.explainer.pipeline import Pipeline, backbone_of
from smoe_ros.explainer.settings import Settings
from smoe_ros.explainer.temporal_average import TemporalAverage
from smoe_ros.images import Rgb, VideoFile
from smoe_ros.options.parameters import FrameOptions

_Item = TypeVar('_Item')


def explain_inputs(inputs: Sequence[Input], options: ExplainOptions) -> int:
    """Explain all inputs and return how many were explained whole.

    Raises:
        ConfigurationError: If the network or the method cannot be set up.
    """
    with Progress(len(inputs)) as progress:
        run = _Run(pipeline_of(options), options, progress)
        return sum(
            run.photos(group) if are_photos else run.videos(group)
            for are_photos, group in itertools.groupby(inputs, key=lambda item: item.is_photo)
        )


def pipeline_of(options: FrameOptions) -> Pipeline:
    """Return the pipeline that a command's options ask for.

    Raises:
        ConfigurationError: If the network or the method cannot be set up, or the class is unknown.
    """
    settings = Settings.of(options)
    backbone = backbone_of(settings)
    if options.class_name:
        index = find_class(options.class_name, backbone.labels)
        settings = replace(settings, target_class=index)
    return Pipeline(settings, backbone)


class _Run:
    """The network, and how it is used for all inputs."""

    def __init__(self, pipeline: Pipeline, options: ExplainOptions, progress: Progress) -> None:
        self._pipeline, self._options, self._progress = pipeline, options, progress
        self._style = Style(options.alpha, pipeline.explainer.weights, pipeline.backbone.labels)

    def photos(self, inputs: Iterable[Input]) -> int:
        """Explain photos, several of them at a time; return how many were explained."""
        return sum(
            self._write_photo(item, photo, explanation)
            for batch in _batches(self._readable(inputs), self._options.batch)
            for (item, photo), explanation in zip(
                batch, self._pipeline.explain([photo for _, photo in batch]), strict=True
            )
        )

    def videos(self, inputs: Iterable[Input]) -> int:
        """Explain videos; return how many were explained whole."""
        return sum(self._explain_video(item) for item in inputs)

    def _readable(self, inputs: Iterable[Input]) -> Iterator[tuple[Input, Rgb]]:
        for item in inputs:
            self._progress.start(item.name)
            try:
                photo = read_photo(item.path)
            except (FrameError, OSError) as error:
                _refuse(item, error)
                self._progress.advance()
            else:
                yield item, photo

    def _write_photo(
        self, item: Input, photo: Rgb, explanation: FrameExplanation | FrameError
    ) -> bool:
        self._progress.advance()
        try:
            if isinstance(explanation, FrameError):
                raise explanation
            with result_folder(self._options.output, item.name) as folder:
                write_photo(folder, photo, explanation, self._style)
        except (ConfigurationError, FrameError, OSError) as error:
            _refuse(item, error)
            return False
        return True

    def _explain_video(self, item: Input) -> bool:
        self._progress.start(item.name)
        flaws: list[str] = []
        try:
            source = VideoFile(item.path, flaws.append)
            self._progress.expect(source.length - 1)
            with (
                result_folder(self._options.output, item.name) as folder,
                video_files(folder, source.rate, self._style) as add,
            ):
                self._explain_frames(source, add)
        except (ConfigurationError, FrameError, OSError) as error:
            _refuse(item, error)
            return False
        for flaw in flaws:
            complain(f'{flaw}; what could be read of it is explained')
        return not flaws

    def _explain_frames(
        self, source: VideoFile, add: Callable[[Rgb, FrameExplanation], None]
    ) -> None:
        number = itertools.count()
        average, method = TemporalAverage(), self._pipeline.settings.method
        for images in _batches(source.frames(), self._options.batch):
            frames = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in images]
            for rgb, explanation in zip(frames, self._pipeline.explain(frames), strict=True):
                index = next(number)
                if isinstance(explanation, FrameError):
                    raise FrameError(f'frame {index}: {explanation}')
                stamp = round(index / source.rate * 1e9)
                add(rgb, average.add(explanation, method, stamp, self._options.smoothing_time))
                self._progress.advance()


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of a size; the last may be shorter."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _refuse(item: Input, error: ConfigurationError | FrameError | OSError) -> None:
    """Say why an input is not explained; texts that name it already are left alone."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    named = str(item.path) in reason
    complain(reason if named else f"'{item.path}' is not explained: {reason}")
