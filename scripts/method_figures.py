# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of docs/method.md: photos as EfficientNet-Lite0 with ImageNet weights sees them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import skimage.data
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import gammainc, gammaln

from smoe_ros.backbones import load_backbone
from smoe_ros.engines import EagerEngine
from smoe_ros.explainer import Explainer, Explanation
from smoe_ros.images import Rgb
from smoe_ros.rendering import lovi
from smoe_ros.saliency import gamma_cdf
from smoe_ros.saliency.gamma import fit_shape, log_mean_ratio
from smoe_ros.saliency.methods import STATISTICS, MethodOptions
from smoe_ros.scales import Scale

Array = np.typing.NDArray[np.floating]

PHOTOS = ('chelsea', 'coffee', 'rocket')
NOISE = 'white noise'

_DPI = 120
# Shows both the white and the black of LOVI.
_GREY = '#cfcfcf'
# JPEG for photos, of which PNG would make megabytes.
_JPEG = {'quality': 88, 'optimize': True}


class Photo(NamedTuple):
    """A photo and its explanation."""

    name: str  # in skimage.data
    rgb: Rgb
    label: str  # the class that the network takes it for, and how surely
    scales: tuple[Scale, ...]
    explanation: Explanation  # of a batch of this photo alone
    raw_maps: list[torch.Tensor]  # SMOE Scale of each scale, shape (1, h, w) each
    activations: list[torch.Tensor]  # what it was taken of, shape (1, C, h, w) each

    @property
    def aspect(self) -> float:
        """Height over width."""
        return self.rgb.shape[0] / self.rgb.shape[1]


def explained_photos(names: Sequence[str] = PHOTOS, **options: str) -> list[Photo]:
    """Explain photos.

    Args:
        names: Names in skimage.data, or ``NOISE``.
        options: Of `Explainer`.
    """
    backbone = load_backbone()
    photos = []
    with Explainer(backbone.model, **options) as explainer:
        scales = explainer.scales
        for name in names:
            if name == NOISE:
                rgb = np.random.default_rng(0).integers(0, 256, (300, 450, 3), np.uint8)
            else:
                rgb = getattr(skimage.data, name)()
            batch = backbone.preprocess(rgb)[None]
            seen = explainer(batch)
            chance, index = seen.logits[0].softmax(dim=0).max(dim=0)
            label = f'{backbone.labels[index]}\n{chance:.0%}'
            engine = EagerEngine(backbone.model, scales)
            read = engine.forward(batch, MethodOptions(), keep_activations=True)
            photos.append(Photo(name, rgb, label, scales, seen, read.raw_maps, read.activations))
    return photos


def draw_all(folder: Path) -> None:
    """Draw every picture of the document into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({'font.size': 13, 'axes.titlesize': 13, 'savefig.dpi': _DPI}):
        photos = explained_photos()
        _draw_scales(photos, folder / 'scales.jpg')
        _draw_lovi_legend(folder / 'lovi_legend.png')
        _draw_gamma_cdf(photos[0], folder / 'gamma_cdf.png')
        _draw_statistics(folder / 'statistics.jpg')
        _draw_class_map(folder / 'class_map.jpg')


def truncated_gammainc(k: Array | float, x: Array, terms: int = 8) -> Array:
    """The lower incomplete gamma function P(k, x) by the first terms of its power series.

    P(k, x) ≈ x^k · e^-x · Σ_{i < terms} x^i / Γ(k + i + 1); exact for infinitely many.
    """
    log_x = np.log(np.maximum(x, 1e-300))
    return sum(np.exp((k + i) * log_x - x - gammaln(k + i + 1)) for i in range(terms))


def _draw_scales(photos: Sequence[Photo], path: Path) -> None:
    """A row a photo: the photo, each scale's map, the saliency and LOVI."""
    scales = photos[0].scales
    titles = ['photo']
    titles += [
        f'scale {i}: 1/{2**i}\n{scale.channels} channels' for i, scale in enumerate(scales, 1)
    ]
    titles += ['saliency', 'LOVI']
    heights = [photo.rgb.shape[0] / photo.rgb.shape[1] for photo in photos]
    width = 14.4
    height = width / len(titles) * sum(heights) + 0.55 * len(photos) + 0.6
    figure = Figure((width, height), layout='constrained')
    rows = figure.subplots(len(photos), len(titles), height_ratios=heights)
    for photo, row in zip(photos, rows, strict=True):
        maps = photo.explanation.scale_maps[0].numpy()
        pictures = [photo.rgb, *maps, photo.explanation.saliency[0].numpy(), lovi(maps)]
        shares = [f'{share:.0%}' for share in photo.explanation.contributions[0].tolist()]
        for axes, picture, note in zip(row, pictures, [photo.label, *shares, '', ''], strict=True):
            _show(axes, picture, note, photo.aspect)
    for axes, title in zip(rows[0], titles, strict=True):
        axes.set_title(title)
    _save(figure, path)


