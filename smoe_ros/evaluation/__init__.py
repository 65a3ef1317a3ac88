# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Is it right? Metrics of saliency maps, and the command that measures methods by them."""
