# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS messages to arrays and arrays to ROS messages, without a node."""
