# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The documents say what is so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import smoe_ros
from smoe_ros.options.choices import CAMS
from smoe_ros.saliency.methods import NORMALIZATIONS, STATISTICS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'
METHOD = (DOCS / 'method.md').read_text(encoding='utf-8')
BACKBONES = (DOCS / 'backbones.md').read_text(encoding='utf-8')
LARGEST_PICTURE = 300_000
# Quick to build, and each of another kind: plain, one module called twice, a segmenter.
FEW = ('squeezenet1_1', 'efficientnet_lite0', 'lraspp_mobilenet_v3_large')


def rows(part):
    """Return the names in the first column of a generated table."""
    (table,) = re.findall(rf'<!-- {part} -->\n(.*?)<!-- end {part} -->', BACKBONES, re.DOTALL)
    return re.findall(r'^\| `(\w+)` \|', table, re.MULTILINE)


@pytest.mark.parametrize('name', [*STATISTICS, *NORMALIZATIONS, *CAMS])
def test_every_name_of_the_method_has_a_row_in_a_table(name):
    assert re.search(rf'^\| `{name}` \|', METHOD, re.MULTILINE)


@pytest.mark.parametrize(
    'document', [ROOT / 'README.md', *sorted(DOCS.glob('*.md'))], ids=lambda path: path.name
)
def test_files_that_a_document_links_to_exist(document):
    links = re.findall(r'\]\((?!https?:)([^)#]+)', document.read_text(encoding='utf-8'))
    assert links
    for link in links:
        assert (document.parent / link).exists(), link


def test_every_picture_is_linked_and_small_enough_for_a_page():
    pictures = list((DOCS / 'method').iterdir())
    assert {path.name for path in pictures} == set(re.findall(r'\(method/([^)]+)\)', METHOD))
    for path in pictures:
        assert path.stat().st_size < LARGEST_PICTURE, path.name


def test_tables_are_those_of_the_code():
    """The names of all networks, and the rows of a few: all together take minutes."""
    paths = [str(Path(smoe_ros.__file__).parents[1]), os.environ.get('PYTHONPATH', '')]
    # One thread: with two, torch takes ten times as long on a busy machine.
    changes = {'PYTHONPATH': os.pathsep.join(filter(None, paths)), 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(
        [sys.executable, str(ROOT / 'scripts' / 'update_docs'), '--check', '--only', *FEW],
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_network_has_been_timed():
    for name in [*rows('classifiers'), *rows('dense networks')]:
        times = r'\d+\.\d \| \d+\.\d'
        assert re.search(rf'^\| `{name}` \| \d+\.\d \| {times} \|', BACKBONES, re.MULTILINE), name
