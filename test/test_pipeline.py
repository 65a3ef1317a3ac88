# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From camera frames to their explanations, and the settings on the way."""

import dataclasses

import numpy as np
import pytest
import torch
import torchvision
from small_networks import ASTRONAUT, CAT, COFFEE, ROCKET, Raises, one_thread  # noqa: F401
from torch import nn

from smoe_ros.backbones import Backbone
from smoe_ros.backbones.preprocessing import Preprocessing
from smoe_ros.errors import ConfigurationError, FrameError
from smoe_ros.explainer.frame_explanation import FrameExplanation, top_classes
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.machine.devices import resolve_device

# Half the default size: four times as fast.
QUICK = Settings(short_side=128, device='cpu')
SMALL = 'squeezenet1_1'


@pytest.fixture(scope='module')
def pipeline():
    pipeline = Pipeline(QUICK)
    yield pipeline
    pipeline.close()


def assert_same(one, other):
    assert (one.scales, one.class_id) == (other.scales, other.class_id)
    assert (one.class_activation is None) == (other.class_activation is None)
    for field in dataclasses.fields(FrameExplanation):
        if field.name != 'scales' and getattr(one, field.name) is not None:
            actual, expected = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4, err_msg=field.name)


# --- frames -------------------------------------------------------------------------------------


def test_frames_of_different_sizes_in_one_call_are_explained_as_if_alone(pipeline):
    portrait = np.ascontiguousarray(ROCKET()[:, 200:440])
    frames = [CAT(), ROCKET(), COFFEE(), portrait, ASTRONAUT(), ROCKET()[:, ::-1]]
    together = pipeline.explain(frames)
    assert len({result.saliency.shape for result in together}) == 3
    for frame, result in zip(frames, together, strict=True):
        (alone,) = pipeline.explain([frame])
        assert_same(result, alone)


def test_a_frame_without_an_input_costs_only_itself_and_keeps_its_place(pipeline):
    empty = np.zeros((0, 0, 3), np.uint8)
    first, refused, second = pipeline.explain([CAT(), empty, ROCKET()])
    assert isinstance(refused, FrameError)
    assert_same(first, pipeline.explain([CAT()])[0])
    assert_same(second, pipeline.explain([ROCKET()])[0])


def test_a_frame_that_the_network_makes_infinite_costs_only_itself(tmp_path):
    """The first channel is silent for dark frames and overflows for bright ones."""
    state = torchvision.models.get_model(SMALL, weights=None).state_dict()
    state['features.0.weight'][0] = 1e38
    state['features.0.bias'][0] = 0
    torch.save(state, tmp_path / 'overflows.pth')
    pipeline = Pipeline(Settings(SMALL, str(tmp_path / 'overflows.pth'), short_side=128))
    dark, bright = [CAT() // 4, CAT()[:, ::-1] // 4], CAT() // 2 + 128
    first, refused, second = pipeline.explain([dark[0], bright, dark[1]])
    assert isinstance(refused, FrameError)
    assert "activation of 'features.1' has NaN or infinite values" in str(refused)
    assert_same(first, pipeline.explain([dark[0]])[0])
    assert_same(second, pipeline.explain([dark[1]])[0])


def test_a_target_class_changes_where_the_class_is_seen_and_not_the_class_reported():
    results = [
        Pipeline(dataclasses.replace(QUICK, cam='grad_cam', target_class=index)).explain([CAT()])
        for index in (-1, 285, 817)
    ]
    (best,), (cat,), (car,) = results
    assert best.class_id == cat.class_id == car.class_id == 285
    # What pictures are drawn from has the saliency for its weighted mean.
    np.testing.assert_allclose(car.class_scale_maps.mean(axis=0), car.saliency, atol=1e-5)
    np.testing.assert_array_equal(best.class_activation, cat.class_activation)
    assert np.abs(cat.class_activation - car.class_activation).mean() > 0.1


def test_no_frame_has_no_explanation(pipeline):
    assert pipeline.explain([]) == []


def test_the_classes_of_a_batch_are_those_of_its_frames_and_minus_one_without_a_classifier():
    logits = torch.tensor([[0.0, 2.0, 0.0], [9.0, 0.0, 0.0]])
    (first, p), (second, q) = top_classes(logits, 2)
    assert (first, second) == (1, 0)
    assert (p, q) == pytest.approx((np.exp(2) / (np.exp(2) + 2), np.exp(9) / (np.exp(9) + 2)))
    assert top_classes(None, 2) == [(-1, 0.0)] * 2


def test_warming_up_changes_no_explanation():
    pipeline = Pipeline(QUICK)
    (before,) = pipeline.explain([CAT()])
    pipeline.warm_up([(480, 640)])
    assert_same(pipeline.explain([CAT()])[0], before)


def test_a_closed_pipeline_refuses():
    pipeline = Pipeline(QUICK)
    pipeline.close()
    with pytest.raises(RuntimeError, match='closed'):
        pipeline.explain([CAT()])


# --- devices ------------------------------------------------------------------------------------


class Short(nn.Module):
    """A network that runs out of the device's memory as often as it is told."""

    def __init__(self, times=0):
        super().__init__()
        self.conv, self.act, self.times = nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), times

    def forward(self, x):
        if self.times:
            self.times -= 1
            raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
        return self.act(self.conv(x))


