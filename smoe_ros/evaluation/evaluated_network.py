# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network under evaluation, and the pictures as it gets them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from smoe_ros.engines.folding import fold_batch_norms
from smoe_ros.errors import ConfigurationError
from smoe_ros.evaluation.boxes import Box, boxes_in_input
from smoe_ros.evaluation.subjects import Subject
from smoe_ros.explainer import Explainer
from smoe_ros.explainer.settings import Settings
from smoe_ros.images import Rgb
from smoe_ros.machine.devices import resolve_device


@dataclass(frozen=True)
class Question:
    """A picture as the network gets it, and what the network says that it shows.

    Attributes:
        name: Name of the picture.
        rgb: The picture, shape (h, w, 3), uint8.
        image: The network's input, shape (3, H, W).
        label: The most probable class.
        label_name: Its name.
        probability: Its probability.
        boxes: Boxes around what the picture shows, in pixels of the input; empty if none are
            known.
    """

    name: str
    rgb: Rgb
    image: Tensor
    label: int
    label_name: str
    probability: float
    boxes: tuple[Box, ...] = ()


class Network:
    """A classifier that answers, and can be explained.

    Attributes:
        name: Its name.
        explainer: Explains it. Its network is as it was loaded, so that other libraries and
            randomisation find the modules that they know.
        model: That network.
    """

    def __init__(self, settings: Settings) -> None:
        """Load it; whatever the settings say, its engine is torch.

        Raises:
            ConfigurationError: If a setting cannot work, or the network puts out no class scores.
        """
        self._device = resolve_device(settings.device)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self._backbone = settings.load_backbone()
        self.name = self._backbone.name
        self.model = self._backbone.model.to(self._device)
        self.explainer = Explainer(
            self.model,
            settings.scales,
            settings.scale_weights,
            settings.statistic,
            settings.normalization,
            input_size=(settings.short_side, settings.short_side),
        )
        noise = settings.noise().to(self._device)
        if self.explainer(noise).logits is None:
            raise ConfigurationError(
                f"'{settings.backbone}' puts out no class scores of shape (B, K), which deletion "
                'and insertion measure; choose a classifier (smoe_scales --list names them)'
            )
        # Only answers: nothing in it needs to be found again, so it may be the faster one.
        self._classifier = copy.deepcopy(self.model).eval()
        fold_batch_norms(self._classifier, noise)

    def classify(self, batch: Tensor) -> Tensor:
        """Return the probability of each class, (B, 3, H, W) -> (B, K), softmax of the scores."""
        batch = batch.to(self._device, memory_format=torch.channels_last)
        with torch.inference_mode():
            return self._classifier(batch).softmax(dim=1)

    def prepare(self, rgb: Rgb) -> Tensor:
        """Return a picture as the network gets it, (h, w, 3) uint8 -> (3, H, W)."""
        return self._backbone.preprocess(rgb).to(self._device)

    def question(self, subject: Subject, boxes: Sequence[Box] = ()) -> Question:
        """Ask the network what a picture shows; boxes are in the picture's own pixels.

        Raises:
            FrameError: If the picture cannot be the network's input.
            ValueError: If a box is not in the picture.
        """
        image = self.prepare(subject.rgb)
        probability, label = self.classify(image[None])[0].max(dim=0)
        index, labels = int(label), self._backbone.labels
        height, width = subject.rgb.shape[:2]
        return Question(
            subject.name,
            subject.rgb,
            image,
            index,
            labels[index] if index < len(labels) else f'class {index}',
            float(probability),
            tuple(boxes_in_input(boxes, (height, width), (image.shape[1], image.shape[2]))),
        )
