# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The ROS side: nodes and their parameters, without tensor mathematics.

Nothing is imported here: signals are in hand before torch comes.

A frame's way: `camera` receives it, `frame_slots` keep the newest, `worker` has it decoded and
explained, `publishers` give out what is watched; `frame_counts` and `diagnostics` tell of it.
`smoe_node` is the node around them, `running` and `executables` the process around that.
"""
