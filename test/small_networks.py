# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the explainer run on: small networks of our own, and real photographs."""

import threading

import numpy as np
import pytest
import skimage.data
import torch
from torch import nn

from smoe_ros.backbones import load_backbone
from smoe_ros.errors import ConfigurationError

CAT = skimage.data.chelsea  # 300x451
COFFEE = skimage.data.coffee  # 400x600
ROCKET = skimage.data.rocket  # 427x640
ASTRONAUT = skimage.data.astronaut  # 512x512


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    """Run torch on one thread: with two, tests on a busy machine take ten times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def noise(*shape, seed=0):
    """Return normal noise of a shape, the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def photo_batch(height, width):
    """Return three real photographs, cropped and normalised, shape (3, 3, height, width)."""
    crops = [photo()[40 : 40 + height, 60 : 60 + width] for photo in (CAT, COFFEE, ROCKET)]
    pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
    return (pixels.float() - 127) / 128


def refusal_of_backbone(*args, **options):
    """Return the one line with which `load_backbone` refuses."""
    with pytest.raises(ConfigurationError) as refused:
        load_backbone(*args, **options)
    text = str(refused.value)
    assert '\n' not in text
    assert len(text) < 700
    return text


def hooks_of(network):
    """Return all hooks in a network: by module and kind, in the order in which they are called."""
    kinds = ('_forward_pre_hooks', '_forward_hooks', '_backward_pre_hooks', '_backward_hooks')
    return {
        (name, kind): list(getattr(module, kind).items())
        for name, module in network.named_modules()
        for kind in kinds
        if getattr(module, kind)
    }


def down(channels_in, channels_out):
    """Return a convolution that halves the resolution."""
    return nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1)


class Plain(nn.Module):
    """Three halvings with ReLUs in place, then a classifier: scales act1, act2, act3."""

    def __init__(self, batch_norm=False):
        super().__init__()
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        self.conv1, self.norm1, self.act1 = down(3, 8), norm(8), nn.ReLU(inplace=True)
        self.pause = nn.Identity()
        self.conv2, self.norm2, self.act2 = down(8, 12), norm(12), nn.ReLU(inplace=True)
        self.conv3, self.norm3, self.act3 = down(12, 17), norm(17), nn.ReLU(inplace=True)
        self.pool, self.classifier = nn.AdaptiveAvgPool2d(1), nn.Linear(17, 5)

    def forward(self, x):
        x = self.act1(self.norm1(self.conv1(x)))
        x = self.act2(self.norm2(self.conv2(self.pause(x))))
        x = self.act3(self.norm3(self.conv3(x)))
        return self.classifier(self.pool(x).flatten(1))


def seeded(build):
    """Build a network with random weights that are the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().eval()


def plain(batch_norm=False):
    """Return a Plain network with random weights that are the same each time."""
    return seeded(lambda: Plain(batch_norm))


class Raises(nn.Module):
    """Passes its input on, until it is given an error to raise."""

    def __init__(self):
        super().__init__()
        self.error = None

    def forward(self, x):
        if self.error is not None:
            raise self.error
        return x


class Turnstile(nn.Module):
    """Passes its input on; chosen threads wait inside until they are let through."""

    def __init__(self):
        super().__init__()
        self.entered, self.opened = {}, {}

    def hold(self, thread_name):
        self.entered[thread_name], self.opened[thread_name] = threading.Event(), threading.Event()

    def forward(self, x):
        name = threading.current_thread().name
        if name in self.entered:
            self.entered[name].set()
            assert self.opened[name].wait(20), 'nobody opened the turnstile'
        return x


class TurnstileReLU(Turnstile):
    """An activation in which threads wait."""

    def forward(self, x):
        return super().forward(x).relu()