def short_of_memory(warn=None, **changed):
    """Return a pipeline on a device that is called cuda; this machine need not have one."""
    network = Short()
    preprocessing = Preprocessing((127,) * 3, (128,) * 3, 64)
    settings = Settings('short', short_side=64, device='cpu', **changed)
    pipeline = Pipeline(settings, Backbone('short', network, (), preprocessing), warn)
    pipeline.device = torch.device('cuda')
    return pipeline, network


def test_out_of_memory_once_costs_one_frame_and_not_the_other_cameras():
    told = []
    pipeline, network = short_of_memory(told.append)
    network.times = 2  # the batch of two, and the first of them alone
    refused, explained = pipeline.explain([CAT(), CAT()])
    assert isinstance(refused, FrameError)
    assert 'out of memory' in str(refused)
    assert 'Tried to allocate 2.00 GiB' in str(refused)
    assert isinstance(explained, FrameExplanation)
    assert (pipeline.device.type, told) == ('cuda', [])


def test_a_device_that_stays_out_of_memory_is_left_for_the_cpu_with_a_warning():
    told = []
    pipeline, network = short_of_memory(told.append)
    pipeline.use(dataclasses.replace(pipeline.explainer.method, normalization='min_max'))
    network.times = 3
    results = [pipeline.explain([CAT()])[0] for _ in range(3)]
    assert [isinstance(one, FrameError) for one in results] == [True, True, False]
    assert (pipeline.device, pipeline.precision) == (torch.device('cpu'), torch.float32)
    assert pipeline.explainer.method.normalization == 'min_max'
    (text,) = told
    assert "device 'cuda' has not enough memory" in text
    assert 'going on on the CPU in fp32' in text


def test_without_anybody_to_warn_every_frame_is_refused_and_the_device_stays():
    pipeline, network = short_of_memory()
    network.times = 5
    assert all(isinstance(pipeline.explain([CAT()])[0], FrameError) for _ in range(5))
    assert pipeline.device.type == 'cuda'
    assert isinstance(pipeline.explain([CAT()])[0], FrameExplanation)


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has CUDA')
def test_where_cuda_is_missing_the_cpu_is_taken_with_a_warning():
    told = []
    settings = dataclasses.replace(QUICK, device='cuda', precision='fp16')
    pipeline = Pipeline(settings, warn=told.append)
    assert (pipeline.device, pipeline.precision) == (torch.device('cpu'), torch.float32)
    (text,) = told
    assert "device 'cuda' is not there" in text
    with pytest.raises(ConfigurationError, match="device 'cuda' is not there"):
        Pipeline(settings)


@pytest.mark.parametrize('precision', ['bf16', 'fp16'])
def test_the_smaller_precisions_give_nearly_the_same_explanation(pipeline, precision):
    other = Pipeline(dataclasses.replace(QUICK, precision=precision))
    assert str(other.precision) == {'bf16': 'torch.bfloat16', 'fp16': 'torch.float16'}[precision]
    for frame in (CAT(), COFFEE()):
        (rough,), (exact,) = other.explain([frame]), pipeline.explain([frame])
        assert rough.class_id == exact.class_id
        assert np.abs(rough.saliency - exact.saliency).mean() < 0.02
        assert np.abs(rough.saliency - exact.saliency).max() > 0  # it is another precision


