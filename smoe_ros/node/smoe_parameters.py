# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the node `smoe`."""

from __future__ import annotations

from typing import Any

from smoe_ros.backbones import DEFAULT_BACKBONE
from smoe_ros.engines import AUTO, ENGINES
from smoe_ros.explainer.settings import Settings, parse_scale_weights
from smoe_ros.machine.devices import PRECISIONS
from smoe_ros.messages.outputs import Drawing
from smoe_ros.node.camera import RELIABILITIES, TRANSPORTS
from smoe_ros.node.diagnostics import Limits
from smoe_ros.node.parameters import Parameter
from smoe_ros.saliency.methods import CAMS, NORMALIZATIONS, STATISTICS

PARAMETERS = (
    Parameter(
        'image_topics',
        ['image_raw'],
        'Image topics to explain (sensor_msgs/Image). Outputs lie beside each: /front/image_raw '
        'is explained under /front/smoe/.',
    ),
    Parameter(
        'output_namespaces',
        [],
        'Where the outputs of each image topic lie, one a topic; empty puts them beside the '
        'camera. Needed where two image topics share a namespace.',
    ),
    Parameter(
        'input_reliability',
        'auto',
        'Reliability of the image subscriptions; auto takes reliable when every publisher of the '
        'topic offers it, else best_effort.',
        choices=RELIABILITIES,
        runtime=True,
    ),
    Parameter(
        'image_transport',
        'raw',
        'How images come: raw (sensor_msgs/Image), or compressed (sensor_msgs/CompressedImage on '
        '<image topic>/compressed).',
        choices=TRANSPORTS,
        runtime=True,
    ),
    Parameter(
        'backbone',
        DEFAULT_BACKBONE,
        'Network to explain: efficientnet_lite0; a torchvision classifier that is a CNN, or the '
        'CNN of a segmentation or detection network, by name; or your own: package.module:build, '
        '/path/file.py:build (a function that returns the network), or a TorchScript file.',
        runtime=True,
    ),
    Parameter(
        'weights',
        'default',
        'Weights of the network: default (the published ones; your own network as it is built), '
        'random, or the path of a checkpoint.',
        runtime=True,
    ),
    Parameter(
        'allow_download',
        False,
        'Whether default weights that are not on this machine may be downloaded.',
        runtime=True,
    ),
    Parameter(
        'mean',
        [],
        'Mean of each RGB channel for pixel values 0..1 that the network was trained with; empty '
        "takes the network's own, or ImageNet's for your own network.",
        element=float,
        minimum=0.0,
        maximum=1.0,
        runtime=True,
    ),
    Parameter(
        'std',
        [],
        'Standard deviation of each RGB channel, likewise.',
        element=float,
        minimum=0.0,
        maximum=1.0,
        runtime=True,
    ),
    Parameter(
        'labels',
        '',
        'Text file with the name of one class a line, or imagenet; empty takes the names that '
        'come with the network.',
        runtime=True,
    ),
    Parameter(
        'short_side',
        224,
        'Short side of the network input in pixels, a multiple of 32; the long side follows the '
        "camera's aspect ratio.",
        minimum=32,
        maximum=2048,
        runtime=True,
    ),
    Parameter(
        'scales',
        ['auto'],
        'Activations to read: auto (one for each scale of the network), or module paths such as '
        'layer3; name#0 picks a call.',
        runtime=True,
    ),
    Parameter(
        'scale_weights',
        'equal',
        'Weight of each scale in the saliency: equal, prior (five scales, from the paper), '
        'linear, or numbers such as 1, 2, 3, 4, 5, finest first.',
        runtime=True,
    ),
    Parameter(
        'statistic',
        'smoe_scale',
        'Statistic over the channels of an activation: how much each place holds.',
        choices=tuple(STATISTICS),
        runtime=True,
    ),
    Parameter(
        'normalization',
        'gaussian_cdf',
        'Normalisation of the map of each scale.',
        choices=tuple(NORMALIZATIONS),
        runtime=True,
    ),
    Parameter(
        'cam',
        'none',
        'Class activation that the saliency is multiplied with (FastCAM: where the network sees '
        'its class); costs a gradient through the head of the network only.',
        choices=CAMS,
        runtime=True,
    ),
    Parameter(
        'target_class',
        -1,
        'Index of the class that cam looks for; -1 takes the most probable one of each frame.',
        minimum=-1,
        maximum=2**31 - 1,
        runtime=True,
    ),
    Parameter(
        'overlay_alpha',
        0.5,
        'Share of the heat map in the overlay.',
        minimum=0.0,
        maximum=1.0,
        runtime=True,
    ),
    Parameter(
        'max_rate',
        0.0,
        'Explanations a second of each camera at most; 0 is no limit.',
        minimum=0.0,
        maximum=1000.0,
        runtime=True,
    ),
    Parameter(
        'smoothing_time',
        0.0,
        'Seconds over which the maps of consecutive frames are averaged: a frame counts '
        'exp(-age/smoothing_time). Steadier maps and peaks, which lag behind by about as long; '
        '0 shows each frame by itself. Needs stamped images.',
        minimum=0.0,
        maximum=60.0,
        runtime=True,
    ),
    Parameter(
        'salient_fraction',
        0.1,
        'Share of the pixels that the mask marks as most salient.',
        minimum=0.001,
        maximum=1.0,
        runtime=True,
    ),
    Parameter(
        'jpeg_quality',
        95,
        'Quality of the compressed colour outputs (JPEG); the grey ones are PNG, without loss.',
        minimum=1,
        maximum=100,
        runtime=True,
    ),
    Parameter(
        'stall_timeout',
        2.0,
        'Seconds without an image after which diagnostics warn of a stalled camera.',
        minimum=0.1,
        maximum=3600.0,
        runtime=True,
    ),
    Parameter(
        'max_drop_share',
        0.9,
        'Share of the frames dropped because the network is busy (over 10 s) beyond which '
        'diagnostics warn; 1 never warns.',
        minimum=0.0,
        maximum=1.0,
        runtime=True,
    ),
    Parameter(
        'device',
        'auto',
        'Device of the network: auto (CUDA if there is one), cpu, cuda or cuda:N. Where CUDA is '
        'missing or out of memory when the node starts, it warns and goes on on the CPU.',
        runtime=True,
    ),
    Parameter(
        'precision',
        'fp32',
        "Precision of the network's numbers; the smaller ones are for GPUs, and for CPUs with "
        'instructions for them.',
        choices=tuple(PRECISIONS),
        runtime=True,
    ),
    Parameter(
        'engine',
        AUTO,
        'What runs the network: torch; onnxruntime (the network is exported once on a machine and '
        'kept in the cache of the user); compiled (torch.compile: up to a minute a network); or '
        'auto, the faster of torch and onnxruntime. Where an engine cannot, torch runs it and the '
        'log says why.',
        choices=ENGINES,
        runtime=True,
    ),
    Parameter(
        'threads',
        0,
        'CPU threads of the network; 0 leaves the choice to torch.',
        minimum=0,
        maximum=1024,
        runtime=True,
    ),
    Parameter(
        'warm_up_size',
        [640, 480],
        "Width and height of the cameras' images in pixels, for which the network is warmed up "
        'when it is loaded. Other sizes work, too.',
        minimum=1,
        maximum=65535,
        length=2,
    ),
    Parameter(
        'autostart',
        True,
        'Whether the node configures and activates itself; false leaves it to a lifecycle '
        'manager.',
    ),
)


def to_drawing(values: dict[str, Any]) -> Drawing:
    """Return how outputs are drawn, from the parameters' values."""
    return Drawing(values['overlay_alpha'], values['salient_fraction'], values['jpeg_quality'])


def to_limits(values: dict[str, Any]) -> Limits:
    """Return when a figure is worth a warning, from the parameters' values."""
    return Limits(values['stall_timeout'], values['max_drop_share'])


def to_settings(values: dict[str, Any]) -> Settings:
    """Return how frames are explained, from the parameters' values.

    Raises:
        ConfigurationError: If the scale weights cannot be read.
    """
    scales = tuple(values['scales'])
    return Settings(
        backbone=values['backbone'],
        weights=values['weights'],
        allow_download=values['allow_download'],
        short_side=values['short_side'],
        scales='auto' if scales == ('auto',) else scales,
        scale_weights=parse_scale_weights(values['scale_weights']),
        statistic=values['statistic'],
        normalization=values['normalization'],
        cam=values['cam'],
        target_class=values['target_class'],
        mean=tuple(values['mean']),
        std=tuple(values['std']),
        labels=values['labels'],
        device=values['device'],
        precision=values['precision'],
        engine=values['engine'],
        threads=values['threads'],
    )
