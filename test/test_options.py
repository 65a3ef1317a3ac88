# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Options: what each takes and refuses, and that every command hands every one on."""

import argparse
import importlib
import inspect
import math
import re
import subprocess
import sys
from dataclasses import dataclass, fields, replace

import cv2
import pytest
from small_networks import CAT

from smoe_ros.backbones import load_backbone
from smoe_ros.commands import explain_options, smoe_explain, smoe_scales
from smoe_ros.errors import ConfigurationError
from smoe_ros.evaluation import evaluate_options, smoe_evaluate
from smoe_ros.explainer import Explainer
from smoe_ros.explainer.settings import Settings
from smoe_ros.offline import bag_options
from smoe_ros.options.command_line import add_options, options_from
from smoe_ros.options.option import like, option, options_of, taken
from smoe_ros.options.parameters import (
    FrameOptions,
    NetworkOptions,
    NodeOptions,
    read_scale_weights,
)
from smoe_ros.saliency.methods import MethodOptions


@dataclass(frozen=True)
class Base:
    """Common things. More of them."""

    rate: float = option(30.0, 'Hz.', minimum=0.5, maximum=100.0)
    count: int = option(0, 'How many, in %.', minimum=0)
    mode: str = option('fast', 'Mode.', choices=('fast', 'exact'))


@dataclass(frozen=True)
class Probe(Base):
    """The table of these tests."""

    mode: str = like(Base, 'mode', default='exact')
    loop: bool = option(False, 'Again.')
    topics: tuple = option(('image_raw',), 'Topics.')
    sizes: tuple = option((), 'Sizes.', minimum=1, element=int, length=2)
    word: str = option('long', 'Word.', read=len, flag='--text')
    copy: tuple = option((), 'Copies.', alone=('all',))


@pytest.mark.parametrize(
    ('name', 'given', 'wanted'),
    [
        ('rate', 12.5, 12.5),
        ('rate', 5, 5.0),
        ('rate', 100.0, 100.0),
        ('word', 3, '3'),
        ('topics', ['a', 'b'], ('a', 'b')),
        ('topics', [''], ()),
        ('topics', None, ()),
        ('sizes', [2, 3], (2, 3)),
        ('sizes', [], ()),
    ],
)
def test_a_right_value_is_taken_as_the_options_type(name, given, wanted):
    value = options_of(Probe)[name].checked(given)
    assert value == wanted
    assert type(value) is type(wanted)


