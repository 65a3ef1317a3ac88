# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line without ROS: smoe_explain and smoe_scales."""
