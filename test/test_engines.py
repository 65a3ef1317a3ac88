# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Other engines give torch's explanations, and where they cannot, torch goes on."""

import os
import shutil
import sys
import time

import numpy as np
import pytest
import torch
from small_networks import Plain, down, one_thread, photo_batch, plain, seeded  # noqa: F401
from torch import nn

from smoe_ros.backbones import Backbone
from smoe_ros.backbones.preprocessing import Preprocessing
from smoe_ros.engines import EngineError, make_engine, onnx_files
from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer import Explainer
from smoe_ros.explainer.frame_explanation import FrameExplanation
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.saliency.methods import MethodOptions

onnxruntime = pytest.importorskip('onnxruntime')
pytest.importorskip('onnxscript')
needs_compiler = pytest.mark.skipif(
    not any(shutil.which(name) for name in ('g++', 'c++', 'clang++')), reason='no C++ compiler'
)
FRAME = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)


@pytest.fixture(scope='module', autouse=True)
def cache(tmp_path_factory):
    """Keep exported networks in a folder of these tests."""
    folder = tmp_path_factory.mktemp('cache')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(folder))
        yield folder / 'smoe_ros'


class FixedHead(nn.Module):
    """A classifier whose pooling, written down as a graph, fits one size of the input only."""

    def __init__(self):
        super().__init__()
        self.conv1, self.act1 = down(3, 8), nn.ReLU()
        self.conv2, self.act2 = down(8, 16), nn.ReLU()
        self.pool, self.head = nn.AdaptiveAvgPool2d((7, 7)), nn.Linear(16 * 49, 5)

    def forward(self, x):
        x = self.act2(self.conv2(self.act1(self.conv1(x))))
        return self.head(self.pool(x).flatten(1))


class Undecided(nn.Module):
    """A network that does another thing for dark images, which no graph can hold."""

    def __init__(self):
        super().__init__()
        self.inner = plain()

    def forward(self, x):
        return self.inner(x if x.mean() > -100 else -x)


def backbone(model):
    return Backbone('mine', model, (), Preprocessing((127.0,) * 3, (128.0,) * 3, 64))


def pipeline(model, warn=None, **settings):
    made = Pipeline(Settings('mine', short_side=64, **settings), backbone(model), warn)
    made.warm_up([(96, 128)])
    return made


def onnx(model, **options):
    return Explainer(model, engine='onnxruntime', input_size=(64, 64), **options)


def assert_torchs(explanation, torchs):
    """Compare with eager torch's explanation.

    A channel that rounding lifts from 0 to 1e-6 shows in a logarithm: torch's own two memory
    layouts differ by more than 1e-4 in some pixels of a thousand.
    """
    for mine, wanted in (
        (explanation.scale_maps, torchs.scale_maps),
        (explanation.saliency, torchs.saliency),
    ):
        difference = (mine - wanted).abs()
        assert mine.shape == wanted.shape
        assert (difference > 1e-4).float().mean() < 1e-2
        assert difference.max() < 2e-2
    torch.testing.assert_close(explanation.contributions, torchs.contributions, rtol=0, atol=1e-3)
    torch.testing.assert_close(explanation.information, torchs.information, rtol=1e-3, atol=0)
    torch.testing.assert_close(explanation.logits, torchs.logits, rtol=1e-3, atol=1e-3)
    for mine, wanted in zip(explanation.vectors, torchs.vectors, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-4)


# --- the same explanations ----------------------------------------------------------------------


@pytest.mark.parametrize('shape', [(64, 64), (96, 64), (128, 160)])
def test_onnxruntime_explains_any_size_and_number_of_frames_as_torch(shape):
    model, batch = plain(batch_norm=True), photo_batch(*shape)
    explainer, torchs = onnx(model, vectors=True), Explainer(model, vectors=True)
    assert explainer.engine == 'onnxruntime'
    assert_torchs(explainer(batch), torchs(batch))
    assert_torchs(explainer(batch[:1]), torchs(batch[:1]))


