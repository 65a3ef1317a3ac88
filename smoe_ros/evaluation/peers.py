# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other libraries' maps of the same network: grad-cam (EigenCAM, LayerCAM) and captum.

They are extra dependencies: requirements/benchmark.txt installs them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from smoe_ros.evaluation.map_methods import Explain, MapMethod
from smoe_ros.explainer import Explainer
from smoe_ros.scales import trace

HOW_TO_INSTALL = 'pip install --no-deps -r requirements/benchmark.txt'
_SAMPLES = 25
# Of SmoothGrad's noise, as a share of the picture's range of values: its paper's 10 to 20 %.
_NOISE = 0.15
_SEED = 0

_Build = Callable[[nn.Module, str], Explain]


def available_peers() -> dict[str, str | None]:
    """Return every peer's name, with the reason why it cannot be used, None if it can."""
    return {
        name: None if find_spec(module) else f'{package} is not installed: {HOW_TO_INSTALL}'
        for name, (package, module, _) in _PEERS.items()
    }


def peer_methods(
    model: nn.Module, explainer: Explainer, names: Sequence[str], example: Tensor
) -> list[MapMethod]:
    """Return other libraries' methods for a network.

    Args:
        model: The network; they get a copy, since they leave hooks in it.
        explainer: Knows its scales: the layer before the deepest one is what CAMs look at.
        names: Names of `available_peers` that can be used.
        example: Any picture as the network gets it, shape (1, 3, H, W).
    """
    if not names:
        return []
    model = copy.deepcopy(model).eval()
    for module in model.modules():
        if hasattr(module, 'inplace'):
            vars(module)['inplace'] = False  # their hooks read what would be changed
    layer = target_layer(model, explainer, example)
    return [
        MapMethod(name, 'peer', _guarded(build(model, layer)), f'target layer {layer}')
        for name, (_, _, build) in _PEERS.items()
        if name in names
    ]


def target_layer(model: nn.Module, explainer: Explainer, example: Tensor) -> str:
    """Return the path of the last convolution or batch normalisation up to the deepest scale.

    Args:
        model: The network.
        explainer: Knows its scales.
        example: A picture to run it on, shape (1, 3, H, W).
    """
    deepest = explainer.scales[-1]
    calls = trace(model, example)
    last = next(
        call for call in calls if (call.layer, call.index) == (deepest.layer, deepest.call)
    )
    before = [
        call.layer
        for call in calls
        if isinstance(call.module, (nn.Conv2d, nn.BatchNorm2d)) and call.end <= last.end
    ]
    return before[-1]


def _guarded(explain: Explain) -> Explain:
    """Let a library draw without touching anybody's random numbers, and give maps as ours are."""

    def run(batch: Tensor, labels: Tensor) -> Tensor:
        with torch.random.fork_rng(), torch.inference_mode(False), torch.enable_grad():
            torch.manual_seed(_SEED)
            return explain(batch.clone(), labels.clone()).detach().float().relu()

    return run


def _grad_cam(method: str) -> _Build:
    def build(model: nn.Module, layer: str) -> Explain:
        import pytorch_grad_cam  # noqa: PLC0415 - an optional package
        from pytorch_grad_cam.utils.model_targets import (  # noqa: PLC0415
            ClassifierOutputTarget,
        )

        cam = getattr(pytorch_grad_cam, method)(model, [model.get_submodule(layer)])

        def explain(batch: Tensor, labels: Tensor) -> Tensor:
            targets = [ClassifierOutputTarget(label) for label in labels.tolist()]
            return torch.from_numpy(cam(batch, targets)).to(batch.device)

        return explain

    return build


def _captum(method: str, reduce: Callable[[Tensor], Tensor], **options: Any) -> _Build:
    def build(model: nn.Module, _layer: str) -> Explain:
        from captum import attr  # noqa: PLC0415 - an optional package

        attribution = getattr(attr, method)(model)

        def explain(batch: Tensor, labels: Tensor) -> Tensor:
            batch.requires_grad_()
            return reduce(attribution.attribute(batch, target=labels, **options))

        return explain

    return build


def _smooth_grad_squared(model: nn.Module, _layer: str) -> Explain:
    from captum.attr import NoiseTunnel, Saliency  # noqa: PLC0415 - an optional package

    tunnel = NoiseTunnel(Saliency(model))

    def explain(batch: Tensor, labels: Tensor) -> Tensor:
        batch.requires_grad_()
        seen = tunnel.attribute(
            batch,
            nt_type='smoothgrad_sq',
            nt_samples=_SAMPLES,
            nt_samples_batch_size=5,
            stdevs=_NOISE * float(batch.detach().max() - batch.detach().min()),
            target=labels,
            abs=False,
        )
        return seen.amax(dim=1)

    return explain


def _largest(attribution: Tensor) -> Tensor:
    return attribution.abs().amax(dim=1)


def _summed(attribution: Tensor) -> Tensor:
    return attribution.sum(dim=1).abs()


_GRAD_CAM, _CAPTUM = ('grad-cam', 'pytorch_grad_cam'), ('captum', 'captum')
# Name: what to install, what to import, and what builds the method for a network and a layer.
_PEERS: dict[str, tuple[str, str, _Build]] = {
    'EigenCAM (grad-cam)': (*_GRAD_CAM, _grad_cam('EigenCAM')),
    'LayerCAM (grad-cam)': (*_GRAD_CAM, _grad_cam('LayerCAM')),
    'gradient (captum)': (*_CAPTUM, _captum('Saliency', _largest)),
    'SmoothGrad² (captum)': (*_CAPTUM, _smooth_grad_squared),
    'integrated gradients (captum)': (
        *_CAPTUM,
        _captum('IntegratedGradients', _summed, n_steps=_SAMPLES, internal_batch_size=5),
    ),
}
