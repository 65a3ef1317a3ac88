# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The ROS side: nodes, messages and parameters. No tensor mathematics."""
