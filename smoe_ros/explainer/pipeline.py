# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From camera frames to their explanations: one network for all cameras."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from smoe_ros import kernels
from smoe_ros.backbones import Backbone
from smoe_ros.engines import Engine, EngineError, fold_batch_norms
from smoe_ros.errors import ConfigurationError, FrameError, in_words, unknown_name
from smoe_ros.explainer.explainer import Explainer
from smoe_ros.explainer.frame_explanation import FrameExplanation, frame_explanations
from smoe_ros.explainer.settings import Settings
from smoe_ros.machine.devices import (
    CPU,
    DEFAULT_THREADS,
    ON_THE_CPU,
    DeviceMissingError,
    Place,
    place_of,
)
from smoe_ros.options.choices import AUTO, ENGINES, ONNXRUNTIME, TORCH
from smoe_ros.saliency.methods import MethodOptions

# Explanations by each engine that is tried; the quickest counts, all else is the machine's noise.
_REPEATS = 7
# Frames in a row that may fail for want of memory before the device is given up.
MAX_SHORTAGES = 3


def backbone_of(settings: Settings) -> Backbone:
    """Load the network that settings name, its batch normalisation folded.

    Raises:
        ConfigurationError: As for `load_backbone`, or if the network does not run on its input.
    """
    backbone = settings.load_backbone()
    fold_batch_norms(backbone.model, settings.noise())
    # Folding makes new weights, which lie as they come.
    backbone.model.to(memory_format=torch.channels_last)
    return backbone


