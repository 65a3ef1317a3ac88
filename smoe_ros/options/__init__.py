# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a user can choose, by name; known before anything heavy is imported."""