@needs_compiler
@pytest.mark.slow
def test_the_compiled_engine_explains_the_shapes_it_was_prepared_for_and_torch_the_others():
    model, batch = plain(batch_norm=True), photo_batch(64, 96)
    explainer = Explainer(model, engine='compiled', input_size=(64, 64))
    ran = []
    model.register_forward_hook(lambda *_args: ran.append(True))
    torchs = Explainer(model)(batch)
    ran.clear()
    assert torch.equal(explainer(batch).saliency, torchs.saliency)
    assert ran == [True]
    explainer.prepare(batch)
    assert_torchs(explainer(batch), torchs)
    assert ran == [True]


def test_an_engine_keeps_to_the_network_as_it_was():
    model, batch = plain(), photo_batch(64, 64)
    explainer = onnx(model)
    before = explainer(batch).saliency
    with torch.no_grad():
        model.conv1.weight.zero_()
    torch.testing.assert_close(explainer(batch).saliency, before, rtol=0, atol=0)


@pytest.mark.parametrize(
    'method', [MethodOptions(cam='grad_cam'), MethodOptions(statistic='truncated_normal_entropy')]
)
def test_torch_does_what_an_engine_cannot(method):
    model, batch = plain(), photo_batch(64, 64)
    explainer = onnx(model)
    explainer.check(method)
    explainer.method = method
    assert explainer.engine == 'torch'
    torchs = Explainer(model)
    torchs.method = method
    torch.testing.assert_close(explainer(batch).saliency, torchs(batch).saliency, rtol=0, atol=0)
    explainer.method = MethodOptions()
    assert explainer.engine == 'onnxruntime'


