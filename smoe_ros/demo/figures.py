# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a recorded run came to, read from its bag: ``summary.json``, and a table for people."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from smoe_ros.bags import Recording
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.report.explained_bag import read_content

_TOP_LABELS = 3


def summary_of(bag: Path, published: int) -> dict[str, Any]:
    """Return the figures of a run whose camera published so many frames.

    Returns:
        ``backbone``; ``published`` = ``explained`` + ``dropped`` for newer ones + ``rejected`` +
        ``lost`` on the way, in frames; ``frames_per_second``: explained ones, first to last;
        ``age_p50_ms``, ``age_p95_ms``: from a frame's stamp until its contributions were recorded;
        ``explain_time_p50_ms``: what the node took for a frame, conversion to publishing, in its
        last ten seconds; ``top_labels``: the most frequent classes and their share of the frames;
        ``mean_contributions`` of each scale, finest first.

    Raises:
        ConfigurationError: If the bag holds no explanation or no diagnostics.
    """
    with Recording(bag) as recording:
        content = read_content(recording)
    (camera,) = content.cameras
    node, group, count = content.counts_of(camera), camera.groups[0], len(camera.times)
    if not node:
        raise ConfigurationError(f"'{bag}' holds no diagnostics of the node")
    seconds = (camera.stamps[-1] - camera.stamps[0]) * 1e-9
    p50, p95 = np.percentile((camera.times - camera.stamps) * 1e-6, (50, 95))
    means = group.contributions.mean(axis=0)
    return {
        'backbone': node['backbone'],
        'published': published,
        **{what: int(node[f'frames {what}']) for what in ('explained', 'dropped', 'rejected')},
        'lost': published - int(node['frames in']),
        'frames_per_second': round((count - 1) / max(seconds, 1e-9), 3),
        'age_p50_ms': round(p50, 3),
        'age_p95_ms': round(p95, 3),
        'explain_time_p50_ms': float(node['explain time p50 (ms)']),
        'top_labels': {
            label: round(number / count, 3)
            for label, number in Counter(camera.labels).most_common(_TOP_LABELS)
        },
        'mean_contributions': {
            layer: round(mean, 4) for layer, mean in zip(group.layers, means.tolist(), strict=True)
        },
    }


def table_of(summary: dict[str, Any]) -> str:
    """Return the figures as a table for people."""
    shares = (f'{label} ({share:.0%})' for label, share in summary['top_labels'].items())
    rows = {
        'frames published': summary['published'],
        '  explained': summary['explained'],
        '  dropped for newer ones': summary['dropped'],
        '  rejected': summary['rejected'],
        '  lost in transport': summary['lost'],
        'explained a second': f'{summary["frames_per_second"]:.1f}',
        'age p50 / p95': f'{summary["age_p50_ms"]:.0f} / {summary["age_p95_ms"]:.0f} ms',
        'top labels': ', '.join(shares),
    }
    for layer, share in summary['mean_contributions'].items():
        rows[f'contribution of {layer}'] = f'{share:.1%}'
    width = max(map(len, rows))
    return '\n'.join(f'{name:<{width}}  {value}' for name, value in rows.items())
