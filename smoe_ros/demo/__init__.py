# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a camera, the node and a recorder on real footage."""
