# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The options of the node and, of these, those that the commands have too.

To add an option, add a field here and use it: its parameter, its argument, its line in
config/smoe.yaml and its row in docs/node.md are made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from smoe_ros.errors import ConfigurationError
from smoe_ros.options import choices
from smoe_ros.options.option import like, option

# One of the node that may be changed while it runs.
runtime_option = partial(option, runtime=True)


def read_scales(names: Sequence[str]) -> Literal['auto'] | tuple[str, ...]:
    """Read which scales a user wants: ``['auto']``, or module paths."""
    return 'auto' if tuple(names) == ('auto',) else tuple(names)


def read_scale_weights(text: str) -> str | tuple[float, ...]:
    """Read scale weights as a user writes them: a preset's name, or numbers as in ``1, 2, 3.5``.

    Raises:
        ConfigurationError: If one of several entries is no number.
    """
    if not any(character.isdigit() for character in text):
        return text.strip()
    try:
        return tuple(float(number) for number in text.strip(' []').split(','))
    except ValueError:
        raise ConfigurationError(
            f"scale_weights is '{text}'; give {', '.join(choices.SCALE_WEIGHTS)} or numbers such "
            'as 1, 2, 3'
        ) from None


@dataclass(frozen=True)
class NetworkOptions:
    """Network and method."""

    backbone: str = runtime_option(
        choices.DEFAULT_BACKBONE,
        'Network to explain: efficientnet_lite0; a torchvision classifier that is a CNN, or the '
        'CNN of a segmentation or detection network, by name (smoe_scales --list names them); or '
        'your own: package.module:build, /path/file.py:build (a function that returns the '
        'network), or a TorchScript file.',
    )
    weights: str = runtime_option(
        'default',
        'Weights of the network: default (the published ones; your own network as it is built), '
        'random, or the path of a checkpoint.',
    )
    allow_download: bool = runtime_option(
        False, 'Whether default weights that are not on this machine may be downloaded.'
    )
    short_side: int = runtime_option(
        224,
        'Short side of the network input in pixels, a multiple of 32; the long side follows the '
        "image's aspect ratio.",
        minimum=32,
        maximum=2048,
        metavar='PIXELS',
    )
    mean: tuple[float, ...] = runtime_option(
        (),
        'Mean of each RGB channel for pixel values 0..1 that the network was trained with; empty '
        "takes the network's own, or ImageNet's for your own network.",
        element=float,
        length=3,
        minimum=0.0,
        maximum=1.0,
        metavar='R,G,B',
    )
    std: tuple[float, ...] = runtime_option(
        (),
        'Standard deviation of each RGB channel, likewise.',
        element=float,
        length=3,
        minimum=0.0,
        maximum=1.0,
        metavar='R,G,B',
    )
    labels: str = runtime_option(
        '',
        'Text file with the name of one class a line, or imagenet; empty takes the names that '
        'come with the network.',
        metavar='FILE',
    )
    scales: Literal['auto'] | tuple[str, ...] = runtime_option(
        ('auto',),
        'Activations to read: auto (one for each scale of the network), or module paths such as '
        'layer3; name#0 picks a call.',
        read=read_scales,
    )
    scale_weights: str | tuple[float, ...] = runtime_option(
        'equal',
        'Weight of each scale in the saliency: equal, prior (five scales, from the paper), '
        'linear, or numbers such as 1, 2, 3, 4, 5, finest first.',
        read=read_scale_weights,
    )
    statistic: str = runtime_option(
        'smoe_scale',
        'Statistic over the channels of an activation: how much each place holds.',
        choices=choices.STATISTICS,
    )
    normalization: str = runtime_option(
        'gaussian_cdf', 'Normalisation of the map of each scale.', choices=choices.NORMALIZATIONS
    )
    device: str = runtime_option(
        'auto',
        'Device of the network: auto (CUDA if there is one), cpu, cuda or cuda:N. Where CUDA is '
        'missing or out of memory when the node starts, it warns and goes on on the CPU; a '
        'command refuses.',
    )
    threads: int = runtime_option(
        0, 'CPU threads of the network; 0 leaves the choice to torch.', minimum=0, maximum=1024
    )


@dataclass(frozen=True)
class ExplainerOptions(NetworkOptions):
    """All that an explanation depends on."""

    cam: str = runtime_option(
        choices.NO_CAM,
        'Class activation that the saliency is multiplied with (FastCAM: where the network sees '
        'its class); costs a gradient through the head of the network only.',
        choices=choices.CAMS,
    )
    target_class: int = runtime_option(
        -1,
        'Index of the class that cam looks for; -1 takes the most probable one of each frame.',
        minimum=-1,
        maximum=2**31 - 1,
    )
    precision: str = runtime_option(
        'fp32',
        "Precision of the network's numbers; the smaller ones are for GPUs, and for CPUs with "
        'instructions for them.',
        choices=choices.PRECISIONS,
    )
    engine: str = runtime_option(
        choices.TORCH,
        'What runs the network: torch; onnxruntime (the network is exported once on a machine and '
        'kept in the cache of the user); compiled (torch.compile: up to a minute a network); or '
        'auto, the faster of torch and onnxruntime. Where an engine cannot, torch runs it and the '
        'log says why.',
        choices=choices.ENGINES,
    )


