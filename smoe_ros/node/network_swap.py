# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Another network while frames flow: the old one explains until the new one is warm.

rclpy decides on a parameter in a callback, in which the executor would stand still for the seconds
that a network takes. So the parameter services prepare a change before they set it.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rclpy.task import Future

from smoe_ros.errors import ConfigurationError, in_words
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings


class NetworkSwap:
    """Prepares the network that parameters ask for, before they are set.

    Over the parameter services this happens in a thread, one change after the other, while the
    executor goes on with other work and the client waits. The answer is rclpy's own: the node's
    callbacks `choose` what was prepared. A process that sets parameters of its own node waits.
    """

    def __init__(
        self,
        node: LifecycleNode,
        present: Callable[[], Pipeline | None],
        wished: Callable[[Sequence[Parameter]], Settings],
        sizes: Callable[[], Sequence[tuple[int, int]]],
    ) -> None:
        """Take over the node's parameter services.

        Args:
            node: The node.
            present: Returns what explains frames now; None while the node is not configured.
            wished: Returns the settings that parameters lead to; raises ConfigurationError.
            sizes: Returns height and width of the frames to warm up for.
        """
        self._present, self._wished, self._sizes = present, wished, sizes
        self._prepared: tuple[Settings, Pipeline | ConfigurationError] | None = None
        # An executor looks at a coroutine that waits when anything else wakes it.
        self._wake = node.create_guard_condition(lambda: None)
        self._turn = Future()
        self._turn.set_result(None)
        # Of their own: a coroutine that waits would block every other callback of its group.
        group = ReentrantCallbackGroup()
        for service in node.services:
            if service.srv_type in (SetParameters, SetParametersAtomically):
                service.callback = self._prepared_first(service.srv_type, service.callback)
                service.callback_group = group
                group.add_entity(service)

    def choose(self, present: Pipeline, settings: Settings) -> Pipeline:
        """Return what explains frames under some settings: the present, or what was prepared.

        Raises:
            ConfigurationError: If the settings cannot work.
        """
        if settings.prepared_like(present.settings):
            return present
        if self._prepared is None or not settings.prepared_like(self._prepared[0]):
            self._prepared = settings, _prepare(present, settings, self._sizes())
        prepared = self._prepared[1]
        if isinstance(prepared, ConfigurationError):
            raise prepared
        return prepared

    def forget(self) -> None:
        """Let go of what was prepared."""
        self._prepared = None

    def _prepared_first(
        self, kind: Any, answer: Callable[[Any, Any], Any]
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Wrap the callback of a parameter service."""

        async def set_parameters(request: Any, response: Any) -> Any:
            one_by_one = [[one] for one in request.parameters]
            for change in one_by_one if kind is SetParameters else [request.parameters]:
                async with self._preparing(list(map(Parameter.from_parameter_msg, change))):
                    answer(kind.Request(parameters=change), response)
            return response

        return set_parameters

    @asynccontextmanager
    async def _preparing(self, parameters: Sequence[Parameter]) -> AsyncIterator[None]:
        """Hold what the parameters ask for, while they are set or refused."""
        if self._other_network(parameters) is None:
            yield
            return
        before, self._turn = self._turn, Future()
        mine = self._turn
        await before
        try:
            # An earlier change may have made another present meanwhile.
            if (wanted := self._other_network(parameters)) is not None:
                self._prepared = await self._in_thread(*wanted)
            yield
        finally:
            self.forget()
            mine.set_result(None)
            _trigger(self._wake)

    def _other_network(self, parameters: Sequence[Parameter]) -> tuple[Pipeline, Settings] | None:
        """Return the present network and the settings of another that parameters ask for."""
        present = self._present()
        if present is None:
            return None
        try:
            settings = self._wished(parameters)
        except ConfigurationError:
            return None  # refused when they are set, with the reason
        return None if settings.prepared_like(present.settings) else (present, settings)

    async def _in_thread(
        self, present: Pipeline, settings: Settings
    ) -> tuple[Settings, Pipeline | ConfigurationError]:
        # The thread may outlive the node, and would keep it: what it holds does not lead there.
        made, wake, sizes = Future(), self._wake, self._sizes()

        def prepare() -> None:
            made.set_result(_prepare(present, settings, sizes))
            _trigger(wake)

        threading.Thread(target=prepare, name='network_loader', daemon=True).start()
        return settings, await made


def _trigger(wake: GuardCondition) -> None:
    with suppress(rclpy_implementation.InvalidHandle):  # the node ended meanwhile
        wake.trigger()


def _prepare(
    present: Pipeline, settings: Settings, sizes: Sequence[tuple[int, int]]
) -> Pipeline | ConfigurationError:
    """Load another network and warm it up; return why not where that cannot be."""
    try:
        pipeline = present.reconfigured(settings)
        pipeline.explainer.probe()
        pipeline.warm_up(sizes)
    except ConfigurationError as error:
        return error
    except Exception as error:  # whatever a network of the user's raises
        return ConfigurationError(f'not loaded: {in_words(error)}')
    return pipeline
