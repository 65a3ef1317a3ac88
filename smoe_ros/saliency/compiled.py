# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The compiled kernels on tensors; each gives None where torch does the work instead.

That is on another device than the CPU, in another precision than float32, for empty tensors, and
where there are no kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from smoe_ros import kernels


def smoe_scale(activation: Tensor) -> Tensor | None:
    """Return SMOE Scale of an activation, (B, C, H, W) -> (B, H, W)."""
    compiled = _kernels_for(activation)
    if compiled is None:
        return None
    return torch.from_numpy(compiled.smoe_scale(activation.detach().numpy()))


def gaussian_cdf(raw_map: Tensor) -> Tensor | None:
    """Return maps normalised by the Gaussian CDF of their values, (B, H, W) -> (B, H, W)."""
    compiled = _kernels_for(raw_map)
    if compiled is None:
        return None
    return torch.from_numpy(compiled.gaussian_cdf(raw_map.detach().contiguous().numpy()))


def fuse(
    scale_maps: Sequence[Tensor], size: tuple[int, int], shares: Tensor, flat_variance: float
) -> tuple[Tensor, ...] | None:
    """Return saliency, resized maps and contributions, as `fuse_scales` puts them together."""
    compiled = _kernels_for(*scale_maps)
    if compiled is None:
        return None
    arrays = [scale_map.detach().numpy() for scale_map in scale_maps]
    fused = compiled.fuse(arrays, size, shares.numpy(), flat_variance)
    return tuple(torch.from_numpy(array) for array in fused)


def _kernels_for(*tensors: Tensor) -> kernels.Kernels | None:
    for tensor in tensors:
        if tensor.dtype != torch.float32 or tensor.device.type != 'cpu' or not tensor.numel():
            return None
    return kernels.load()
