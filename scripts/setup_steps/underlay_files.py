# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Make the environment with the ROS wheels a prefix that can be sourced, like /opt/ros/jazzy.

colcon recognises an underlay by its local_setup files and lets install/setup.bash source them, so
that a shell with nothing else set finds the middleware and the libraries.
"""

from pathlib import Path

_SHELLS = ('sh', 'bash', 'zsh')


def write_underlay_files(prefix: Path, site_packages: Path) -> None:
    """Write setup and local_setup for sh, bash and zsh.

    Args:
        prefix: the environment, an absolute path.
        site_packages: its folder of Python packages.
    """
    entries = [
        ('PATH', prefix / 'bin'),
        ('AMENT_PREFIX_PATH', prefix),
        ('CMAKE_PREFIX_PATH', prefix),
        *(('LD_LIBRARY_PATH', path) for path in sorted(site_packages.glob('ros_*.libs'))),
        ('LD_LIBRARY_PATH', prefix / 'lib'),
    ]
    lines = ['# Written by scripts/setup: ROS 2 from PyPI wheels as an underlay.']
    for name, path in entries:
        lines += [
            f'case ":${{{name}-}}:" in',
            f'  *":{path}:"*) ;;',
            f'  *) export {name}="{path}${{{name}:+:${name}}}" ;;',
            'esac',
        ]
    # Otherwise each Python would start twice, to set LD_LIBRARY_PATH by itself.
    lines += ['export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1', '']
    (prefix / 'local_setup.sh').write_text('\n'.join(lines), encoding='utf-8')
    names = [f'{stem}.{shell}' for stem in ('local_setup', 'setup') for shell in _SHELLS]
    for name in names[1:]:
        (prefix / name).write_text(f'. "{prefix}/local_setup.sh"\n', encoding='utf-8')
