# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What helps when images are lost between two processes."""

from __future__ import annotations

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from rclpy.utilities import get_rmw_implementation_identifier

_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def loss_remedy() -> str:
    """Say in half a sentence what to do against the loss of large images."""
    if 'fastrtps' not in get_rmw_implementation_identifier():
        return 'let the camera offer reliable, or enlarge the buffers of the middleware'
    profile = Path(get_package_share_directory('smoe_ros'), 'config', 'fastdds.xml')
    given = next(filter(None, map(os.environ.get, _VARIABLES)), None)
    if given is None:
        return (
            f'set {_VARIABLES[0]}={profile} for this process and the camera, whose images do not '
            "fit into Fast DDS's shared memory otherwise"
        )
    return (
        f'this process uses the profile {given}; does the camera, too ({_VARIABLES[0]})? The '
        f'one for images is {profile}'
    )