def test_warming_up_refuses_a_network_that_fails():
    pipeline, network = short_of_memory()
    network.act = Raises()
    network.act.error = RuntimeError('a\nbad day')
    with pytest.raises(ConfigurationError) as refused:
        pipeline.warm_up([(480, 640)])
    assert str(refused.value) == (
        'short does not run on a batch of 1×3×64×96: RuntimeError: a bad day'
    )


# --- another pipeline beside this one -----------------------------------------------------------


def test_another_input_size_shares_the_network_and_explains_as_if_made_anew(pipeline):
    settings = dataclasses.replace(QUICK, short_side=96, scales=('_swish',))
    other = pipeline.reconfigured(settings)
    assert other.backbone.model is pipeline.backbone.model
    assert_same(other.explain([CAT()])[0], Pipeline(settings).explain([CAT()])[0])
    assert pipeline.explain([CAT()])[0].saliency.shape[0] == 128


def test_another_precision_does_not_touch_the_network_in_use(pipeline):
    (before,) = pipeline.explain([CAT()])
    other = pipeline.reconfigured(dataclasses.replace(QUICK, precision='bf16'))
    assert other.backbone.model is not pipeline.backbone.model
    assert_same(pipeline.explain([CAT()])[0], before)


def test_a_device_without_memory_to_warm_up_is_left_as_long_as_it_is_asked_for():
    told = []
    pipeline, network = short_of_memory(told.append)
    network.times = 1
    pipeline.warm_up([(480, 640)])
    assert (pipeline.device, len(told)) == (torch.device('cpu'), 1)
    other = pipeline.reconfigured(dataclasses.replace(pipeline.settings, short_side=96))
    assert other.backbone.model is pipeline.backbone.model
    assert (other.device.type, other.precision) == ('cpu', torch.float32)
    assert isinstance(other.explain([CAT()])[0], FrameExplanation)


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has the device')
def test_a_pipeline_without_its_device_from_the_start_can_be_reconfigured():
    warnings = []
    pipeline = Pipeline(dataclasses.replace(QUICK, device='cuda'), warn=warnings.append)
    other = pipeline.reconfigured(dataclasses.replace(pipeline.settings, short_side=96))
    assert other.backbone.model is pipeline.backbone.model
    assert other.explain([CAT()])[0].saliency.shape[0] == 96
    assert len(warnings) == 1
    moved = pipeline.reconfigured(dataclasses.replace(pipeline.settings, device='cpu'))
    assert moved.backbone.model is not pipeline.backbone.model
    with pytest.raises(ConfigurationError, match="device 'cuda:1' is not there"):
        pipeline.reconfigured(dataclasses.replace(pipeline.settings, device='cuda:1'))


# --- settings -----------------------------------------------------------------------------------


def test_the_number_of_threads_is_set_and_0_leaves_it():
    settings = Settings(SMALL, 'random', short_side=32, device='cpu')
    for threads in (2, 0):
        Pipeline(dataclasses.replace(settings, threads=threads))
        assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ('changed', 'text'),
    [
        ({'device': 'cuda:99'}, "device 'cuda:99' is not there"),
        ({'precision': 'fp23'}, "unknown precision 'fp23'; did you mean fp32"),
        (
            {'cam': 'grad_cam', 'target_class': 1000},
            'target class 1000 does not exist: the network has classes 0 to 999',
        ),
        (
            {'backbone': 'alexnet', 'weights': 'random', 'short_side': 32},
            'AlexNet does not run on an input of 3×32×32',
        ),
    ],
    ids=lambda value: '+'.join(value) if isinstance(value, dict) else '',
)
def test_a_setting_that_cannot_work_is_refused_with_its_value(changed, text):
    with pytest.raises(ConfigurationError) as refused:
        Pipeline(dataclasses.replace(QUICK, **changed))
    assert text in str(refused.value)


@pytest.mark.parametrize(
    'name', ['gpu', '', 'CPU', 'cuda:', 'cuda:-1', 'cuda:one', 'cuda:²', 'cpu:0']
)
def test_an_unknown_device_is_refused_with_the_choices(name):
    with pytest.raises(ConfigurationError, match='choose auto, cpu, cuda or cuda:N'):
        resolve_device(name)


def test_auto_takes_the_cpu_where_there_is_no_gpu():
    kind = 'cuda' if torch.cuda.is_available() else 'cpu'
    assert resolve_device('auto').type == kind
    assert resolve_device('cpu') == torch.device('cpu')
