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


@dataclass(frozen=True)
class Peer:
    """One method of one library.

    Attributes:
        package: Name of its package.
        method: Name of the class in it.
        map: ``'coarse'``: at the last stage's size; ``'coarse, enlarged'``: brought to the
            input's size by the library; ``'full'``: computed for every input pixel.
    """

    package: str
    method: str
    map: str

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
        prepare = {'grad-cam': _grad_cam, 'torchcam': _torchcam, 'captum': _captum}[self.package]
        return prepare(self.method, copy.deepcopy(model), layer, batch.clone())


def _grad_cam(method: str, model: nn.Module, layer: str, batch: Tensor) -> Callable[[], Any]:
    import pytorch_grad_cam  # noqa: PLC0415 - an optional package

    layers = [model.get_submodule(layer)]
    explain = getattr(pytorch_grad_cam, method)(model=model, target_layers=layers)
    return lambda: explain(input_tensor=batch, targets=None)


def _torchcam(method: str, model: nn.Module, layer: str, batch: Tensor) -> Callable[[], Any]:
    import torchcam.methods  # noqa: PLC0415 - an optional package

    extract = getattr(torchcam.methods, method)(model, target_layer=layer)

    def run() -> Any:
        scores = model(batch)
        return extract(scores.squeeze(0).argmax().item(), scores)

    return run


def _captum(method: str, model: nn.Module, layer: str, batch: Tensor) -> Callable[[], Any]:
    from captum import attr  # noqa: PLC0415 - an optional package

    with torch.no_grad():
        top_class = int(model(batch).argmax())
    if method == 'LayerGradCam':
        explain = attr.LayerGradCam(model, model.get_submodule(layer))
        return lambda: explain.attribute(batch, target=top_class, relu_attributions=True)
    if method == 'GuidedBackprop':
        for module in model.modules():
            if isinstance(module, nn.ReLU):  # other activations pass plain gradients
                module.inplace = False  # its backward hooks do not allow it
        warnings.filterwarnings('ignore', message='Setting backward hooks')  # said at every call
    explain = getattr(attr, method)(model)
    batch.requires_grad_()
    return lambda: explain.attribute(batch, target=top_class)


PEERS = (
    Peer('grad-cam', 'GradCAM', 'coarse, enlarged'),
    Peer('grad-cam', 'EigenCAM', 'coarse, enlarged'),
    Peer('grad-cam', 'LayerCAM', 'coarse, enlarged'),
    Peer('torchcam', 'GradCAM', 'coarse'),
    Peer('torchcam', 'LayerCAM', 'coarse'),
    Peer('captum', 'LayerGradCam', 'coarse'),
    Peer('captum', 'Saliency', 'full'),
    Peer('captum', 'GuidedBackprop', 'full'),
)
