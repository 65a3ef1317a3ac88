# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A user's network that is slow, or fails, when a test wants it to.

The node loads it, as ``backbone:=NETWORK``. A test says what it wants in the file that the
environment variable VARIABLE names, in JSON: ``delay`` in seconds holds for every forward pass;
``fault`` is taken out of the file by the pass that it happens to; ``immovable`` fails with an
error that nobody expects while the network is loaded.
"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

VARIABLE = 'SMOE_TEST_SCRIPT'
NETWORK = f'{Path(__file__).resolve()}:build'


def _read():
    path = Path(os.environ.get(VARIABLE, ''))
    with suppress(OSError, ValueError):
        return path, json.loads(path.read_text())
    return path, {}


def write(path, **script):
    """Say what the network is to do, all at once."""
    temporary = path.with_suffix('.new')
    temporary.write_text(json.dumps(script))
    temporary.replace(path)


class Scripted(nn.Module):
    """Two halvings and a classifier of two classes."""

    def __init__(self):
        super().__init__()
        self.conv1, self.act1 = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU()
        self.conv2, self.act2 = nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.ReLU()
        self.classifier = nn.Linear(8, 2)

    def forward(self, x):
        path, script = _read()
        fault = script.pop('fault', None)
        if fault is not None:
            write(path, **script)
        time.sleep(script.get('delay', 0.0))
        if fault == 'exception':
            raise RuntimeError('the network has a bad day')
        x = self.act2(self.conv2(self.act1(self.conv1(x))))
        return self.classifier(x.mean(dim=(2, 3)))

    def to(self, *arguments, **options):
        if 'immovable' in _read()[1]:
            raise TypeError('this network cannot be moved')
        return super().to(*arguments, **options)


def build():
    """Return the network, with the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Scripted()
