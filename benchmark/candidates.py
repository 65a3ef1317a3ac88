# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What benchmarks of a frame compare: the bare network, smoe_ros, the textbook and peers.

All get one frame and one network. smoe_ros and the textbook go from the RGB frame to saliency,
LOVI and contributions as arrays; bare networks and peers from the prepared input to what they
give.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import torch
from measuring import Run
from peers import PEERS, TARGET_LAYERS, Peer
from textbook import textbook
from torch import Tensor

from smoe_ros.backbones import Backbone, load_backbone
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.explainer.pipeline import Pipeline, backbone_of
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb
from smoe_ros.images.footage import footage_path
from smoe_ros.images.framing import encode, fit
from smoe_ros.images.video import VideoFile
from smoe_ros.rendering import lovi
from smoe_ros.scales import find_scales

ENGINES = ('torch', 'compiled', 'onnxruntime')
BARE = 'bare network, torch'
BARE_FOLDED = 'bare network, torch, folded'
BARE_ONNXRUNTIME = 'bare network, onnxruntime'
TEXTBOOK = 'textbook'
FOOTAGE = 'bikes'
FRAME_NUMBER = 100

_DEFAULT_WEIGHTS = ('efficientnet_lite0',)  # all others' would have to be downloaded
_SEED = 0

Build = Callable[[], Run]


def ours(engine: str) -> str:
    """Return the name of smoe_ros on an engine."""
    return f'smoe_ros, {engine}'


def camera_frame(width: int = 640, height: int = 480) -> Rgb:
    """Return a frame of street footage: (height, width, 3) uint8 RGB.

    Raises:
        ConfigurationError: If the footage is not installed.
    """
    frames = VideoFile(footage_path(FOOTAGE), print).frames()
    image = next(frame for number, frame in enumerate(frames) if number == FRAME_NUMBER)
    return encode(fit(image, width, height), 'rgb8')


def explain(pipeline: Pipeline, frames: Sequence[Rgb]) -> list[FrameExplanation]:
    """Explain frames together.

    Raises:
        FrameError: If one cannot be explained.
    """
    explanations = []
    for explained in pipeline.explain(frames):
        if not isinstance(explained, FrameExplanation):
            raise explained
        explanations.append(explained)
    return explanations


class Workload:
    """One network at one size with one frame, and everything that is to be timed on it.

    Args:
        backbone: Name of the network.
        short_side: Of its input, in pixels.
        rgb: The frame, shape (H, W, 3), uint8.
        onnx_file: The network in ONNX, if it was exported before.
    """

    def __init__(
        self, backbone: str, short_side: int, rgb: Rgb, onnx_file: Path | None = None
    ) -> None:
        weights = 'default' if backbone in _DEFAULT_WEIGHTS else 'random'
        self.settings = Settings(
            backbone=backbone, weights=weights, short_side=short_side, device='cpu'
        )
        self.rgb = rgb
        self._pipelines: dict[str, Pipeline] = {}
        self._onnx_file = onnx_file
        self._onnx_folder = tempfile.TemporaryDirectory(prefix='smoe_benchmark_')

    @cached_property
    def backbone(self) -> Backbone:
        """The network as it is loaded, the same at every call of the program."""
        torch.manual_seed(_SEED)
        settings = self.settings
        return load_backbone(settings.backbone, settings.weights, short_side=settings.short_side)

    @cached_property
    def folded(self) -> Backbone:
        """The same with its batch normalisation folded, as smoe_ros runs it."""
        torch.manual_seed(_SEED)
        return backbone_of(self.settings)

    @cached_property
    def batch(self) -> Tensor:
        """The network's input, shape (1, 3, h, w)."""
        return self.backbone.preprocess(self.rgb)[None]

    @property
    def builders(self) -> dict[str, Build]:
        """Name of each candidate, and what makes it ready; making may fail."""
        builders: dict[str, Build] = {
            BARE: lambda: _inference(self.backbone.model, self.batch),
            BARE_FOLDED: lambda: _inference(self.folded.model, self.batch),
            BARE_ONNXRUNTIME: self._bare_onnxruntime,
        }
        for engine in ENGINES:
            builders[ours(engine)] = partial(self._ours, engine)
        builders[TEXTBOOK] = self._textbook
        for peer in PEERS:
            builders[peer.name] = partial(self._peer, peer)
        return builders

    def pipeline(self, engine: str) -> Pipeline:
        """Return the pipeline that runs the network on an engine.

        Raises:
            ConfigurationError: If another engine stepped in, or this one does not run it.
        """
        if engine not in self._pipelines:
            pipeline = Pipeline(replace(self.settings, engine=engine), self.folded)
            pipeline.warm_up([self.rgb.shape[:2]])
            if pipeline.engine != engine:
                raise ConfigurationError(f"'{pipeline.engine}' runs this network instead")
            self._pipelines[engine] = pipeline
        return self._pipelines[engine]

    def close(self) -> None:
        """Let go of the networks."""
        for pipeline in self._pipelines.values():
            pipeline.close()
        self._onnx_folder.cleanup()

    def _bare_onnxruntime(self) -> Run:
        import onnxruntime  # noqa: PLC0415 - an optional package

        options = onnxruntime.SessionOptions()
        # Threads that spin after a run would take the next candidate's cores.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        session = onnxruntime.InferenceSession(
            str(self.onnx_file()), options, providers=['CPUExecutionProvider']
        )
        feed = {session.get_inputs()[0].name: self.batch.numpy()}
        return lambda: session.run(None, feed)

    def onnx_file(self) -> Path:
        """Return the path of the network in ONNX, exported at the first call."""
        if self._onnx_file is None:
            path = Path(self._onnx_folder.name, 'network.onnx')
            with contextlib.redirect_stdout(io.StringIO()):
                torch.onnx.export(self.backbone.model, (self.batch,), path, dynamo=True)
            self._onnx_file = path
        return self._onnx_file

    def _ours(self, engine: str) -> Run:
        pipeline = self.pipeline(engine)

        def run() -> object:
            (explained,) = explain(pipeline, [self.rgb])
            return explained, lovi(explained.scale_maps)

        return run

    def _textbook(self) -> Run:
        scales = find_scales(self.backbone.model, self.batch)
        points = [(scale.layer, scale.call) for scale in scales]

        def run() -> object:
            batch = self.backbone.preprocess(self.rgb)[None]
            return [part.numpy() for part in textbook(self.backbone.model, batch, points)]

        return run

    def _peer(self, peer: Peer) -> Run:
        name = self.settings.backbone
        if name not in TARGET_LAYERS:
            known = ', '.join(TARGET_LAYERS)
            raise ConfigurationError(f"no target layer is known of '{name}', only of {known}")
        return peer.prepare(self.backbone.model, TARGET_LAYERS[name], self.batch)


def _inference(model: torch.nn.Module, batch: Tensor) -> Run:
    def run() -> Tensor:
        with torch.inference_mode():
            return model(batch)

    return run
