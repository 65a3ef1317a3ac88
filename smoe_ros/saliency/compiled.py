# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""When tensors are work for the compiled kernels."""

from __future__ import annotations

import torch
from torch import Tensor

from smoe_ros import kernels


def kernels_for(*tensors: Tensor) -> kernels.Kernels | None:
    """Return the compiled kernels if they can take these tensors: float32, in the CPU's memory.

    None means that torch does it: on another device, in another precision, for empty tensors, or
    where there are no kernels.
    """
    for tensor in tensors:
        if tensor.dtype != torch.float32 or tensor.device.type != 'cpu' or not tensor.numel():
            return None
    return kernels.load()
