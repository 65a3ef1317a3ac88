# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The engines by name; importing this imports none of them, nor torch."""

TORCH, COMPILED, ONNXRUNTIME, AUTO = 'torch', 'compiled', 'onnxruntime', 'auto'
ENGINES = (AUTO, TORCH, COMPILED, ONNXRUNTIME)
