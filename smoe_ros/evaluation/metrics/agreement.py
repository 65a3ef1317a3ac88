# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How alike two maps are, and how sparse one is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from skimage import metrics

Array: TypeAlias = NDArray[np.floating]


def stretched(saliency: Array) -> NDArray[np.float64]:
    """Bring a map of any shape to 0..1, so that methods of different units can be compared."""
    values = saliency.astype(np.float64)
    return (values - values.min()) / max(float(np.ptp(values)), 1e-12)


def spearman(a: Array, b: Array) -> float:
    """Return Spearman's rank correlation of two maps of one shape; 0 if one of them is flat."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a.ravel(), b.ravel()).statistic)


def structural_similarity(a: Array, b: Array) -> float:
    """Return the structural similarity of two maps (H, W), each brought to 0..1 first.

    Source: Wang et al., "Image Quality Assessment", 2004, with its Gaussian window, σ = 1.5.

    Raises:
        ValueError: If the shapes differ, or a side is below that window's 11 pixels.
    """
    return float(
        metrics.structural_similarity(
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

    Args:
        saliency: Of any shape, not negative.
    """
    values = np.sort(saliency.ravel().astype(np.float64))
    total, count = values.sum(), len(values)
    weights = 2 * np.arange(1, count + 1) - count - 1
    return float((weights * values).sum() / (count * total)) if total else 0.0
