# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network in, explanations out: Explainer for batches, Pipeline for camera frames.

`smoe_ros.explainer.pipeline` has the Pipeline and `smoe_ros.explainer.settings` its Settings: they
load networks by name, and with that all that networks come from.
"""

from smoe_ros.explainer.explainer import Explainer
from smoe_ros.explainer.explanation import Explanation
from smoe_ros.explainer.frame_explanation import FrameExplanation, frame_explanations
from smoe_ros.explainer.temporal_average import TemporalAverage

__all__ = ['Explainer', 'Explanation', 'FrameExplanation', 'TemporalAverage', 'frame_explanations']