def test_another_number_of_threads_changes_nothing_else():
    model, batch = plain(), photo_batch(64, 64)
    engine = make_engine('onnxruntime', model, Explainer(model).scales, batch[:1])
    before = engine.run(batch)
    engine.set_threads(2)
    assert engine._session.get_session_options().intra_op_num_threads == 2
    for one, other in zip(before, engine.run(batch), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


# --- exported once ------------------------------------------------------------------------------


@pytest.fixture
def exports(monkeypatch):
    """Count the networks that are exported."""
    made, export = [], torch.onnx.export
    monkeypatch.setattr(
        torch.onnx, 'export', lambda *args, **kwargs: made.append(1) or export(*args, **kwargs)
    )
    return made


def other(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Plain()


def test_a_network_is_exported_once(exports):
    for _ in range(2):
        onnx(other(1))
    assert len(exports) == 1


@pytest.mark.parametrize('damage', ['cut short', 'of another network'])
def test_a_file_that_is_not_what_its_name_says_is_replaced(damage, exports):
    model, batch = other(len(damage)), photo_batch(64, 64)
    scales = onnx(model).scales
    path = onnx_files.path_of(model, scales)
    whole = path.read_bytes()
    if damage == 'cut short':
        path.write_bytes(whole[: len(whole) // 2])
    else:
        onnx(other(4))
        shutil.copy(onnx_files.path_of(other(4), scales), path)
    exports.clear()
    again = onnx(model)
    assert again.engine == 'onnxruntime'
    assert_torchs(again(batch), Explainer(model)(batch))
    assert len(exports) == 1
    assert len(path.read_bytes()) == len(whole)


def test_the_name_of_a_file_stands_for_weights_structure_and_scales():
    model, scales = plain(), Explainer(plain()).scales
    names = {
        onnx_files.path_of(model, scales),
        onnx_files.path_of(model, scales[1:]),
        onnx_files.path_of(other(5), scales),
        onnx_files.path_of(plain(batch_norm=True), scales),
    }
    assert len(names) == 4
    assert onnx_files.path_of(plain(), scales) in names


def test_a_folder_that_cannot_be_written_to_costs_only_the_next_export(monkeypatch, tmp_path):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    assert onnx(plain()).engine == 'onnxruntime'


def test_only_the_networks_used_last_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(onnx_files, '_KEPT', 3)
    for number in range(5):
        onnx_files.store(tmp_path / f'{number}.onnx', b'network')
        # Their times lie apart, as in real life.
        before = time.time() - 100 + number
        os.utime(tmp_path / f'{number}.onnx', (before, before))
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ['2.onnx', '3.onnx', '4.onnx']


# --- where an engine cannot ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ('build', 'reason'),
    [
        (lambda: seeded(FixedHead), 'ONNX Runtime cannot run it|differs|shape'),
        (lambda: seeded(Undecided), 'torch cannot export it'),
    ],
)
def test_a_network_that_an_engine_cannot_run_is_refused_in_one_line(build, reason):
    with pytest.raises(EngineError, match=reason) as caught:
        onnx(build())
    assert '\n' not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_engine_that_is_not_installed_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.delitem(sys.modules, 'smoe_ros.engines.onnx_runtime', raising=False)
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(EngineError, match='pip install onnxruntime onnx onnxscript'):
        onnx(plain())


def test_an_engine_for_fp32_refuses_another_precision():
    with pytest.raises(EngineError, match='fp32'):
        onnx(plain().bfloat16())


def test_an_unknown_engine_is_refused_with_the_nearest():
    with pytest.raises(ConfigurationError, match='did you mean onnxruntime'):
        Explainer(plain(), engine='onnx', input_size=(64, 64))
    with pytest.raises(ConfigurationError, match='did you mean onnxruntime'):
        Pipeline(Settings('mine', engine='onnxruntim'), backbone(plain()))


@pytest.mark.parametrize('engine', ['onnxruntime', 'auto'])
def test_a_pipeline_goes_on_with_torch_and_says_why_in_one_line(engine):
    told = []
    made = pipeline(seeded(Undecided), told.append, engine=engine)
    assert made.engine == 'torch'
    assert isinstance(made.explain([FRAME])[0], FrameExplanation)
    (line,) = told
    assert line.startswith('engine onnxruntime is not used for mine: torch cannot export it')
    assert '\n' not in line


def test_a_pipeline_that_nobody_listens_to_refuses_an_engine_that_was_named_and_cannot():
    with pytest.raises(EngineError, match='engine onnxruntime cannot be used'):
        pipeline(seeded(Undecided), engine='onnxruntime')
    assert pipeline(seeded(Undecided), engine='auto').engine == 'torch'


def test_an_engine_that_fails_later_costs_no_frame():
    told = []
    made = pipeline(plain(), told.append, engine='onnxruntime')
    assert made.engine == 'onnxruntime'
    # What ONNX Runtime does with a session that has lost its input.
    made.explainer._engines[0]._input = 'nothing'
    assert isinstance(made.explain([FRAME])[0], FrameExplanation)
    assert made.engine == 'torch'
    (line,) = told
    assert line.startswith('engine onnxruntime is not used for mine: ')


def test_a_pipeline_tells_when_a_method_needs_torch():
    told = []
    made = pipeline(plain(), told.append, engine='onnxruntime')
    made.use(MethodOptions(cam='grad_cam'))
    assert made.engine == 'torch'
    made.use(MethodOptions(cam='grad_cam'))
    made.use(MethodOptions())
    assert made.engine == 'onnxruntime'
    (line,) = told
    assert "cam is 'grad_cam'" in line


# --- the faster one -----------------------------------------------------------------------------


class Slow(nn.Module):
    """Takes its time in torch; in a graph nothing of that is left."""

    def __init__(self, seconds):
        super().__init__()
        self.inner, self.seconds = plain(), seconds

    def forward(self, x):
        time.sleep(self.seconds)
        return self.inner(x)


def test_auto_takes_onnxruntime_where_it_is_faster():
    assert pipeline(Slow(0.1), engine='auto').engine == 'onnxruntime'


def test_auto_takes_torch_where_it_is_faster(monkeypatch):
    from smoe_ros.engines.onnx_runtime import OnnxEngine

    run = OnnxEngine.run
    late = lambda engine, batch: time.sleep(0.1) or run(engine, batch)  # noqa: E731
    monkeypatch.setattr(OnnxEngine, 'run', late)
    assert pipeline(plain(), engine='auto').engine == 'torch'
