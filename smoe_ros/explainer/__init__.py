# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network in, explanations out: Explainer for batches, Pipeline for camera frames."""

from smoe_ros.explainer.explainer import Explainer, Explanation

__all__ = ['Explainer', 'Explanation']
