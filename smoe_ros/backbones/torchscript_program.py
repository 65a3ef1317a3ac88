# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One method of a TorchScript module as calls in Python.

The operations are torch's own, found by the schemas that the graph names.
"""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from smoe_ros.errors import ConfigurationError

_Values = dict[int, Any]
_Step = Callable[[_Values], None]

# A second call of one module is forward1 in a traced file, an overload is forward__0.
_FORWARD = re.compile(r'forward(__)?\d*')


def nodes_of(block: Any) -> Iterator[Any]:
    """Yield the nodes of a graph or block, with those inside their blocks."""
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from nodes_of(inner)


class Program:
    """A graph as Python calls."""

    def __init__(self, graph: Any, owner: str) -> None:
        """Translate a method's graph; what cannot be translated is refused here, not at a frame.

        Errors name the owner, the class of its module.

        Raises:
            ConfigurationError: If an operation cannot be followed.
        """
        self._owner = owner
        self._inputs = [value.unique() for value in graph.inputs()]
        self._outputs = [value.unique() for value in graph.outputs()]
        nodes = list(graph.nodes())
        self._steps = [self._step(node) for node in nodes]
        # Activations are dropped after their last use, as torch's interpreter does.
        last_uses: dict[int, int] = {}
        for position, node in enumerate(nodes):
            inner = [n for block in node.blocks() for n in [*nodes_of(block), block.returnNode()]]
            for user in [node, *inner]:
                last_uses.update((value.unique(), position) for value in user.inputs())
        made = {*self._inputs, *(value.unique() for node in nodes for value in node.outputs())}
        self._dropped: list[list[int]] = [[] for _ in nodes]
        for value, position in last_uses.items():
            if value in made and value not in self._outputs:
                self._dropped[position].append(value)

    def __call__(self, module: nn.Module, args: Sequence[Any]) -> Any:
        """Run the graph as a method of the module."""
        if len(args) + 1 != len(self._inputs):
            raise TypeError(f'{self._owner} takes {len(self._inputs) - 1} inputs, got {len(args)}')
        values: _Values = dict(zip(self._inputs, (module, *args), strict=True))
        for step, dropped in zip(self._steps, self._dropped, strict=True):
            step(values)
            for value in dropped:
                del values[value]
        results = tuple(values[value] for value in self._outputs)
        return results[0] if len(results) == 1 else results

    def _step(self, node: Any) -> _Step:
        """Translate a node."""
        kind = node.kind()
        inputs = [value.unique() for value in node.inputs()]
        outputs = [value.unique() for value in node.outputs()]
        if kind == 'prim::If':
            return self._if(node, inputs[0], outputs)
        if kind == 'prim::Loop':
            return self._loop(node, inputs, outputs)
        call = self._call(node)
        several = len(outputs) > 1 or kind in ('prim::TupleUnpack', 'prim::ListUnpack')

        def step(values: _Values) -> None:
            result = call(*[values[i] for i in inputs])
            if several:
                values.update(zip(outputs, result, strict=True))
            elif outputs:
                values[outputs[0]] = result

        return step

    def _block(self, block: Any) -> Callable[[_Values], list[Any]]:
        """Translate a branch or loop body; it returns the values of the block."""
        steps = [self._step(node) for node in block.nodes()]
        outputs = [value.unique() for value in block.outputs()]

        def run(values: _Values) -> list[Any]:
            for step in steps:
                step(values)
            return [values[value] for value in outputs]

        return run

    def _if(self, node: Any, condition: int, outputs: Sequence[int]) -> _Step:
        then, otherwise = (self._block(block) for block in node.blocks())

        def branch(values: _Values) -> None:
            chosen = then if values[condition] else otherwise
            values.update(zip(outputs, chosen(values), strict=True))

        return branch

    def _loop(self, node: Any, inputs: Sequence[int], outputs: Sequence[int]) -> _Step:
        body = next(node.blocks())
        run = self._block(body)
        index, *carried = [value.unique() for value in body.inputs()]

        def loop(values: _Values) -> None:
            most, going, *state = [values[i] for i in inputs]
            turn = 0
            while going and turn < most:
                values[index] = turn
                values.update(zip(carried, state, strict=True))
                going, *state = run(values)
                turn += 1
            values.update(zip(outputs, state, strict=True))

        return loop

    def _call(self, node: Any) -> Callable[..., Any]:
        """Return what a node without blocks computes, as a function of its inputs."""
        kind = node.kind()
        if kind == 'prim::Constant':
            # The constant of a function has no value; its call knows the function.
            is_function = node.output().type().kind() == 'FunctionType'
            constant = None if is_function else node.output().toIValue()
            return lambda: constant
        if kind in _PYTHON:
            return _PYTHON[kind]
        if kind == 'prim::GetAttr':
            attribute = node.s('name')

            def read(owner: Any) -> Any:
                is_ours = isinstance(owner, nn.Module)
                return owner.read(attribute) if is_ours else getattr(owner, attribute)

            return read
        if kind == 'prim::CallMethod':
            return _method_call(node)
        if kind == 'prim::CallFunction':
            return _function_call(node)
        return self._operator(node)

    def _operator(self, node: Any) -> Callable[..., Any]:
        """Return the operator of torch that a node names by its schema."""
        text = node.schema()
        refusal = ConfigurationError(f"{self._owner} uses '{node.kind()}', which cannot be run")
        if text == '(no schema)':
            raise refusal
        schema = torch._C.parse_schema(text)
        for argument in schema.arguments:
            # Lists and dicts are copied on their way into torch: a change would be lost.
            writes = argument.alias_info is not None and argument.alias_info.is_write
            type_name = argument.type.annotation_str
            if writes and 'Tensor' not in type_name.partition('[')[0]:
                raise refusal
            # A list of anything has no type that torch could convert a Python list to.
            if re.search(r'\bt\b', type_name):
                raise refusal
        found = torch._C._get_operation_overload(schema.name, schema.overload_name)
        if found is None:
            raise refusal
        function = found[0]
        names = [argument.name for argument in schema.arguments if argument.kwarg_only]
        if not names:
            return function
        by_position = len(schema.arguments) - len(names)

        def call(*args: Any) -> Any:
            return function(
                *args[:by_position], **dict(zip(names, args[by_position:], strict=True))
            )

        return call


def _method_call(node: Any) -> Callable[..., Any]:
    method = node.s('name')
    if method == 'forward':
        return lambda module, *args: module(*args)
    if _FORWARD.fullmatch(method):
        return lambda module, *args: module(*args, method=method)
    return lambda module, *args: module.run(method, args)


def _function_call(node: Any) -> Callable[..., Any]:
    """Return a scripted function, compiled as a graph of this one call."""
    graph: Any = torch._C.Graph()
    stand_ins: dict[int, Any] = {}
    function, *arguments = node.inputs()
    constant = graph.insertNode(graph.createClone(function.node(), lambda value: value))
    stand_ins[function.unique()] = constant.output()
    for value in arguments:
        if value.unique() not in stand_ins:
            stand_ins[value.unique()] = graph.addInput().setType(value.type())
    call = graph.insertNode(graph.createClone(node, lambda value: stand_ins[value.unique()]))
    for output in call.outputs():
        graph.registerOutput(output)
    compiled = torch._C._create_function_from_graph('call', graph)
    given = [value.unique() for value in arguments]
    # What is given twice is one input of the graph.
    return lambda _function, *args: compiled(*dict(zip(given, args, strict=True)).values())


def _raise(message: str, *_: Any) -> None:
    raise RuntimeError(message)


def _warn(message: str, *_: Any) -> None:
    warnings.warn(message, stacklevel=2)


# What changes or makes Python values, or has no schema.
_PYTHON: dict[str, Callable[..., Any]] = {
    'prim::TupleConstruct': lambda *items: items,
    'prim::ListConstruct': lambda *items: list(items),
    'prim::DictConstruct': lambda *items: dict(zip(items[::2], items[1::2], strict=True)),
    'prim::TupleUnpack': lambda items: items,
    'prim::ListUnpack': lambda items: items,
    'prim::TupleIndex': lambda items, index: items[index],
    'prim::unchecked_cast': lambda value: value,
    'prim::Uninitialized': lambda: None,
    'prim::RaiseException': _raise,
    'aten::warn': _warn,
    'aten::len': len,
    'aten::__getitem__': operator.getitem,
    'aten::append': lambda items, item: (items.append(item), items)[1],
    'aten::format': lambda template, *values: template.format(*values),
    'aten::__is__': lambda left, right: left is right,
    'aten::__isnot__': lambda left, right: left is not right,
    'aten::__contains__': lambda items, item: item in items,
}