@pytest.mark.parametrize(
    ('name', 'given', 'text'),
    [
        ('rate', 'quick', "'rate' is 'quick', but must be a number"),
        ('rate', True, "'rate' is True, but must be a number"),
        ('rate', None, "'rate' is [], but must be a number"),
        ('rate', 0.4, "'rate' is 0.4, outside its range 0.5 to 100.0"),
        ('rate', 100.5, "'rate' is 100.5, outside its range 0.5 to 100.0"),
        ('rate', math.nan, "'rate' is nan, outside its range 0.5 to 100.0"),
        ('count', 2.5, "'count' is 2.5, but must be an integer"),
        ('count', -1, "'count' is -1, outside its range (at least 0)"),
        ('loop', 1, "'loop' is 1, but must be true or false"),
        ('word', 0.5, "'word' is 0.5, but must be text"),
        ('mode', 'exakt', "unknown value of parameter 'mode': 'exakt'; did you mean exact?"),
        ('topics', 'a', "'topics' is 'a', but must be a list of text such as [first, second]"),
        ('topics', [1.5], "'topics' is [1.5], but must be a list of text such as"),
        ('sizes', [0, 1], "'sizes' is [0, 1], outside its range (at least 1)"),
        ('sizes', [1], "'sizes' has 1 values, [1], but must have 2"),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_right(name, given, text):
    with pytest.raises(ConfigurationError) as refused:
        options_of(Probe)[name].checked(given)
    assert text in str(refused.value)


def test_a_table_is_filled_with_what_the_values_are_read_as():
    values = {**{name: one.default for name, one in options_of(Probe).items()}, 'more': 1}
    assert taken(Probe, values) == Probe()
    assert taken(Probe, {**values, 'word': 'longer'}).word == 6


def test_a_number_without_a_maximum_may_be_infinite_only_if_the_option_says_so():
    for maximum, refuses in ((None, True), (math.inf, False)):
        one = replace(options_of(Base)['rate'], maximum=maximum)
        if refuses:
            with pytest.raises(ConfigurationError, match=r'\(at least 0\.5\)'):
                one.checked(math.inf)
        else:
            assert one.checked(math.inf) == math.inf


# The command line


def probed(*args):
    parser = argparse.ArgumentParser('probe')
    add_options(parser, Probe)
    return options_from(parser, Probe, parser.parse_args(args))


@pytest.mark.parametrize(
    ('args', 'changed'),
    [
        ([], {}),
        (['--rate', '5'], {'rate': 5.0}),
        (['--loop'], {'loop': True}),
        (['--topics', 'a, b'], {'topics': ('a', 'b')}),
        (['--sizes', '2,3'], {'sizes': (2, 3)}),
        (['--text', '12'], {'word': 2}),
        (['--copy'], {'copy': ('all',)}),
        (['--copy', 'a'], {'copy': ('a',)}),
    ],
)
def test_a_command_line_gives_the_values(args, changed):
    assert probed(*args) == replace(Probe(), **changed)


@pytest.mark.parametrize(
    ('args', 'text'),
    [
        (['--rate', 'soon'], "probe: error: --rate is 'soon', but must be a number"),
        (['--count', '-1'], '--count is -1, outside its range (at least 0)'),
        (['--mode', 'exakt'], "unknown value of --mode: 'exakt'; did you mean exact?"),
        (['--topics', 'a,,b'], "--topics is 'a,,b', which has an empty name"),
        (['--sizes', '1,two'], "--sizes is [1, 'two'], but must be a list of integers"),
    ],
)
def test_a_wrong_value_on_a_command_line_ends_with_2_and_is_told(args, text, capsys):
    with pytest.raises(SystemExit) as ended:
        probed(*args)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_help_tells_text_choices_range_and_default_by_groups(capsys):
    with pytest.raises(SystemExit):
        probed('--help')
    own, common = ' '.join(capsys.readouterr().out.split()).split('common things: ')
    assert 'Mode. One of: fast, exact. (default: exact)' in own
    assert 'Topics. (default: image_raw)' in own
    assert 'Sizes. Allowed: 2 values, at least 1.' in own
    assert 'Again.' in own
    assert 'Hz. Allowed: 0.5 to 100.0. (default: 30.0)' in common
    assert 'How many, in %. Allowed: at least 0. (default: 0)' in common


# Every option of ours


def bag_explain(args):
    parser = argparse.ArgumentParser()
    bag_options.add_explain_options(parser)
    given = parser.parse_args(['in', 'out', *args])
    return options_from(parser, bag_options.BagExplainOptions, given)


COMMANDS = {
    'smoe_explain': lambda args: explain_options.parse_options(['x.png', '--output', 'o', *args]),
    'smoe_bag explain': bag_explain,
    'smoe_evaluate': lambda args: evaluate_options.parse_options(['--output', 'o', *args]),
    'smoe_scales': lambda args: smoe_scales.parse_options(['resnet18', *args]),
}
TABLES = dict.fromkeys((NodeOptions, *(type(parse([])) for parse in COMMANDS.values())))


def another(one):
    """Return a value that an option allows and that is not its default."""
    if one.choices:
        return next(choice for choice in one.choices if choice != one.default)
    if one.is_list:
        return (one.scalar_type(1),) * (one.length or 2)
    if isinstance(one.default, bool):
        return not one.default
    if isinstance(one.default, str):
        return 'other'
    low, high = one.minimum, math.inf if one.maximum is None else one.maximum
    values = (one.default + 1, one.scalar_type(2), one.scalar_type(low), high)
    return next(value for value in values if low <= value <= high and value != one.default)


def on_command_line(one, value):
    flag = one.flag or f'--{one.name.replace("_", "-")}'
    if isinstance(value, bool):
        return [flag]
    return [flag, ','.join(map(str, value)) if isinstance(value, tuple) else str(value)]


@pytest.mark.parametrize(
    ('table', 'name'), [(table, name) for table in TABLES for name in options_of(table)]
)
def test_an_option_says_what_it_does_and_its_default_is_a_right_value(table, name):
    one = options_of(table)[name]
    assert one.text.endswith('.')
    assert one.checked(one.default) == one.default
    assert one.used(one.default) == getattr(table, name)


@pytest.mark.parametrize(
    ('command', 'name'),
    [(command, name) for command in COMMANDS for name in options_of(type(COMMANDS[command]([])))],
)
def test_a_command_takes_each_of_its_options_and_leaves_the_others(command, name):
    parse, needs = COMMANDS[command], {'class_name': ['--cam', 'grad_cam']}
    usual = parse(needs.get(name, []))
    one = options_of(type(usual))[name]
    value = another(one)
    parsed = parse([*on_command_line(one, value), *needs.get(name, [])])
    assert parsed == replace(usual, **{name: one.used(value)})
    assert parsed != usual


class ReachedError(Exception):
    """What explains was reached."""


@pytest.mark.parametrize(
    ('command', 'reached', 'table'),
    [
        ('smoe_explain', 'smoe_ros.commands.explaining.backbone_of', FrameOptions),
        ('smoe_bag', 'smoe_ros.commands.explaining.backbone_of', FrameOptions),
        ('smoe_evaluate', 'smoe_ros.evaluation.evaluate.Network', NetworkOptions),
    ],
)
def test_a_command_hands_every_option_of_the_network_to_what_explains(
    command, reached, table, tmp_path, monkeypatch
):
    given = {
        name: (one, another(one))
        for name, one in options_of(table).items()
        if name in options_of(Settings)
    }
    args = [part for one, value in given.values() for part in on_command_line(one, value)]
    if command == 'smoe_bag':
        pytest.importorskip('rclpy')
        from bags_of_frames import write_bag

        main = importlib.import_module('smoe_ros.offline.smoe_bag').main
        args = ['explain', str(write_bag(tmp_path / 'in', 1)), str(tmp_path / 'out'), *args]
    else:
        main = {'smoe_explain': smoe_explain.main, 'smoe_evaluate': smoe_evaluate.main}[command]
        cv2.imwrite(str(tmp_path / 'cat.png'), CAT())
        args = [str(tmp_path / 'cat.png'), '--output', str(tmp_path / 'out'), *args]

    def stop(settings):
        raise ReachedError(settings)

    monkeypatch.setattr(reached, stop)
    with pytest.raises(ReachedError) as ended:
        main(args)
    (settings,) = ended.value.args
    assert settings == Settings(**{name: one.used(value) for name, (one, value) in given.items()})
    alike = {one.name for one in fields(Settings)} - set(given)
    assert alike <= {'target_class', 'precision', 'cam', 'engine'}


@pytest.mark.parametrize(
    ('module', 'words'),
    [
        ('commands.smoe_explain', []),
        ('commands.smoe_scales', []),
        ('offline.smoe_bag', ['explain']),
        ('evaluation.smoe_evaluate', []),
    ],
)
def test_help_and_mistakes_do_not_wait_for_torch(module, words):
    code = (
        'import runpy, sys\n'
        'for args in (["--help"], ["--weights"]):\n'
        f'    sys.argv = ["command", *{words}, *args]\n'
        f'    try: runpy.run_module("smoe_ros.{module}", run_name="__main__")\n'
        '    except SystemExit as end: print("code", end.code)\n'
        'assert "torch" not in sys.modules'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r'^code (\d)', done.stdout, re.MULTILINE) == ['0', '2']
    assert '--weights' in done.stdout


def test_the_defaults_of_the_python_interface_are_those_of_the_options():
    assert Settings().method == MethodOptions()
    for function in (load_backbone, Explainer):
        for name, parameter in inspect.signature(function).parameters.items():
            if name in options_of(Settings) and name != 'target_class':
                assert parameter.default == getattr(Settings(), name), name


@pytest.mark.parametrize(
    ('text', 'weights'),
    [
        ('equal', 'equal'),
        (' prior ', 'prior'),
        ('1', (1.0,)),
        ('1, 2, 3.5', (1.0, 2.0, 3.5)),
        ('[0.18,0.15,0.37,0.40,0.72]', (0.18, 0.15, 0.37, 0.4, 0.72)),
        ('1e-3, .5', (0.001, 0.5)),
    ],
)
def test_scale_weights_are_read_as_a_preset_or_as_numbers(text, weights):
    assert read_scale_weights(text) == weights


@pytest.mark.parametrize('text', ['1; 2', '1,,2', '1, two', '1 2 3', 'linear2', '²'])
def test_scale_weights_that_are_neither_are_refused_with_the_text(text):
    with pytest.raises(ConfigurationError) as refused:
        read_scale_weights(text)
    assert f"scale_weights is '{text}'; give equal, prior, linear or numbers" in str(refused.value)
