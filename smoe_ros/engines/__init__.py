# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What runs a network: eager torch, torch's compiler or ONNX Runtime, by name."""

from smoe_ros.engines.engine import Engine, EngineError, make_engine
from smoe_ros.options.choices import AUTO, COMPILED, ENGINES, ONNXRUNTIME, TORCH

__all__ = [
    'AUTO',
    'COMPILED',
    'ENGINES',
    'ONNXRUNTIME',
    'TORCH',
    'Engine',
    'EngineError',
    'make_engine',
]
