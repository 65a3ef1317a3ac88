# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs of smoe_evaluate for tests: a small network, small pictures, and what was measured."""

import csv
import json

import cv2
from small_networks import CAT, COFFEE

NETWORK = """
import torch
from torch import nn

def build(seed=0):
    torch.manual_seed(seed)
    layers = []
    for wide, narrow in ((3, 8), (8, 12), (12, 16)):
        layers += [nn.Conv2d(wide, narrow, 3, 2, 1), nn.BatchNorm2d(narrow), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5))

def other():
    return build(1)

class Undecided(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = build()

    def forward(self, x):
        return self.net(x) * (x.abs().sum(dim=(1, 2, 3)) / x.abs().sum(dim=(1, 2, 3)))[:, None]

def undecided():
    return Undecided()

def segmentation():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
"""


def write_network(folder):
    """Write network.py, whose functions build networks."""
    (folder / 'network.py').write_text(NETWORK)


def write_photos(photos):
    """Write cat.png and coffee.png into a new folder."""
    photos.mkdir()
    for name, photo in (('cat', CAT()), ('coffee', COFFEE())):
        small = cv2.resize(photo, (96, 64), interpolation=cv2.INTER_AREA)
        assert cv2.imwrite(str(photos / f'{name}.png'), small[..., ::-1])


def arguments(folder, output, *more, backbone='build'):
    """Return a command line for a quick run."""
    return [
        *('--output', str(output), '--quick', '--short-side', '64', '--threads', '1'),
        *('--backbone', f'{folder / "network.py"}:{backbone}'),
        *map(str, more),
    ]


def averages_of(figure):
    """Return what was measured of averages over time, without the time that it took."""
    return [{**one, 'ms': None} for one in json.loads(figure)]


def figures(output):
    """Return every figure but the times by task, subject, method and name."""
    with (output / 'evaluation.csv').open(newline='') as file:
        rows = list(csv.reader(file))
    assert rows[0] == ['task', 'subject', 'method', 'figure', 'value']
    found = {tuple(row[:4]): row[4] for row in rows[1:] if row[0] != 'time'}
    return {
        key: averages_of(value) if key[3] == 'averages' else value for key, value in found.items()
    }