class Pipeline:
    """Explains frames of any size; those of one input size go through the network together.

    Attributes:
        settings: How frames are explained, as asked for.
        backbone: The network.
        explainer: Explains it.
        device: Where the network runs.
        precision: Of its numbers.
    """

    def __init__(
        self,
        settings: Settings,
        backbone: Backbone | None = None,
        warn: Callable[[str], object] | None = None,
        *,
        place: Place | None = None,
    ) -> None:
        """Load the network and find its scales.

        Args:
            settings: How frames are explained.
            backbone: The network, if it is loaded already.
            warn: Told in a sentence when the device is missing or out of memory, where the
                network then runs on the CPU in fp32, or when the engine cannot be used, where
                torch runs it; None refuses instead.
            place: Where the network runs, if that is decided already.

        Raises:
            ConfigurationError: If a setting cannot work; the text says which, and what would.
        """
        self.settings = settings
        self._warn = warn
        self._closed = False
        self._shortages = 0
        # A place that was decided on is not left for another while the network is built there.
        self._may_leave = warn is not None and place is None
        if settings.engine not in ENGINES:
            raise unknown_name('engine', settings.engine, ENGINES)
        place = place or place_of(settings.device, settings.precision, warn)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.backbone = backbone or backbone_of(settings)
        try:
            self._build(place, settings.method)
        except torch.cuda.OutOfMemoryError as error:
            self._leave_device(error, settings.method)
        self._may_leave = warn is not None

    @property
    def engine(self) -> str:
        """What runs the network with the present method."""
        return self.explainer.engine

    def reconfigured(self, settings: Settings) -> Pipeline:
        """Return another pipeline, which shares the network if the settings allow it.

        A network that has left its device stays on the CPU as long as the device asked for is
        the same.

        Raises:
            ConfigurationError: If a setting cannot work, or another device is not there.
        """
        stays = self._left_device and settings.device == self.settings.device
        place = ON_THE_CPU if stays else place_of(settings.device, settings.precision)
        backbone = None
        # A network that has left its device is not moved back under those who still use it.
        if settings.loaded_like(self.settings) and (stays or not self._left_device):
            preprocessing = self.backbone.preprocessing.with_short_side(settings.short_side)
            backbone = replace(self.backbone, preprocessing=preprocessing)
        return Pipeline(settings, backbone, self._warn, place=place)

    def use(self, method: MethodOptions) -> None:
        """Explain by another method from the next frame on; one that `explainer.check` allows."""
        if method == self.explainer.method:
            return
        before = self.engine
        self.explainer.method = method
        if self.engine != before and self.engine == TORCH and self._warn is not None:
            self._warn(
                f'engine {before} gives activations only; torch runs the network while cam is '
                f"'{method.cam}' and statistic '{method.statistic}'"
            )

    def set_threads(self, count: int) -> None:
        """Let the calling thread's networks run on some CPU threads; 0 on as many as torch likes.

        The number is a thread's own matter: to be called by the one that explains.
        """
        torch.set_num_threads(count or DEFAULT_THREADS)
        self.explainer.set_threads(count or DEFAULT_THREADS)

    def warm_up(self, sizes: Sequence[tuple[int, int]]) -> None:
        """Run the network on blank frames of some sizes, so that the first real one is not slow.

        Args:
            sizes: Height and width of the frames that come together, in pixels.

        Raises:
            ConfigurationError: If the network does not run on them, or a size cannot be explained.
        """
        try:
            inputs = Counter(self.backbone.preprocessing.input_size(*size) for size in sizes)
        except FrameError as error:
            raise ConfigurationError(f'cannot warm up: {error}') from None
        # A camera's frames come alone or with the others'.
        batches = [
            torch.zeros(number, 3, height, width)
            for (height, width), count in inputs.items()
            for number in sorted({1, count})
        ]
        kernels.load()
        for batch in batches:
            self._try_out(batch)
        if self.settings.engine == AUTO and batches:
            with self._or_torch(ONNXRUNTIME):
                self._choose_engine(batches[0])
        for batch in batches:
            with self._or_torch(self.engine):
                self.explainer.prepare(batch)
            self._try_out(batch)

    def explain(self, frames: Sequence[NDArray[np.uint8]]) -> list[FrameExplanation | FrameError]:
        """Explain frames, each as if it were alone.

        Args:
            frames: RGB images, shape (H, W, 3), uint8; sizes may differ.

        Returns:
            For each frame its explanation, or why it has none.

        Raises:
            RuntimeError: If the pipeline is closed.
        """
        return self.explain_prepared([self.prepare(rgb) for rgb in frames])

    def prepare(self, rgb: NDArray[np.uint8]) -> Tensor | FrameError:
        """Make a frame the network's input; any thread may, while another explains.

        Args:
            rgb: RGB image, shape (H, W, 3), uint8.

        Returns:
            The input, shape (3, h, w), or why there is none.
        """
        try:
            return self.backbone.preprocess(rgb)
        except FrameError as error:
            return error

    def explain_prepared(
        self, inputs: Sequence[Tensor | FrameError]
    ) -> list[FrameExplanation | FrameError]:
        """Explain what `prepare` made of frames; as `explain`, which does both."""
        if self._closed:
            raise RuntimeError('this pipeline is closed')
        results: dict[int, FrameExplanation | FrameError] = {}
        groups: defaultdict[tuple[int, ...], dict[int, Tensor]] = defaultdict(dict)
        for index, item in enumerate(inputs):
            if isinstance(item, FrameError):
                results[index] = item
            else:
                groups[tuple(item.shape)][index] = item
        for group in groups.values():
            results.update(zip(group, self._explain_group([*group.values()]), strict=True))
        return [results[index] for index in range(len(inputs))]

    def close(self) -> None:
        """Let go of the network."""
        self._closed = True
        self.explainer.close()

    def _build(self, place: Place, method: MethodOptions) -> None:
        self.device, self.precision, self._left_device = place
        self.explainer = Explainer(
            self.backbone.model.to(self.device, self.precision),
            self.settings.scales,
            **vars(method),
            input_size=(self.settings.short_side, self.settings.short_side),
        )
        if self.settings.engine != AUTO:
            with self._or_torch(self.settings.engine):
                self.explainer.use_engine(self.settings.engine)

    def _choose_engine(self, batch: Tensor) -> None:
        """Use ONNX Runtime if it is faster than torch on this machine: found by trying."""
        seconds: dict[Engine, list[float]] = {
            self.explainer.make_engine(name): [] for name in (ONNXRUNTIME, TORCH)
        }
        for engine in seconds:
            engine.prepare(batch)
        for _ in range(_REPEATS):
            # In turn, so that what slows one down for a while slows the other down, too.
            for engine, times in seconds.items():
                self.explainer.use_engine(engine)
                started = time.perf_counter()
                with suppress(FrameError):  # blank frames need not have an explanation
                    self.explainer(batch)
                times.append(time.perf_counter() - started)
        self.explainer.use_engine(min(seconds, key=lambda engine: min(seconds[engine])))

    @contextmanager
    def _or_torch(self, engine: str) -> Iterator[None]:
        """Let torch run the network where an engine cannot, or refuse where nobody would know."""
        try:
            yield
        except EngineError as error:
            if self._warn is None and self.settings.engine != AUTO:
                raise EngineError(f'engine {engine} cannot be used: {error}') from error
            self._go_on_with_torch(engine, error)

    def _go_on_with_torch(self, engine: str, error: Exception) -> None:
        """Let torch run the network, and say why."""
        if self._warn is not None:
            self._warn(f'engine {engine} is not used for {self.backbone.name}: {error}')
        self.explainer.use_engine(TORCH)

    def _try_out(self, batch: Tensor) -> None:
        try:
            self.explainer(batch)
        except FrameError:
            pass  # blank frames need not have an explanation
        except torch.cuda.OutOfMemoryError as error:
            self._leave_device(error, self.explainer.method)
            self._try_out(batch)
        except Exception as error:  # a network of the user's may raise anything
            size = '×'.join(str(side) for side in batch.shape)
            raise ConfigurationError(
                f'{self.backbone.name} does not run on a batch of {size}: {in_words(error)}'
            ) from error

    def _leave_device(self, error: Exception, method: MethodOptions) -> None:
        """Go on on the CPU, where that is allowed and not what has just failed."""
        text = f"device '{self.device}' has not enough memory: {in_words(error)}"
        if not self._may_leave or self._warn is None or self.device == CPU:
            raise DeviceMissingError(text) from error
        self._warn(f'{text}; going on on the CPU in fp32')
        self._shortages = 0
        self._build(ON_THE_CPU, method)

    def _explain_group(self, items: list[Tensor]) -> list[FrameExplanation | FrameError]:
        try:
            batch = items[0][None] if len(items) == 1 else torch.stack(items)
            explanation = self.explainer(batch)
            explained = frame_explanations(explanation, self.explainer.scales)
        except Exception as error:  # the network's, whatever it is, costs no more than its frame
            if self.engine != TORCH and not isinstance(error, FrameError):
                self._go_on_with_torch(self.engine, EngineError(in_words(error)))
                return self._explain_group(items)
            if len(items) > 1:
                # One bad frame must not cost the other cameras theirs.
                return [result for item in items for result in self._explain_group([item])]
            if isinstance(error, torch.cuda.OutOfMemoryError):
                return self._explain_after_shortage(items, error)
            if isinstance(error, FrameError):
                return [error]
            return [FrameError(f'the network failed: {in_words(error)}')]
        self._shortages = 0
        return list(explained)

    def _explain_after_shortage(
        self, items: list[Tensor], error: torch.cuda.OutOfMemoryError
    ) -> list[FrameExplanation | FrameError]:
        """Free what can be freed; a device that stays short of memory is left for good."""
        self._shortages += 1
        torch.cuda.empty_cache()
        if self._shortages < MAX_SHORTAGES or self._warn is None or self.device == CPU:
            return [FrameError(f"device '{self.device}' is out of memory: {in_words(error)}")]
        self._leave_device(error, self.explainer.method)
        return self._explain_group(items)
