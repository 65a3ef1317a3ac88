# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Saliency of a vision network, at frame rate, for ROS 2."""
