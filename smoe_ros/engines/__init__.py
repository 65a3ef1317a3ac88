# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What runs a network: eager torch, torch's compiler or ONNX Runtime, by name."""

from smoe_ros.engines.eager import EagerEngine, check_class
from smoe_ros.engines.engine import Engine, EngineError, ForwardPass
from smoe_ros.engines.folding import fold_batch_norms
from smoe_ros.engines.making import make_engine

__all__ = [
    'EagerEngine',
    'Engine',
    'EngineError',
    'ForwardPass',
    'check_class',
    'fold_batch_norms',
    'make_engine',
]
