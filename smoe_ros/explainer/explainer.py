# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Explain what a network looks at: saliency of every scale from one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from smoe_ros.engines import EagerEngine, Engine, check_class, make_engine
from smoe_ros.errors import ConfigurationError, in_words
from smoe_ros.explainer.explanation import Explanation, explanation_of
from smoe_ros.options.choices import CAMS, NO_CAM, PRE_ACTIVATION_STATISTICS, TORCH
from smoe_ros.saliency import resolve_scale_weights
from smoe_ros.saliency.methods import MethodOptions
from smoe_ros.scales import Scale, find_scales, select_scales


class Explainer(AbstractContextManager['Explainer']):
    """Explains a network with SMOE Scale (arXiv 1911.11293); a context manager.

    Hooks are in the network during a call only: nobody else's are touched, and none is left after
    a call, an exception or `close()`. The network is run in evaluation mode and left as found.

    Example:
        >>> with Explainer(model) as explainer:
        ...     explanation = explainer(batch)
    """

    def __init__(
        self,
        model: nn.Module,
        scales: Literal['auto'] | Sequence[str] = 'auto',
        scale_weights: str | Sequence[float] = 'equal',
        statistic: str = 'smoe_scale',
        normalization: str = 'gaussian_cdf',
        cam: str = NO_CAM,
        *,
        target_class: int | None = None,
        vectors: bool = False,
        input_size: tuple[int, int] = (224, 224),
        engine: str = TORCH,
    ) -> None:
        """Find the scales by running the network once on noise.

        Args:
            model: The network; its parameters' device and type are those of the input.
            scales: ``'auto'`` for one activation a scale of the network, or module paths
                (``'layer3'``; ``'name#0'`` picks a call).
            scale_weights: ``'equal'``, ``'prior'``, ``'linear'`` or one number a scale.
            statistic: Name of the statistic over channels.
            normalization: Name of the normalisation of each map.
            cam: Name of the class activation that the saliency is multiplied with: FastCAM,
                which needs a gradient through the head only; or ``'none'``.
            target_class: Class of the class activation; None takes each frame's most probable
                one.
            vectors: Whether to give the activations at the most salient point (they are copied).
            input_size: Height and width in pixels of the noise.
            engine: What runs the network: ``'torch'``, the network as it is at each call;
                ``'compiled'`` or ``'onnxruntime'``, the network as it is now. Whatever such an
                engine cannot do (a class activation, a value before an activation, a shape that
                was not prepared), torch does.

        Raises:
            EngineError: If the engine is not installed, or cannot run this network.
            ConfigurationError: If a name is unknown, no scale is found, the weights do not fit
                the scales, the network does not run on an input of this size, has no class
                scores for a class activation or not this class, or no value before an activation
                for the statistic.
        """
        method = MethodOptions(scale_weights, statistic, normalization, cam, target_class)
        method.check_names()
        if isinstance(scales, str) and scales != 'auto':
            raise ConfigurationError(
                f"scales is '{scales}'; give 'auto' or a sequence of module paths"
            )
        self._keep_vectors = vectors
        parameter = next(model.parameters(), torch.zeros(0))
        self._device, self._dtype = parameter.device, parameter.dtype
        noise = torch.randn(1, 3, *input_size, generator=torch.Generator().manual_seed(0))
        self._noise = noise.to(self._device, self._dtype)
        if isinstance(scales, str):
            self._scales = find_scales(model, self._noise)
        else:
            self._scales = select_scales(model, self._noise, scales)
        self._eager: EagerEngine | None = EagerEngine(model, self._scales)
        # By preference: eager torch serves every method and takes every batch.
        self._engines: tuple[Engine, ...] = (self._eager,)
        # What the network was found to allow: the reason against it, None if there is none.
        self._refusals: dict[str, str | None] = {}
        self._class_count: int | None = None
        self.check(method)
        self.method = method
        self.use_engine(engine)

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The activations that are read, finest first, with their sizes in the latest call."""
        return self._scales

    @property
    def weights(self) -> tuple[float, ...]:
        """Each scale's share of the weight, w / Σ w, finest first."""
        weights = resolve_scale_weights(self.method.scale_weights, len(self._scales))
        return tuple(weight / sum(weights) for weight in weights)

    @property
    def engine(self) -> str:
        """Name of what runs the network with the present method."""
        return next((one.name for one in self._engines if one.serves(self.method)), TORCH)

    def use_engine(self, engine: str | Engine) -> None:
        """Run the network by another engine from now on.

        Args:
            engine: ``'torch'``, ``'compiled'``, ``'onnxruntime'``, or what `make_engine` made.

        Raises:
            ConfigurationError: If the name is unknown.
            EngineError: If the engine is not installed, or cannot run this network.
            RuntimeError: If the explainer is closed.
        """
        chosen = self.make_engine(engine) if isinstance(engine, str) else engine
        self._engines = (chosen, self._opened())

    def make_engine(self, name: str) -> Engine:
        """Make an engine for this network and its scales, without using it.

        Raises:
            ConfigurationError: If the name is unknown.
            EngineError: If the engine is not installed, or cannot run this network.
            RuntimeError: If the explainer is closed.
        """
        return make_engine(name, self._opened().model, self._scales, self._noise)

    def prepare(self, batch: Tensor) -> None:
        """Make the engine ready for batches of a shape.

        Args:
            batch: Any batch of this shape, (B, 3, H, W).

        Raises:
            EngineError: If the engine cannot run it.
        """
        for engine in self._engines:
            engine.prepare(batch.to(self._device, self._dtype))

    def set_threads(self, count: int) -> None:
        """Let the engine run on so many CPU threads; torch's own are set by torch."""
        for engine in self._engines:
            engine.set_threads(count)

    def check(self, method: MethodOptions) -> None:
        """Refuse a method that this network does not allow.

        What a method needs of the network shows when it runs: it is run once on noise for each
        kind of method, unless `probe` has done so before.

        Raises:
            ConfigurationError: If a name is unknown, the weights do not fit the scales, the
                network has no class scores for a class activation or not this class, or no value
                before an activation for the statistic.
        """
        method.check_names()
        resolve_scale_weights(method.scale_weights, len(self._scales))
        if method.statistic in PRE_ACTIVATION_STATISTICS:
            self._require(MethodOptions(statistic=method.statistic))
        if method.cam == NO_CAM:
            return
        self._require(MethodOptions(cam=method.cam))
        if isinstance(method.target_class, int) and self._class_count is not None:
            check_class(method.target_class, self._class_count)

    def probe(self) -> None:
        """Learn what the network allows, so that `check` need not run it."""
        for method in (
            *(MethodOptions(statistic=name) for name in PRE_ACTIVATION_STATISTICS),
            *(MethodOptions(cam=name) for name in CAMS if name != NO_CAM),
        ):
            with suppress(ConfigurationError):
                self._require(method)

    def _require(self, method: MethodOptions) -> None:
        """Run the network on noise once for a kind of method, and remember how that went."""
        kind = 'cam' if method.cam != NO_CAM else method.statistic
        if kind not in self._refusals and self._eager is not None:
            try:
                seen = self._eager.forward(self._noise, method)
            except ConfigurationError as error:
                self._refusals[kind] = str(error)
            except Exception as error:  # a network of the user's may raise anything
                self._refusals[kind] = f'this network does not allow {kind}: {in_words(error)}'
            else:
                self._refusals[kind] = None
                self._class_count = None if seen.logits is None else seen.logits.shape[1]
        reason = self._refusals.get(kind)
        if reason is not None:
            raise ConfigurationError(reason)

    def __call__(
        self, batch: Tensor, target_class: int | Sequence[int] | None = None
    ) -> Explanation:
        """Run the network once and explain each frame of the batch.

        Args:
            batch: Frames normalised for the network, shape (B, 3, H, W); moved to the network's
                device and type if they are elsewhere.
            target_class: Class of the class activation, one for all frames or one a frame; None
                takes the method's.

        Returns:
            The explanation; its tensors are float32 on the network's device.

        Raises:
            ConfigurationError: If the network has no such class.
            FrameError: If an activation or a logit is not finite.
            RuntimeError: If the explainer is closed.
            ValueError: If the batch has not four dimensions.
        """
        self._opened()
        if batch.ndim != 4:
            raise ValueError(f'a batch has shape (B, 3, H, W), got {tuple(batch.shape)}')
        batch, method = batch.to(self._device, self._dtype), self.method
        if target_class is not None:
            method = replace(method, target_class=target_class)
        engine = next(one for one in self._engines if one.serves(method) and one.takes(batch))
        seen = engine.forward(batch, method, keep_activations=self._keep_vectors)
        with torch.inference_mode():
            self._update_sizes(seen.raw_maps)
            size = batch.shape[-2], batch.shape[-1]
            return explanation_of(seen, self._scales, method, size)

    def __exit__(self, *_error: object) -> None:
        """Close, however the block ends."""
        self.close()

    def close(self) -> None:
        """Let go of the network; calling the explainer afterwards is an error."""
        self._eager, self._engines = None, ()

    def _opened(self) -> EagerEngine:
        if self._eager is None:
            raise RuntimeError('this explainer is closed')
        return self._eager

    def _update_sizes(self, raw_maps: Sequence[Tensor]) -> None:
        """Keep the scales' sizes those of the latest input."""
        sizes = [tuple(raw_map.shape[-2:]) for raw_map in raw_maps]
        if sizes != [(scale.height, scale.width) for scale in self._scales]:
            self._scales = tuple(
                replace(scale, height=height, width=width)
                for scale, (height, width) in zip(self._scales, sizes, strict=True)
            )
