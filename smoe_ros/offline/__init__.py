# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command smoe_bag: bags explained and reported on, while no ROS runs."""
