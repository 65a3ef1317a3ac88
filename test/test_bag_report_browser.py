# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a bag in a real browser: on a phone it fits and can be read."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from smoe_msgs.msg import ScaleContribution, ScaleContributions
from smoe_ros.bags import BagWriter, typestore
from smoe_ros.offline.report.report import write_report

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f'none of {", ".join(BROWSERS)} is here')

DEFINITIONS = sorted((Path(__file__).parents[1] / 'smoe_msgs' / 'msg').glob('*.msg'))
START = 1_700_000_000
CAMERAS = {'/front': (64, 48), '/a_long_namespace/of_the_robot/left_rear_wheel': (1000, 300)}
PHONE, DESK = 390, 1280
WAIT_SECONDS = 120

# Windows of a headless browser are at least 500 pixels wide; frames inside them are not. The page
# may not run scripts, but the one around it may look into it.
WRAPPER = """<!DOCTYPE html><meta charset="utf-8"><body>
%s
<pre id="measures"></pre>
<script>
function measure(frame) {
  const page = frame.contentDocument, view = frame.contentWindow;
  const seen = element => element.getClientRects().length > 0;
  const all = [...page.body.querySelectorAll('*')].filter(seen);
  const written = element => !element.closest('svg')
    && [...element.childNodes].some(node => node.nodeType == 3 && node.data.trim());
  const size = element => parseFloat(view.getComputedStyle(element).fontSize);
  return {
    scrollWidth: page.documentElement.scrollWidth,
    beyond: all.filter(e => !e.parentElement.closest('.scroll, svg')
      && e.getBoundingClientRect().right > page.documentElement.clientWidth + 0.5)
      .map(e => e.outerHTML.slice(0, 200)),
    images: [...page.images].map(image => [image.naturalWidth, image.naturalHeight,
      image.getBoundingClientRect().width, image.getBoundingClientRect().height]),
    plots: [...page.querySelectorAll('.plot svg')].filter(seen).map(svg => {
      const box = svg.getBoundingClientRect(), unit = box.width / svg.viewBox.baseVal.width;
      return {height: box.height, texts: [...svg.querySelectorAll('text')].map(text => {
        const own = text.getBoundingClientRect();
        const inside = own.left >= box.left - 1 && own.right <= box.right + 1
          && own.top >= box.top - 1 && own.bottom <= box.bottom + 1;
        return [text.textContent, size(text) * unit, inside];
      })};
    }),
    bands: [...page.querySelectorAll('.band svg')].map(e => e.getBoundingClientRect().height),
    texts: all.filter(written).map(e => [e.textContent.trim().slice(0, 60), size(e)]),
    colours: [...page.querySelectorAll('.legend .swatch')]
      .map(e => view.getComputedStyle(e).backgroundColor),
  };
}
window.addEventListener('load', () => {
  const measures = {};
  for (const frame of document.querySelectorAll('iframe'))
    measures[frame.width] = measure(frame);
  document.getElementById('measures').textContent = JSON.stringify(measures);
});
</script>
"""


