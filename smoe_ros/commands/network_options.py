# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Options of network, method and drawing that the commands share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from smoe_ros.commands.arguments import (
    add_allow_download,
    add_scale_options,
    channel_values,
    seconds,
    share,
    whole_number,
)
from smoe_ros.options.engine_names import ONNXRUNTIME, TORCH

if TYPE_CHECKING:
    from smoe_ros.explainer.settings import Settings

# Written down, since asking the modules that hold them would import torch; a test compares.
STATISTICS = (
    'smoe_scale',
    'gamma_scale',
    'channel_std',
    'channel_mean',
    'channel_max',
    'truncated_normal_entropy',
)
NORMALIZATIONS = ('gaussian_cdf', 'gamma_cdf', 'min_max')
CAMS = ('none', 'grad_cam', 'grad_cam_pp', 'x_grad_cam')


@dataclass(frozen=True)
class NetworkOptions:
    """Network and method that the user asked for; see `smoe_ros.explainer.settings.Settings`.

    Attributes:
        backbone: Network to explain.
        weights: Its weights.
        allow_download: Whether published weights may be downloaded.
        short_side: Short side of the network's input in pixels.
        mean: Mean of each channel for pixel values 0..1; empty takes the network's own.
        std: Standard deviation likewise.
        labels: File with the name of one class a line; empty takes the network's own.
        scales: ``'auto'`` or module paths.
        scale_weights: Preset or numbers, as written.
        statistic: Name of the statistic over channels.
        normalization: Name of the normalisation.
        device: Device of the network.
        threads: Number of CPU threads; 0 leaves torch's choice.
    """

    backbone: str
    weights: str
    allow_download: bool
    short_side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: str
    scales: Literal['auto'] | tuple[str, ...]
    scale_weights: str
    statistic: str
    normalization: str
    device: str
    threads: int

    def settings(self) -> Settings:
        """Return what of it makes a pipeline.

        Raises:
            ConfigurationError: If the scale weights cannot be read.
        """
        # Imports torch, which takes seconds: not for --help or a mistake.
        from smoe_ros.explainer.settings import Settings, parse_scale_weights  # noqa: PLC0415

        return Settings(
            backbone=self.backbone,
            weights=self.weights,
            allow_download=self.allow_download,
            short_side=self.short_side,
            scales=self.scales,
            scale_weights=parse_scale_weights(self.scale_weights),
            statistic=self.statistic,
            normalization=self.normalization,
            mean=self.mean,
            std=self.std,
            labels=self.labels,
            device=self.device,
            threads=self.threads,
        )


@dataclass(frozen=True)
class FrameOptions(NetworkOptions):
    """How the user wants frames explained and drawn.

    Attributes:
        cam: Name of the class activation, or ``'none'``.
        target_class: Index or name of the class of the class activation; None takes each frame's
            most probable one.
        smoothing_time: Time constant in seconds of the average over consecutive frames; 0 is none.
        alpha: Share of the heat map in the overlay, 0..1.
        engine: What runs the network.
        batch: Number of frames that go through the network together.
    """

    cam: str
    target_class: str | None
    smoothing_time: float
    alpha: float
    engine: str
    batch: int

    def settings(self) -> Settings:
        """Return what of it makes a pipeline, but for the class, whose name is looked up later."""
        return replace(super().settings(), cam=self.cam, engine=self.engine)