def _draw_lovi_legend(path: Path) -> None:
    """What LOVI makes of one place where some of five scales are salient."""
    cases = {
        '1\n(finest)': (1, 0, 0, 0, 0),
        '2': (0, 1, 0, 0, 0),
        '3': (0, 0, 1, 0, 0),
        '4': (0, 0, 0, 1, 0),
        '5\n(deepest)': (0, 0, 0, 0, 1),
        '1 and 2': (1, 1, 0, 0, 0),
        '4 and 5': (0, 0, 0, 1, 1),
        '1 and 5': (1, 0, 0, 0, 1),
        '1 to 4': (1, 1, 1, 1, 0),
        'all': (1, 1, 1, 1, 1),
        '5, half\nas much': (0, 0, 0, 0, 0.5),
        'none': (0, 0, 0, 0, 0),
    }
    maps = np.array(list(cases.values()), np.float32).T[:, None]
    figure = Figure((12, 1.9), layout='constrained', facecolor=_GREY)
    axes = figure.subplots()
    axes.imshow(lovi(maps), aspect='auto', interpolation='nearest')
    axes.set_xticks(range(len(cases)), cases.keys())
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.set_title('the scales that are salient at a place')
    axes.set_xticks(np.arange(len(cases) - 1) + 0.5, minor=True)
    axes.grid(which='minor', axis='x', color=_GREY, linewidth=4)
    axes.tick_params(which='minor', length=0)
    axes.spines[:].set_visible(False)
    _save(figure, path)


def _draw_gamma_cdf(photo: Photo, path: Path) -> None:
    """The truncated series for the Gamma CDF beside the exact one: curve and map."""
    figure = Figure((14, 4.1), layout='constrained')
    curves, exact, truncated = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    x = np.linspace(0, 16, 400)
    curves.plot(x, gammainc(2, x), color='tab:blue', linewidth=2.5)
    curves.plot(x, truncated_gammainc(2, x), color='tab:red', linewidth=2.5)
    curves.set(xlabel='x / θ', ylabel='P(k, x / θ)', title='k = 2', ylim=(0, 1.05), xlim=(0, 16))
    curves.text(11, 0.93, 'exact', color='tab:blue')
    curves.text(9.6, 0.57, '8 terms of the series', color='tab:red')
    curves.grid(alpha=0.3)
    raw_map = photo.raw_maps[1]
    _show(exact, gamma_cdf(raw_map)[0].numpy(), '', photo.aspect)
    x = (raw_map - raw_map.min() + 1e-7).double().flatten(1)
    mean, s = log_mean_ratio(x, dim=1)
    k = fit_shape(s)
    cdf = truncated_gammainc(k.item(), (x * k / mean).numpy())
    _show(truncated, cdf.reshape(raw_map.shape[1:]), '', photo.aspect)
    exact.set_title('gamma_cdf, exact')
    truncated.set_title('gamma_cdf by 8 terms')
    _save(figure, path)


def _draw_statistics(path: Path) -> None:
    """The fused saliency of one photo by every statistic."""
    pictures = {}
    for name in STATISTICS:
        (photo,) = explained_photos(('coffee',), statistic=name)
        pictures['photo'] = photo.rgb
        pictures[name.replace('_normal', '_\nnormal')] = photo.explanation.saliency[0].numpy()
    _draw_row(pictures, photo, '', 2.2, path)


def _draw_class_map(path: Path) -> None:
    """Photo, saliency, class activation, class map and rest."""
    (plain,) = explained_photos(('coffee',))
    (photo,) = explained_photos(('coffee',), cam='grad_cam')
    seen = photo.explanation
    pictures = {
        'photo': photo.rgb,
        'saliency S': plain.explanation.saliency[0].numpy(),
        'class activation CAM': seen.class_activation[0].numpy(),
        'class map S · CAM': seen.saliency[0].numpy(),
        'rest S · (1 − CAM)': seen.rest[0].numpy(),
    }
    _draw_row(pictures, photo, photo.label, 2.6, path)


def _draw_row(
    pictures: dict[str, Array], photo: Photo, note: str, height: float, path: Path
) -> None:
    """Draw pictures of a photo under their titles, the note below the first."""
    figure = Figure((14.4, height), layout='constrained')
    row = figure.subplots(1, len(pictures))
    for axes, (title, picture) in zip(row, pictures.items(), strict=True):
        _show(axes, picture, note if title == 'photo' else '', photo.aspect)
        axes.set_title(title)
    _save(figure, path)


def _show(axes: Axes, picture: Array, note: str, aspect: float) -> None:
    """Show a picture, or a map from 0 (black) to 1 (white), over the photo's whole area."""
    height, width = picture.shape[:2]
    axes.imshow(picture, cmap='gray', vmin=0, vmax=1, aspect=aspect * width / height)
    axes.set(xticks=[], yticks=[], xlabel=note)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, pil_kwargs=_JPEG if path.suffix == '.jpg' else {'optimize': True})