def record(bag: Path) -> None:
    """Write a bag with whatever makes a page wide: long names, many scales, changes of network."""
    random = np.random.default_rng(5)
    with BagWriter(bag, typestore(DEFINITIONS)) as writer:
        for camera in CAMERAS:
            writer.add_topic(f'{camera}/smoe/contributions', 'smoe_msgs/msg/ScaleContributions')
            writer.add_topic(f'{camera}/smoe/overlay', 'sensor_msgs/msg/Image')
            writer.add_topic(f'{camera}/smoe/lovi', 'sensor_msgs/msg/Image')
        for index in range(150):
            header = Header(stamp=Time(sec=START + index // 10, nanosec=index % 10 * 10**8))
            count = 5 if index < 100 else 12
            shares = random.dirichlet(np.full(count, 20.0)).tolist()
            message = ScaleContributions(
                header=header,
                backbone='a_network_of_a_long_name' * (1 + index // 100),
                class_label='a class, or a whole sentence about it, ' * (index % 3),
                class_probability=0.5,
            )
            message.scales = [
                ScaleContribution(layer=f'features.denseblock4.denselayer{place}.relu', **kind)
                for place, kind in enumerate({'contribution': share} for share in shares)
            ]
            for camera, (width, height) in CAMERAS.items():
                messages = {
                    'contributions': message,
                    'overlay': picture(header, width, height, index),
                    'lovi': picture(header, 64, 48, 255 - index),
                }
                for name, one in messages.items():
                    time = START * 10**9 + index * 10**8
                    writer.write(f'{camera}/smoe/{name}', time, serialize_message(one))


def picture(header: Header, width: int, height: int, grey: int) -> Image:
    data = array('B', bytes([grey]) * (width * height))
    size = {'width': width, 'height': height, 'step': width}
    return Image(header=header, encoding='mono8', data=data, **size)


@pytest.fixture(scope='module')
def measures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp('browser')
    record(folder / 'bag')
    write_report(folder / 'bag', folder / 'report.html', print)
    page = html.escape((folder / 'report.html').read_text(encoding='utf-8'))
    frames = (
        f'<iframe width="{width}" height="900" style="border: 0" srcdoc="{page}"></iframe>'
        for width in (PHONE, DESK)
    )
    wrapper = folder / 'wrapper.html'
    wrapper.write_text(WRAPPER % '\n'.join(frames), encoding='utf-8')
    command = [str(BROWSER), '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars']
    command += [
        f'--user-data-dir={folder / "profile"}',
        '--no-first-run',
        '--disable-dev-shm-usage',
    ]
    command += ['--virtual-time-budget=20000', '--dump-dom', wrapper.as_uri()]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    found = re.search(r'<pre id="measures">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture
def phone(measures: dict[str, Any]) -> dict[str, Any]:
    return measures[str(PHONE)]


@pytest.fixture
def desk(measures: dict[str, Any]) -> dict[str, Any]:
    return measures[str(DESK)]


@pytest.mark.parametrize('width', [PHONE, DESK])
def test_nothing_is_wider_than_the_screen(measures: dict[str, Any], width: int) -> None:
    assert measures[str(width)]['scrollWidth'] <= width
    assert measures[str(width)]['beyond'] == []


def test_every_image_is_loaded_and_keeps_its_shape(phone: dict[str, Any]) -> None:
    # Six and six frames of each camera; overlay and LOVI.
    assert len(phone['images']) == 2 * 12 * len(CAMERAS)
    for natural_width, natural_height, width, height in phone['images']:
        assert natural_width > 0
        assert width / height == pytest.approx(natural_width / natural_height, rel=0.05)


@pytest.mark.parametrize('width', [PHONE, DESK])
def test_every_plot_is_seen_and_its_text_can_be_read(measures: dict[str, Any], width: int) -> None:
    plots = measures[str(width)]['plots']
    assert len(plots) == 2 * len(CAMERAS)  # one a network
    for plot in plots:
        assert plot['height'] > 100
        assert 'contribution (%)' in [text for text, *_ in plot['texts']]
        for text, size, inside in plot['texts']:
            assert size >= 10, text
            assert inside, text


def test_bands_of_classes_are_seen(phone: dict[str, Any]) -> None:
    assert len(phone['bands']) == 3 * len(CAMERAS)
    assert min(phone['bands']) >= 10


def test_no_text_is_too_small_for_a_phone(phone: dict[str, Any]) -> None:
    assert len(phone['texts']) > 100
    assert [(text, size) for text, size in phone['texts'] if size < 14] == []


def test_every_scale_has_a_colour_of_its_own(desk: dict[str, Any]) -> None:
    # The first legend is of five scales.
    assert len(set(desk['colours'][:5])) == 5
    assert 'rgba(0, 0, 0, 0)' not in desk['colours']