def add_frame_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `FrameOptions`."""
    add_network(parser)
    method = add_method(parser)
    _add_cam(method)
    _add_smoothing(method)
    _add_running(parser)


def check_frame_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End the process if options do not go together."""
    if options.target_class is not None and options.cam == 'none':
        parser.error(f'--class has an effect only with --cam: {", ".join(CAMS[1:])}')


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add what says which network it is, and what it gets."""
    group = parser.add_argument_group('network')
    group.add_argument(
        '--backbone',
        default='efficientnet_lite0',
        metavar='NAME',
        help='network to explain: efficientnet_lite0; a torchvision classifier that is a CNN, or '
        'the CNN of a segmentation or detection network (smoe_scales --list names them); your own '
        'as package.module:function or /path/file.py:function, or the path of a TorchScript file '
        '(default: %(default)s)',
    )
    group.add_argument(
        '--weights',
        default='default',
        help="its weights: default (the published ones), random, or a checkpoint's path "
        '(default: %(default)s)',
    )
    add_allow_download(group)
    group.add_argument(
        '--short-side',
        default=224,
        type=whole_number(32, 2048),
        metavar='PIXELS',
        help="short side of the network's input, a multiple of 32; the long side follows the "
        "input's aspect ratio (default: %(default)s)",
    )
    group.add_argument(
        '--mean',
        default=(),
        type=channel_values,
        metavar='R,G,B',
        help="mean of each channel for pixel values 0..1 (default: the network's own)",
    )
    group.add_argument(
        '--std',
        default=(),
        type=channel_values,
        metavar='R,G,B',
        help="standard deviation of each channel likewise (default: the network's own)",
    )
    group.add_argument(
        '--labels',
        default='',
        metavar='FILE',
        help='text file with the name of one class a line, or imagenet (default: the names that '
        'come with the network)',
    )


def add_method(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add what says how it is explained, but for a class activation; return their group."""
    group = parser.add_argument_group('method')
    add_scale_options(group)
    group.add_argument(
        '--statistic',
        default='smoe_scale',
        choices=STATISTICS,
        metavar='NAME',
        help='statistic over the channels: %(choices)s (default: %(default)s)',
    )
    group.add_argument(
        '--normalization',
        default='gaussian_cdf',
        choices=NORMALIZATIONS,
        metavar='NAME',
        help="normalisation of each scale's map: %(choices)s (default: %(default)s)",
    )
    return group


def _add_cam(group: argparse._ArgumentGroup) -> None:
    """Add the class activation and its class."""
    group.add_argument(
        '--cam',
        default='none',
        choices=CAMS,
        metavar='NAME',
        help='class activation that the saliency is multiplied by: %(choices)s '
        '(default: %(default)s)',
    )
    group.add_argument(
        '--class',
        dest='target_class',
        metavar='INDEX|NAME',
        help="class of the class activation: its index, or its name or a part that no other's "
        'has, in any case (default: the most probable class of each frame)',
    )


def _add_smoothing(group: argparse._ArgumentGroup) -> None:
    """Add the average over time."""
    group.add_argument(
        '--smoothing-time',
        default=0.0,
        type=seconds,
        metavar='S',
        help='average the maps of consecutive frames, an older one by exp(-age / S): steadier, '
        'and later; 0 shows each frame by itself (default: %(default)s)',
    )


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('drawing and running')
    group.add_argument(
        '--alpha',
        default=0.5,
        type=share,
        metavar='0..1',
        help='share of the heat map in the overlay (default: %(default)s)',
    )
    add_device(group)
    group.add_argument(
        '--engine',
        default=TORCH,
        choices=(TORCH, ONNXRUNTIME),
        help='what runs the network; onnxruntime is faster, but exports a network before it is '
        'used for the first time on a machine (default: %(default)s)',
    )
    add_threads(group)
    group.add_argument(
        '--batch',
        default=1,
        type=whole_number(1),
        metavar='N',
        help='frames that go through the network together: faster on a GPU, for more memory; the '
        'results are the same (default: %(default)s)',
    )


def add_device(group: argparse._ArgumentGroup) -> None:
    """Add where the network runs."""
    group.add_argument(
        '--device',
        default='auto',
        help='device of the network: auto (CUDA if there is one), cpu, cuda or cuda:N '
        '(default: %(default)s)',
    )


def add_threads(group: argparse._ArgumentGroup) -> None:
    """Add on how many CPU threads."""
    group.add_argument(
        '--threads',
        default=0,
        type=whole_number(0, 1024),
        metavar='N',
        help='CPU threads of the network; 0 leaves the choice to torch (default: %(default)s)',
    )
