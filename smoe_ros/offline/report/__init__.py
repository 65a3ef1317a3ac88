# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The page that smoe_bag report writes about the explanations in a bag."""
