# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a recorded run came to: figures, a table and a plot, all read from its bag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from smoe_ros.bags import read_bag
from smoe_ros.errors import ConfigurationError
from smoe_ros.rendering.overview import scale_colours

_TOP_LABELS = 3


@dataclass(frozen=True)
class Run:
    """The contributions of a run, one row an explained frame.

    Attributes:
        times: Stamps of the frames in seconds since the first, shape (N,).
        ages: Time from stamp to the recorder in seconds, shape (N,).
        contributions: Shape (N, S), finest scale first.
        labels: Most probable class of each frame.
        layers: Name of each scale.
        diagnostics: The node's last figures by their keys.
    """

    times: NDArray[np.float64]
    ages: NDArray[np.float64]
    contributions: NDArray[np.float64]
    labels: tuple[str, ...]
    layers: tuple[str, ...]
    diagnostics: dict[str, str]


@dataclass(frozen=True)
class Summary:
    """Figures of a run; the frames add up: published = explained + dropped + rejected + lost.

    Attributes:
        backbone: Name of the network.
        published: Frames that the camera published.
        explained: Frames that the node explained.
        dropped: Frames it let go for newer ones.
        rejected: Frames it could not explain.
        lost: Frames that never reached the node.
        frames_per_second: Explained frames a second, first to last.
        age_p50_ms: Median time from a frame's stamp until its contributions reached the recorder.
        age_p95_ms: The same, 95th percentile.
        explain_time_p50_ms: Median time the node took for a frame, conversion to publishing, in
            its last ten seconds.
        top_labels: The most frequent classes and their share of the frames.
        mean_contributions: Mean contribution of each scale, finest first.
    """

    backbone: str
    published: int
    explained: int
    dropped: int
    rejected: int
    lost: int
    frames_per_second: float
    age_p50_ms: float
    age_p95_ms: float
    explain_time_p50_ms: float
    top_labels: dict[str, float]
    mean_contributions: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for ``summary.json``, rounded to what they are worth."""
        return {
            key: round(value, 3) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }


def read_run(bag: Path, contributions_topic: str) -> Run:
    """Read a run from its bag.

    Raises:
        ConfigurationError: If the bag holds no explanation or no diagnostics.
    """
    times, ages, contributions, labels = [], [], [], []
    layers: tuple[str, ...] = ()
    diagnostics: dict[str, str] = {}
    for topic, received, message in read_bag(bag, [contributions_topic, '/diagnostics']):
        if topic == '/diagnostics':
            for status in message.status:
                if 'frames in' in (values := {v.key: v.value for v in status.values}):
                    diagnostics = values
            continue
        stamp = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        times.append(stamp)
        ages.append(received * 1e-9 - stamp)
        contributions.append([scale.contribution for scale in message.scales])
        labels.append(message.class_label)
        layers = tuple(f'{scale.layer}#{scale.call}' for scale in message.scales)
    if not times or not diagnostics:
        raise ConfigurationError(f"no frame was explained: '{bag}' holds no contributions")
    seconds = np.array(times)
    return Run(
        seconds - seconds[0],
        np.array(ages),
        np.array(contributions),
        tuple(labels),
        layers,
        diagnostics,
    )


def summarize(run: Run, published: int) -> Summary:
    """Return the figures of a run whose camera published so many frames."""
    received, explained, dropped, rejected = (
        int(run.diagnostics[f'frames {what}'])
        for what in ('in', 'explained', 'dropped', 'rejected')
    )
    count = len(run.times)
    p50, p95 = np.percentile(run.ages * 1000, (50, 95))
    common = Counter(run.labels).most_common(_TOP_LABELS)
    return Summary(
        backbone=run.diagnostics['backbone'],
        published=published,
        explained=explained,
        dropped=dropped,
        rejected=rejected,
        lost=published - received,
        frames_per_second=(count - 1) / max(float(run.times[-1]), 1e-9),
        age_p50_ms=float(p50),
        age_p95_ms=float(p95),
        explain_time_p50_ms=float(run.diagnostics['explain time p50 (ms)']),
        top_labels={label: round(number / count, 3) for label, number in common},
        mean_contributions={
            layer: round(float(mean), 4)
            for layer, mean in zip(run.layers, run.contributions.mean(axis=0), strict=True)
        },
    )


def format_table(summary: Summary) -> str:
    """Return the figures as a table for people."""
    labels = ', '.join(f'{label} ({share:.0%})' for label, share in summary.top_labels.items())
    rows: Sequence[tuple[str, str]] = (
        ('frames published', str(summary.published)),
        ('  explained', str(summary.explained)),
        ('  dropped for newer ones', str(summary.dropped)),
        ('  rejected', str(summary.rejected)),
        ('  lost in transport', str(summary.lost)),
        ('explained a second', f'{summary.frames_per_second:.1f}'),
        ('age p50 / p95', f'{summary.age_p50_ms:.0f} / {summary.age_p95_ms:.0f} ms'),
        ('top labels', labels),
        *(
            (f'contribution of {layer}', f'{share:.1%}')
            for layer, share in summary.mean_contributions.items()
        ),
    )
    width = max(len(name) for name, _ in rows)
    return '\n'.join(f'{name:<{width}}  {value}' for name, value in rows)


def plot_contributions(run: Run, path: Path) -> None:
    """Plot the share of each scale over time, one line a scale in its colour of LOVI."""
    mpl.use('Agg')
    from matplotlib import pyplot as plt  # noqa: PLC0415  # only after the backend is chosen

    figure, axes = plt.subplots(figsize=(10, 4.5), constrained_layout=True)
    lines: list[Any] = []
    for index, colour in enumerate(scale_colours(len(run.layers))):
        # LOVI's pure hues are too light for a line on white.
        line = [channel / 255 * 0.8 for channel in colour]
        lines += axes.plot(run.times, run.contributions[:, index], color=line, linewidth=1.4)
    axes.set_xlabel('time (s)')
    axes.set_ylabel('contribution to the saliency')
    axes.set_title('What each scale contributed, finest to deepest')
    axes.axhline(0, color='0.6', linewidth=0.8)
    axes.grid(alpha=0.25)
    axes.margins(x=0.01)
    # Given with their lines: matplotlib leaves out labels that begin with an underscore.
    axes.legend(lines, run.layers, loc='center left', bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
