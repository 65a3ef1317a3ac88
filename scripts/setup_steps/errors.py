# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How a step of scripts/setup refuses."""


class SetupError(Exception):
    """What is missing and what to do about it, as one line for the user."""
