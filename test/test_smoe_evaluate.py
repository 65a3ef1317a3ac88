# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_evaluate: what it writes, how it goes on after an interruption, what it refuses."""

import csv
import importlib.util
import json
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from small_networks import CAT, COFFEE, one_thread  # noqa: F401 - a fixture

from smoe_ros.evaluation.evaluated_network import Network
from smoe_ros.evaluation.smoe_evaluate import main
from smoe_ros.evaluation.subjects import Subject
from smoe_ros.explainer.settings import Settings

RUN = (sys.executable, '-m', 'smoe_ros.evaluation.smoe_evaluate')
OWN = ('SMOE Scale', 'SMOE Scale × Grad-CAM', 'SMOE Scale × Grad-CAM++', 'SMOE Scale × XGrad-CAM')
BASELINES = ('random', 'centred Gaussian', 'Sobel edges', 'last-layer mean', 'Grad-CAM')
FAITHFULNESS = ['deletion', 'insertion', 'difference', 'gini']
NETWORK = """
import torch
from torch import nn

def build():
    torch.manual_seed(0)
    layers = []
    for wide, narrow in ((3, 8), (8, 12), (12, 16)):
        layers += [nn.Conv2d(wide, narrow, 3, 2, 1), nn.BatchNorm2d(narrow), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5))

class Undecided(nn.Sequential):
    def forward(self, x):
        energy = x.abs().sum(dim=(1, 2, 3))
        return super().forward(x) * (energy / energy)[:, None]

def undecided():
    return Undecided(*build())

def segmentation():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
"""


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


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A network, two photos, a film that moves and boxes."""
    folder = tmp_path_factory.mktemp('evaluate')
    (folder / 'network.py').write_text(NETWORK)
    (folder / 'photos').mkdir()
    for name, photo in (('cat', CAT()), ('coffee', COFFEE())):
        small = cv2.resize(photo, (96, 64), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / 'photos' / f'{name}.png'), small[..., ::-1])
    film = cv2.VideoWriter(str(folder / 'film.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (96, 64))
    wide = cv2.resize(CAT(), (160, 107), interpolation=cv2.INTER_AREA)
    for shift in range(12):
        film.write(np.ascontiguousarray(wide[20:84, 2 * shift : 2 * shift + 96, ::-1]))
    film.release()
    (folder / 'boxes.csv').write_text('name,label,x0,y0,x1,y1\ncat,cat,10,10,60,50\n')
    return folder


@pytest.fixture(scope='module')
def run(folder, tmp_path_factory):
    """A run on two photos and a film: its output folder, and what it printed."""
    output = tmp_path_factory.mktemp('run') / 'results'
    result = subprocess.run(
        [
            *RUN,
            *arguments(folder, output, folder / 'photos', folder / 'film.avi'),
            *('--boxes', folder / 'boxes.csv', '--frames-per-film', '1'),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return output, result


def test_every_method_gets_every_figure_of_every_picture_and_localisation_where_boxes_are(run):
    found = figures(run[0])
    for key in product(('faithfulness',), ('cat', 'coffee'), (*OWN, *BASELINES), FAITHFULNESS):
        assert -1 <= float(found[key]) <= 1
    assert 0 <= float(found['faithfulness', 'cat', 'SMOE Scale', 'energy']) <= 1
    assert found['faithfulness', 'cat', 'SMOE Scale', 'pointing'] in ('0.0', '1.0')
    assert ('faithfulness', 'coffee', 'SMOE Scale', 'energy') not in found


def test_energy_is_told_beside_that_of_a_flat_map(run):
    share = (50 * 40) / (96 * 64)  # the cat's box, and the only one
    assert json.loads((run[0] / 'evaluation.json').read_text())['box_share'] == pytest.approx(
        share, rel=0.05
    )
    assert f'the same everywhere, {share:.3f} ' in (run[0] / 'evaluation.md').read_text()


def test_the_film_is_measured_beside_its_own_motion(run):
    found = figures(run[0])
    for method in (*OWN, *BASELINES, 'the camera image itself'):
        assert float(found['stability', 'film', method, 'flow_error']) >= 0
    assert float(found['stability', 'film', 'contributions', 'contribution_change']) >= 0
    moved = float(found['stability', 'film', 'the camera image itself', 'flow_error'])
    noise = float(found['stability', 'film', 'random', 'flow_error'])
    assert moved < 0.1 < noise  # the motion is undone; of noise it cannot be


def test_averages_over_time_are_measured_and_shown(run):
    averages = figures(run[0])['smoothing', 'film', '', 'averages']
    assert [one['time_constant'] for one in averages] == [0, 0.1, 0.3, 1]
    assert averages[0]['likeness'] == 1
    assert averages[-1]['flow_error'] < averages[0]['flow_error']
    summary = json.loads((run[0] / 'evaluation.json').read_text())
    assert averages_of(json.dumps(summary['smoothing'])) == averages
    row = f'| 0.3 | {averages[2]["flow_error"]:.3f} | {averages[2]["peak_jitter"]:.1f} |'
    assert row in (run[0] / 'evaluation.md').read_text()


def test_json_holds_what_the_tables_show(run):
    summary = json.loads((run[0] / 'evaluation.json').read_text())
    assert [row['name'] for row in summary['methods']][: len(OWN)] == list(OWN)
    assert summary['backbone'].endswith('network.py:build')
    assert summary['weights'] == 'default'
    found = figures(run[0])
    for row in summary['methods']:
        values = [
            float(found['faithfulness', picture, row['name'], 'insertion'])
            for picture in summary['pictures']
        ]
        assert row['insertion']['mean'] == pytest.approx(np.mean(values))
        assert row['ms'] > 0
    assert len(summary['edge_likeness']) == 4  # three scales and the fused map
    assert [len(step['spearman']) for step in summary['randomisation']['steps']] == [4] * 4


def test_report_is_printed_and_shows_pictures_that_exist(run):
    output, result = run
    text = (output / 'evaluation.md').read_text()
    assert result.stdout.strip() == text.strip()
    assert not (output / 'progress.jsonl').exists()
    for name in ('quality.png', 'curves.png', 'randomisation.png', 'examples.png'):
        assert f']({name})' in text
        picture = cv2.imread(str(output / name))
        assert picture.shape[0] > 100
        assert picture.std() > 5  # something is drawn
    for method in (*OWN, *BASELINES):
        assert f'| {method} |' in text


def wait_for_lines(path, count, process):
    deadline = time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)


FEW = ('--methods', 'SMOE Scale,SMOE Scale × Grad-CAM,random,Grad-CAM')


def start(options):
    return subprocess.Popen(
        [*RUN, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope='module')
def uninterrupted(folder, tmp_path_factory):
    """The figures of a few methods, measured in one go."""
    output = tmp_path_factory.mktemp('uninterrupted')
    inputs = (folder / 'photos', folder / 'film.avi')
    assert main(arguments(folder, output, *inputs, *FEW)) == 0
    return figures(output)


def test_an_interrupted_run_goes_on_to_the_same_figures(uninterrupted, folder, tmp_path):
    inputs = (folder / 'photos', folder / 'film.avi')
    options = arguments(folder, tmp_path, *inputs, *FEW)
    log = tmp_path / 'progress.jsonl'
    with start(options) as process:
        wait_for_lines(log, 4, process)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.splitlines()[-1] == 'smoe_evaluate: stopped; --resume goes on'
    assert not (tmp_path / 'evaluation.json').exists()
    assert main([*options, '--resume']) == 0
    assert figures(tmp_path) == uninterrupted


def test_what_was_measured_is_not_measured_again(folder, tmp_path):
    options = [*arguments(folder, tmp_path, folder / 'photos' / 'cat.png'), '--methods', 'random']
    interrupt_at_once(options)
    measured = {
        **{'task': 'faithfulness', 'subject': 'cat', 'method': 'random'},
        **{'deletion': 0.125, 'insertion': 0.25, 'difference': 0.125, 'gini': 0.5},
        **{'deletion_curve': [1, 0], 'insertion_curve': [0, 1]},
    }
    with (tmp_path / 'progress.jsonl').open('a') as file:
        file.write(json.dumps(measured) + '\n')
    assert main([*options, '--resume']) == 0
    assert figures(tmp_path)['faithfulness', 'cat', 'random', 'deletion'] == '0.125'


def interrupt_at_once(options):
    """Leave a run that has measured next to nothing."""
    log = Path(options[options.index('--output') + 1], 'progress.jsonl')
    with start(options) as process:
        wait_for_lines(log, 1, process)
        process.kill()


def test_an_interrupted_run_is_neither_overwritten_nor_mixed_with_another(folder, tmp_path, capfd):
    options = [*arguments(folder, tmp_path, folder / 'photos' / 'cat.png'), '--methods', 'random']
    interrupt_at_once(options)
    before = (tmp_path / 'progress.jsonl').read_bytes()
    assert main(options) == 1
    assert 'go on with it by --resume' in capfd.readouterr().err
    assert main([*options, '--resume', '--seed', '5']) == 1
    said = capfd.readouterr().err
    assert 'the interrupted run had seed 0, ' in said
    assert 'this one has seed 5, ' in said
    assert (tmp_path / 'progress.jsonl').read_bytes() == before


def test_ablation_compares_settings_and_marks_the_default(folder, tmp_path):
    assert main(arguments(folder, tmp_path, folder / 'photos', '--ablation')) == 0
    text = (tmp_path / 'evaluation.md').read_text()
    assert '**`smoe_scale`, `gaussian_cdf`, `equal`**' in text
    assert '| statistic | `gamma_scale` |' in text


@pytest.mark.parametrize(
    ('more', 'text'),
    [
        (['{folder}/nothing.png'], "nothing.png' does not exist"),
        (['{folder}/network.py'], 'network.py'),
        (['{photo}', '--methods', 'grad-cm'], "unknown method 'grad-cm'; did you mean"),
        (['{photo}', '--boxes', '{folder}/none.csv'], 'none.csv'),
        (['{photo}', '--backbone', '{folder}/network.py:segmentation'], 'no class scores'),
        (['{photo}', '--output', '{folder}/network.py'], 'network.py'),
    ],
)
def test_a_bad_input_costs_one_clear_line_and_exit_code_1(folder, tmp_path, capfd, more, text):
    photo = folder / 'photos' / 'cat.png'
    filled = [part.format(folder=folder, photo=photo) for part in more]
    assert main([*arguments(folder, tmp_path / 'results'), *filled]) == 1
    said = [line for line in capfd.readouterr().err.splitlines() if 'left out' not in line]
    assert any(text in line for line in said), said
    assert all(line.startswith('smoe_evaluate: ') for line in said), said
    assert not (tmp_path / 'results' / 'evaluation.json').exists()


def test_road_is_measured_where_its_package_is_and_refused_where_it_is_not(
    folder, tmp_path, capfd
):
    options = arguments(folder, tmp_path, folder / 'photos' / 'cat.png', '--road')
    code = main([*options, '--methods', 'random'])
    if importlib.util.find_spec('pytorch_grad_cam'):
        assert code == 0
        assert ('road', 'cat', 'random', 'road') in figures(tmp_path)
        assert '| ROAD ↑ |' in (tmp_path / 'evaluation.md').read_text()
    else:
        assert code == 1
        assert 'ROAD needs the package grad-cam' in capfd.readouterr().err


def test_a_users_picture_does_not_get_the_boxes_of_a_bundled_one(uninterrupted):
    assert ('faithfulness', 'coffee', 'random', 'gini') in uninterrupted
    assert ('faithfulness', 'coffee', 'random', 'energy') not in uninterrupted


def test_what_cannot_be_measured_is_said_and_the_rest_is_measured(folder, tmp_path, capfd):
    """Of an empty picture this network gives NaN: where deletion ends. A photo is damaged."""
    photo, damaged = folder / 'photos' / 'cat.png', tmp_path / 'damaged.png'
    damaged.write_bytes(photo.read_bytes()[:200])
    inputs = (damaged, photo, '--methods', 'random')
    assert main(arguments(folder, tmp_path, *inputs, backbone='undecided')) == 1
    said = capfd.readouterr().err
    assert 'damaged.png' in said
    assert 'faithfulness of cat by random failed: the network gives no finite' in said
    assert 'Traceback' not in said
    assert 'left out' not in said  # of other libraries, for which nobody asked
    found = figures(tmp_path)
    assert ('sensitivity', 'cat', 'random', 'max_sensitivity') in found
    assert ('faithfulness', 'cat', 'random', 'deletion') not in found
    assert '| random | – | – |' in (tmp_path / 'evaluation.md').read_text()


@pytest.mark.parametrize(
    ('package', 'command', 'arguments', 'text'),
    [
        (
            'scipy',
            'evaluation.smoe_evaluate',
            ['--output', '{out}'],
            'scipy scikit-image matplotlib',
        ),
        ('rosbags', 'offline.smoe_bag', ['explain', 'bag', '{out}'], 'rosbags mcap jinja2'),
        ('jinja2', 'offline.smoe_bag', ['report', 'bag', '-o', '{out}'], 'rosbags mcap jinja2'),
    ],
)
def test_without_a_package_of_its_extra_a_command_says_in_one_line_what_to_install(
    tmp_path, package, command, arguments, text
):
    arguments = [argument.format(out=tmp_path / 'out') for argument in arguments]
    code = (
        f'import sys; sys.modules[{package!r}] = None; '
        f'from smoe_ros.{command} import main; sys.exit(main({arguments!r}))'
    )
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 1
    name = command.rpartition('.')[2]
    said = f'{name}: {package} is not installed, which this needs: pip install {text}\n'
    assert result.stderr == said
    assert not (tmp_path / 'out').exists()


def test_methods_of_an_ablation_are_wrong_usage_and_end_with_2(tmp_path):
    with pytest.raises(SystemExit) as end:
        main(['--output', str(tmp_path / 'results'), '--ablation', '--methods', 'random'])
    assert end.value.code == 2


def test_the_network_is_explained_and_answers_as_the_settings_say(folder):
    (folder / 'labels.txt').write_text('\n'.join(f'thing {index}' for index in range(5)))
    settings = Settings(
        backbone=f'{folder / "network.py"}:build',
        labels=str(folder / 'labels.txt'),
        scales=('2', '8'),
        scale_weights=(0.0, 1.0),
        statistic='channel_max',
        normalization='min_max',
        threads=2,
    )
    network = Network(settings)
    assert torch.get_num_threads() == 2
    assert [scale.layer for scale in network.explainer.scales] == ['2', '8']
    assert network.explainer.method == settings.method
    answer = network.question(Subject('cat', CAT()))
    assert answer.label_name == f'thing {answer.label}'
    assert 0.2 < answer.probability <= 1  # the most probable of five


def test_the_seed_changes_what_is_drawn_and_nothing_else(uninterrupted, folder, tmp_path):
    options = arguments(folder, tmp_path, folder / 'photos' / 'cat.png', *FEW)
    assert main([*options, '--seed', '5']) == 0
    found = figures(tmp_path)
    drawn = 'sensitivity', 'cat', 'SMOE Scale', 'max_sensitivity'
    assert found[drawn] != uninterrupted[drawn]
    for method in ('SMOE Scale', 'random'):
        key = 'faithfulness', 'cat', method, 'insertion_curve'
        assert found[key] == uninterrupted[key]


def test_a_peer_that_is_not_installed_is_left_out_and_alone_refused(
    folder, tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr('smoe_ros.evaluation.peers.find_spec', lambda _module: None)
    photo, peer = folder / 'photos' / 'cat.png', 'eigencam (grad-cam)'
    assert main([*arguments(folder, tmp_path / 'one', photo), '--methods', peer]) == 1
    said = capfd.readouterr().err
    assert 'none of the methods asked for can be used; pip install' in said
    assert 'requirements/benchmark.txt' in said
    assert not (tmp_path / 'one').exists()
    assert main([*arguments(folder, tmp_path / 'two', photo), '--methods', f'random,{peer}']) == 0
    assert 'left out: grad-cam is not installed' in capfd.readouterr().err
    summary = json.loads((tmp_path / 'two' / 'evaluation.json').read_text())
    assert [row['name'] for row in summary['methods']] == ['random']
