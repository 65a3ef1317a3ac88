# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Normalisation of raw maps to [0, 1], each map by itself.

Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", arXiv 1911.11293.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from smoe_ros.saliency.compiled import kernels_for
from smoe_ros.saliency.gamma import fit_shape, log_mean_ratio

# Added to φ − min before the gamma fit, which needs positive numbers: the paper's.
_EPSILON = 1e-7
# Pixels within about 1e-13 of each other: below that a spread is rounding, and k runs to ∞.
_FLAT_RATIO = 1e-12


@torch.no_grad()
def gaussian_cdf(raw_map: Tensor) -> Tensor:
    """Gaussian CDF, ½ · (1 + erf((φ − m) / (σ√2))), with m and unbiased σ over the map.

    Moments are taken in float64, so that huge maps do not overflow and flat ones are seen as flat.

    Args:
        raw_map: Raw maps φ, shape (B, H, W).

    Returns:
        Normalised maps, shape (B, H, W), float32, in [0, 1]; a flat map (σ = 0) is 0.5 everywhere.
    """
    compiled = kernels_for(raw_map)
    if compiled is not None:
        return torch.from_numpy(compiled.gaussian_cdf(raw_map.detach().contiguous().numpy()))
    # A flat map minus one of its own values is exactly 0; its mean is not always itself.
    phi = raw_map.double()
    phi = phi - phi[:, :1, :1]
    sites = phi[0].numel() if len(phi) else 0
    centred = phi - phi.mean(dim=(1, 2), keepdim=True)
    variance = centred.square().sum(dim=(1, 2), keepdim=True) / max(sites - 1, 1)
    # σ = 0 divides 0 by 1 instead of by 0: erf(0) puts a flat map at 0.5.
    sigma = torch.where(variance > 0, variance.sqrt(), 1.0)
    return torch.erf(centred / (sigma * math.sqrt(2))).add_(1).mul_(0.5).float()


@torch.no_grad()
def gamma_cdf(raw_map: Tensor) -> Tensor:
    """Gamma CDF, P(k, x/θ), with x = φ − min + 1e-7 and Gamma(k, θ) fitted to each map.

    The fit is by maximum likelihood over the map, P the regularised lower incomplete gamma
    function. It never decreases with φ: the authors' code cuts the series for P after 8 terms,
    which darkens the most salient pixels; this one is exact.

    Args:
        raw_map: Raw maps φ, shape (B, H, W).

    Returns:
        Normalised maps, shape (B, H, W), float32, in [0, 1]; a flat map (all pixels within about
        1e-13) is 0.5 everywhere.
    """
    phi = raw_map.double()
    x = (phi - phi.amin(dim=(1, 2), keepdim=True) + _EPSILON).flatten(1)
    mean, s = log_mean_ratio(x, dim=1)
    flat = s < _FLAT_RATIO
    k = fit_shape(s.masked_fill(flat, 1.0))
    cdf = torch.special.gammainc(k[:, None].expand_as(x), x * (k / mean)[:, None])
    return cdf.masked_fill_(flat[:, None], 0.5).clamp_(0, 1).view(raw_map.shape).float()


@torch.no_grad()
def min_max(raw_map: Tensor) -> Tensor:
    """Min-max normalisation, (φ − min) / max(max − min, 1e-9), over each map.

    Args:
        raw_map: Raw maps φ, shape (B, H, W).

    Returns:
        Normalised maps, shape (B, H, W), float32, in [0, 1]; a flat map is 0 everywhere.
    """
    phi = raw_map.double()
    low = phi.amin(dim=(1, 2), keepdim=True)
    high = phi.amax(dim=(1, 2), keepdim=True)
    return ((phi - low) / (high - low).clamp(min=1e-9)).float()
