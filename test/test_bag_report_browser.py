# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a bag in a real browser: on a phone it fits and can be read."""

import html
import itertools
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip('rclpy')

from explained_bags import Recorder, explanation, picture

from smoe_ros.offline.report.report import write_report

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f'none of {", ".join(BROWSERS)} is here')

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
    plots: [...page.querySelectorAll('figure')].map(figure => {
      const box = figure.getBoundingClientRect();
      return {
        heights: [...figure.querySelectorAll('svg')].map(e => e.getBoundingClientRect().height),
        texts: [...figure.querySelectorAll('.unit, .chart span')].map(text => {
          const own = text.getBoundingClientRect();
          const inside = own.left >= box.left - 1 && own.right <= box.right + 1
            && own.top >= box.top - 1 && own.bottom <= box.bottom + 1;
          return [text.textContent, size(text), inside];
        }),
        ticks: [...figure.querySelectorAll('.chart')].map(chart =>
          [...chart.querySelectorAll('.across')].map(e => e.getBoundingClientRect())
            .map(e => [e.left, e.right])),
      };
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


def record(bag):
    """Write a bag with whatever makes a page wide: long names, many scales, changes of network."""
    random, recorder = np.random.default_rng(5), Recorder(bag)
    for index in range(150):
        second, count = index / 10, 5 if index < 100 else 12
        message = explanation(
            second,
            random.dirichlet(np.full(count, 20.0)).tolist(),
            'a class, or a whole sentence about it, ' * (1 + index % 3),
            'a_network_of_a_long_name' * (1 + index // 100),
            [f'features.denseblock4.denselayer{place}.relu' for place in range(count)],
        )
        for camera, (width, height) in CAMERAS.items():
            recorder.add(f'{camera}/smoe/contributions', message)
            recorder.add(f'{camera}/smoe/overlay', picture(second, index, width, height))
            recorder.add(f'{camera}/smoe/lovi', picture(second, 255 - index))
    return recorder.write()


@pytest.fixture(scope='module')
def measures(tmp_path_factory):
    folder = tmp_path_factory.mktemp('browser')
    write_report(record(folder / 'bag'), folder / 'report.html', print)
    page = html.escape((folder / 'report.html').read_text(encoding='utf-8'))
    frames = (
        f'<iframe width="{width}" height="900" style="border: 0" srcdoc="{page}"></iframe>'
        for width in (PHONE, DESK)
    )
    wrapper = folder / 'wrapper.html'
    wrapper.write_text(WRAPPER % '\n'.join(frames), encoding='utf-8')
    command = [str(BROWSER), '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars']
    command += [f'--user-data-dir={folder}/profile', '--no-first-run', '--disable-dev-shm-usage']
    command += ['--virtual-time-budget=20000', '--dump-dom', wrapper.as_uri()]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    found = re.search(r'<pre id="measures">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture
def phone(measures):
    return measures[str(PHONE)]


@pytest.mark.parametrize('width', [PHONE, DESK])
def test_nothing_is_wider_than_the_screen(measures, width):
    assert measures[str(width)]['scrollWidth'] <= width
    assert measures[str(width)]['beyond'] == []


def test_every_image_is_loaded_and_keeps_its_shape(phone):
    # Six and six frames of each camera; overlay and LOVI.
    assert len(phone['images']) == 2 * 12 * len(CAMERAS)
    for natural_width, natural_height, width, height in phone['images']:
        assert natural_width > 0
        assert width / height == pytest.approx(natural_width / natural_height, rel=0.05)


@pytest.mark.parametrize('width', [PHONE, DESK])
def test_every_chart_is_seen_and_its_text_can_be_read(measures, width):
    plots = measures[str(width)]['plots']
    assert len(plots) == 2 * len(CAMERAS)  # one a network
    for plot in plots:
        assert sum(plot['heights']) > 300
        assert 'contribution (%)' in [text for text, *_ in plot['texts']]
        for text, size, inside in plot['texts']:
            assert size >= 14, text
            assert inside, text
        for ticks in plot['ticks']:
            assert len(ticks) >= 3
            assert all(one[1] < other[0] for one, other in itertools.pairwise(ticks))


def test_bands_of_classes_are_seen(phone):
    assert len(phone['bands']) == 3 * len(CAMERAS)
    assert min(phone['bands']) >= 10


def test_no_text_is_too_small_for_a_phone(phone):
    assert len(phone['texts']) > 100
    assert [(text, size) for text, size in phone['texts'] if size < 14] == []


def test_every_scale_has_a_colour_of_its_own(phone):
    # The first legend is of five scales.
    assert len(set(phone['colours'][:5])) == 5
    assert 'rgba(0, 0, 0, 0)' not in phone['colours']
