# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Setting parameters, where finding out whether a value will do takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.parameter import Parameter

Prepare = Callable[[Sequence[Parameter]], AbstractAsyncContextManager[None]]


def prepare_before_setting(node: Node, prepare: Prepare) -> None:
    """Let the node's parameter services prepare a change before they set it.

    Meanwhile the executor goes on with other work, and the client waits. The answer is rclpy's
    own: preparing refuses nothing, but the node's callbacks may use what it has found out.

    Args:
        node: The node, with its parameter services.
        prepare: Entered with the parameters that are going to be set together, left when they are
            set or refused; raises nothing.
    """
    # Of their own: a coroutine that waits would block every other callback of its group.
    group = ReentrantCallbackGroup()
    wrappers = {SetParameters: _one_by_one, SetParametersAtomically: _together}
    for service in node.services:
        wrap = wrappers.get(service.srv_type)
        if wrap is not None:
            service.callback = wrap(service.callback, prepare)
            service.callback_group = group
            group.add_entity(service)


def _one_by_one(answer: Callable[[Any, Any], Any], prepare: Prepare) -> Callable[..., Any]:
    async def set_parameters(
        request: SetParameters.Request, response: SetParameters.Response
    ) -> SetParameters.Response:
        for message in request.parameters:
            async with prepare([Parameter.from_parameter_msg(message)]):
                answer(SetParameters.Request(parameters=[message]), response)
        return response

    return set_parameters


def _together(answer: Callable[[Any, Any], Any], prepare: Prepare) -> Callable[..., Any]:
    async def set_parameters_atomically(
        request: SetParametersAtomically.Request, response: SetParametersAtomically.Response
    ) -> SetParametersAtomically.Response:
        parameters = [Parameter.from_parameter_msg(message) for message in request.parameters]
        async with prepare(parameters):
            return answer(request, response)

    return set_parameters_atomically
