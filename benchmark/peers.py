# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other explainers on the same network: each used as its documentation shows, for the top class.

Each has a copy of the network to itself, since they leave hooks and gradients in it, and gets the
prepared input; what smoe_ros does besides (the frame's conversion, a picture) is not asked of
them. captum is told the top class, the others find it in the pass that they make anyway.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor, nn

# The last convolutional stage, as the libraries' documentation chooses it.
TARGET_LAYERS = {
    'efficientnet_lite0': '_bn1',
    'resnet18': 'layer4.1',
    'resnet50': 'layer4.2',
    'mobilenet_v3_large': 'features.16',
}

_COARSE = 'coarse'
_ENLARGED = 'coarse, enlarged'
_FULL = 'full'


@dataclass(frozen=True)
class Peer:
    """One method of one library.

    Attributes:
        package: Name of its package.
        method: Name of the class in it.
        map: ``'coarse'``: at the last stage's size; ``'coarse, enlarged'``: brought to the
            input's size by the library; ``'full'``: computed for every input pixel.
        build: Makes of the network, its target layer and its input, shape (1, 3, H, W), what
            explains that input once.
        note: What a reader of its time should know.
    """

    package: str
    method: str
    map: str
    build: Callable[[nn.Module, str, Tensor], Callable[[], Any]]
    note: str = ''

    @property
    def name(self) -> str:
        """Method and package."""
        return f'{self.method} ({self.package})'

    def prepare(self, model: nn.Module, layer: str, batch: Tensor) -> Callable[[], Any]:
        """Return what explains a batch once; a call gives the library's own result.

        Args:
            model: The network, in evaluation mode; it is copied.
            layer: Path of the target module in it.
            batch: Its input, shape (1, 3, H, W).

        Raises:
            ModuleNotFoundError: If the library is not installed.
        """
        return self.build(copy.deepcopy(model), layer, batch.clone())

    def describe(self) -> dict[str, str]:
        """Return what a reader of the tables needs to know of it."""
        try:
            installed = version(self.package)
        except PackageNotFoundError:
            installed = ''
        return {
            'package': self.package,
            'version': installed,
            'map': self.map,
            'note': self.note,
        }


def _grad_cam(method: str) -> Callable[[nn.Module, str, Tensor], Callable[[], Any]]:
    def build(model: nn.Module, layer: str, batch: Tensor) -> Callable[[], Any]:
        import pytorch_grad_cam  # noqa: PLC0415 - an optional package

        explain = getattr(pytorch_grad_cam, method)(
            model=model, target_layers=[model.get_submodule(layer)]
        )
        return lambda: explain(input_tensor=batch, targets=None)

    return build


def _torchcam(method: str) -> Callable[[nn.Module, str, Tensor], Callable[[], Any]]:
    def build(model: nn.Module, layer: str, batch: Tensor) -> Callable[[], Any]:
        import torchcam.methods  # noqa: PLC0415 - an optional package

        extract = getattr(torchcam.methods, method)(model, target_layer=layer)

        def run() -> Any:
            scores = model(batch)
            return extract(scores.squeeze(0).argmax().item(), scores)

        return run

    return build


def _captum_layer_grad_cam(model: nn.Module, layer: str, batch: Tensor) -> Callable[[], Any]:
    from captum.attr import LayerGradCam  # noqa: PLC0415 - an optional package

    explain = LayerGradCam(model, model.get_submodule(layer))
    target = _top_class(model, batch)
    return lambda: explain.attribute(batch, target=target, relu_attributions=True)


def _captum_saliency(model: nn.Module, _layer: str, batch: Tensor) -> Callable[[], Any]:
    from captum.attr import Saliency  # noqa: PLC0415 - an optional package

    explain = Saliency(model)
    target = _top_class(model, batch)
    batch.requires_grad_()
    return lambda: explain.attribute(batch, target=target)


def _captum_guided_backprop(model: nn.Module, _layer: str, batch: Tensor) -> Callable[[], Any]:
    from captum.attr import GuidedBackprop  # noqa: PLC0415 - an optional package

    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # its backward hooks do not allow it
    warnings.filterwarnings('ignore', message='Setting backward hooks')  # said at every call
    explain = GuidedBackprop(model)
    target = _top_class(model, batch)
    batch.requires_grad_()
    return lambda: explain.attribute(batch, target=target)


def _top_class(model: nn.Module, batch: Tensor) -> int:
    with torch.no_grad():
        return int(model(batch).argmax())


PEERS = (
    Peer('grad-cam', 'GradCAM', _ENLARGED, _grad_cam('GradCAM')),
    Peer(
        'grad-cam', 'EigenCAM', _ENLARGED, _grad_cam('EigenCAM'), 'no gradient, no class; an SVD'
    ),
    Peer('grad-cam', 'LayerCAM', _ENLARGED, _grad_cam('LayerCAM')),
    Peer('torchcam', 'GradCAM', _COARSE, _torchcam('GradCAM')),
    Peer('torchcam', 'LayerCAM', _COARSE, _torchcam('LayerCAM')),
    Peer('captum', 'LayerGradCam', _COARSE, _captum_layer_grad_cam, 'told the class'),
    Peer('captum', 'Saliency', _FULL, _captum_saliency, 'told the class'),
    Peer(
        'captum',
        'GuidedBackprop',
        _FULL,
        _captum_guided_backprop,
        'told the class; guides nn.ReLU only: other activations pass plain gradients',
    ),
)