@dataclass(frozen=True)
class CameraOptions:
    """Cameras."""

    image_topics: tuple[str, ...] = option(
        ('image_raw',),
        'Image topics to explain (sensor_msgs/Image). Outputs lie beside each: /front/image_raw '
        'is explained under /front/smoe/.',
    )
    output_namespaces: tuple[str, ...] = option(
        (),
        'Where the outputs of each image topic lie, one a topic; empty puts them beside the '
        'camera. Needed where two image topics share a namespace.',
    )
    input_reliability: str = runtime_option(
        'auto',
        'Reliability of the image subscriptions; auto takes reliable when every publisher of the '
        'topic offers it, else best_effort.',
        choices=choices.RELIABILITIES,
    )
    image_transport: str = runtime_option(
        'raw',
        'How images come: raw (sensor_msgs/Image), or compressed (sensor_msgs/CompressedImage on '
        '<image topic>/compressed).',
        choices=choices.TRANSPORTS,
    )


@dataclass(frozen=True)
class DrawingOptions:
    """How explanations are drawn."""

    overlay_alpha: float = runtime_option(
        0.5, 'Share of the heat map in the overlay.', minimum=0.0, maximum=1.0
    )
    salient_fraction: float = runtime_option(
        0.1, 'Share of the pixels that the mask marks as most salient.', minimum=0.001, maximum=1.0
    )
    jpeg_quality: int = runtime_option(
        95,
        'Quality of the compressed colour outputs (JPEG); the grey ones are PNG, without loss.',
        minimum=1,
        maximum=100,
    )


@dataclass(frozen=True)
class NodeOptions(DrawingOptions, ExplainerOptions, CameraOptions):
    """The parameters of the node `smoe`."""

    engine: str = like(ExplainerOptions, 'engine', default=choices.AUTO)
    max_rate: float = runtime_option(
        0.0,
        'Explanations a second of each camera at most; 0 is no limit.',
        minimum=0.0,
        maximum=1000.0,
    )
    smoothing_time: float = runtime_option(
        0.0,
        'Seconds over which the maps of consecutive frames are averaged: a frame counts '
        'exp(-age/smoothing_time). Steadier maps and peaks, which lag behind by about as long; '
        '0 shows each frame by itself. Images of a camera need stamps.',
        minimum=0.0,
        maximum=60.0,
        metavar='S',
    )
    stall_timeout: float = runtime_option(
        2.0,
        'Seconds without an image after which diagnostics warn of a stalled camera.',
        minimum=0.1,
        maximum=3600.0,
    )
    max_drop_share: float = runtime_option(
        0.9,
        'Share of the frames dropped because the network is busy (over 10 s) beyond which '
        'diagnostics warn; 1 never warns.',
        minimum=0.0,
        maximum=1.0,
    )
    warm_up_size: tuple[int, int] = option(
        (640, 480),
        "Width and height of the cameras' images in pixels, for which the network is warmed up "
        'when it is loaded. Other sizes work, too.',
        minimum=1,
        maximum=65535,
        length=2,
    )
    autostart: bool = option(
        True,
        'Whether the node configures and activates itself; false leaves it to a lifecycle '
        'manager.',
    )


@dataclass(frozen=True)
class FrameOptions(NetworkOptions):
    """Frames and pictures.

    What the commands have that explain as the node does.
    """

    cam: str = like(ExplainerOptions, 'cam')
    class_name: str = option(
        '',
        "Class that cam looks for: its index, or its name or a part that no other's has, in any "
        'case; by default the most probable one of each frame.',
        flag='--class',
        metavar='INDEX|NAME',
    )
    engine: str = like(
        ExplainerOptions,
        'engine',
        text='What runs the network; onnxruntime is faster, but exports a network before it is '
        'used for the first time on a machine.',
        choices=(choices.TORCH, choices.ONNXRUNTIME),
    )
    smoothing_time: float = like(NodeOptions, 'smoothing_time')
    alpha: float = like(DrawingOptions, 'overlay_alpha')
    batch: int = option(
        1,
        'Frames that go through the network together: faster on a GPU, for more memory; the '
        'results are the same.',
        minimum=1,
    )

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        if self.class_name and self.cam == choices.NO_CAM:
            raise ConfigurationError(
                f'--class has an effect only with --cam: {", ".join(choices.CAMS[1:])}'
            )
