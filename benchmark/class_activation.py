#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a class activation costs beside the network's forward pass, interleaved in one run.

usage: benchmark/class_activation.py [--backbone NAME] [--size PIXELS] [--repeats N]

Prints the median of the bare network and of the explainer with each class activation, and what
each adds to the explainer without one, as a share of the forward pass.

Needs the environment: source .venv/bin/activate && source install/setup.bash
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import torch

from smoe_ros.backbones import load_backbone
from smoe_ros.explainer import Explainer
from smoe_ros.saliency.methods import CAMS


def interleaved(
    candidates: dict[str, Callable[[], object]], repeats: int
) -> dict[str, list[float]]:
    """Time candidates in turn, so that the machine's drift meets all of them; in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for repeat in range(repeats + 3):
        for name, run in candidates.items():
            started = time.perf_counter()
            run()
            if repeat >= 3:  # the first ones warm up
                times[name].append(1e3 * (time.perf_counter() - started))
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description='Time class activations beside the forward pass.')
    parser.add_argument('--backbone', default='resnet50', help='default: resnet50')
    parser.add_argument('--size', type=int, default=224, help='side of the input (default: 224)')
    parser.add_argument('--repeats', type=int, default=40, help='default: 40')
    options = parser.parse_args()

    model = load_backbone(options.backbone, 'random').model
    batch = torch.randn(1, 3, options.size, options.size)

    def forward() -> object:
        with torch.inference_mode():
            return model(batch)

    explainers = {cam: Explainer(model, cam=cam) for cam in CAMS}
    candidates: dict[str, Callable[[], object]] = {'bare network': forward}
    for cam, explainer in explainers.items():
        candidates[f'cam: {cam}'] = lambda explainer=explainer: explainer(batch)
    times = interleaved(candidates, options.repeats)

    bare = statistics.median(times['bare network'])
    print(
        f'{options.backbone} at {options.size}x{options.size}, {options.repeats} repeats, '
        f'torch {torch.__version__}, {torch.get_num_threads()} threads, {os.cpu_count()} CPUs'
    )
    for name, values in times.items():
        # Repeat by repeat, so that what slows one down slows its partner down, too.
        added = [a - b for a, b in zip(values, times['cam: none'], strict=True)]
        share = statistics.median(added) / bare
        print(
            f'{name:18} median {statistics.median(values):6.1f} ms'
            + (f', adds {share:+.1%} of the forward pass' if name[5:] in CAMS[1:] else '')
        )


if __name__ == '__main__':
    main()
