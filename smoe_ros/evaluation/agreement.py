# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How alike two maps are, and how sparse one is."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity as _structural_similarity

from smoe_ros.evaluation.arrays import Array, stretched

# Of structural similarity's Gaussian: 3.5 σ on either side.
_WINDOW = 11


def spearman(a: Array, b: Array) -> float:
    """Return Spearman's rank correlation of two maps of one shape; 0 if one of them is flat.

    Raises:
        ValueError: If the shapes differ.
    """
    _check(a, b)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a.ravel(), b.ravel()).statistic)


def structural_similarity(a: Array, b: Array) -> float:
    """Return the structural similarity of two maps (H, W), each brought to 0..1 first.

    Source: Wang et al., "Image Quality Assessment", 2004, with its Gaussian window, σ = 1.5.

    Raises:
        ValueError: If the shapes differ, or a side is below 11 pixels.
    """
    _check(a, b)
    if min(a.shape) < _WINDOW:
        raise ValueError(
            f'structural similarity needs maps of at least {_WINDOW}x{_WINDOW}, got {a.shape}'
        )
    return float(
        _structural_similarity(
            stretched(a),
            stretched(b),
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def gini(saliency: Array) -> float:
    """Return the Gini index of a map: 0 if all pixels are alike, towards 1 if one has all.

    Source: as a measure of sparse explanations, Chalasani et al., arXiv 1810.06583.

    Raises:
        ValueError: If the map is negative somewhere.
    """
    values = np.sort(saliency.ravel().astype(np.float64))
    if values[0] < 0:
        raise ValueError(f'the Gini index is of values that are not negative, got {values[0]:g}')
    total = values.sum()
    if total == 0:
        return 0.0
    count = len(values)
    ranks = np.arange(1, count + 1)
    return float(((2 * ranks - count - 1) * values).sum() / (count * total))


def _check(a: Array, b: Array) -> None:
    if a.shape != b.shape:
        raise ValueError(f'maps to compare have one shape, got {a.shape} and {b.shape}')
