# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a user can set, each option described once; known before anything heavy is imported."""
