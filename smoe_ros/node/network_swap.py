# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Another network while frames flow: the old one explains until the new one is warm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter

from smoe_ros.errors import ConfigurationError
from smoe_ros.explainer.pipeline import Pipeline
from smoe_ros.explainer.settings import Settings
from smoe_ros.node.network_loader import NetworkLoader
from smoe_ros.node.patient_parameters import prepare_before_setting


@dataclass(frozen=True)
class _Prepared:
    """What became of loading the network of some settings."""

    settings: Settings
    pipeline: Pipeline | None = None
    refusal: ConfigurationError | None = None


def _nothing_is_wished(_parameters: Sequence[Parameter]) -> Settings:
    raise ConfigurationError('the node has ended')


class NetworkSwap:
    """Prepares the network that parameters ask for, before they are set.

    Over the parameter services this happens in the background; a process that sets parameters of
    its own node waits for it.
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
        self._prepared: _Prepared | None = None
        self._loader = NetworkLoader(node)
        prepare_before_setting(node, self._preparing)

    def choose(self, present: Pipeline, settings: Settings) -> Pipeline:
        """Return what explains frames under some settings: the present, or what was prepared.

        Raises:
            ConfigurationError: If the settings cannot work.
        """
        if settings.prepared_like(present.settings):
            return present
        prepared = self._prepared
        if prepared is None or not settings.prepared_like(prepared.settings):
            prepared = self._prepared = self._prepare(present, settings)
        if prepared.pipeline is None:
            raise prepared.refusal or ConfigurationError('no network was loaded')
        return prepared.pipeline

    def forget(self) -> None:
        """Let go of what was prepared."""
        self._prepared = None

    def close(self) -> None:
        """Let go of the node: a network that is still being loaded then leads nowhere."""
        self._present, self._sizes = lambda: None, list
        self._wished = _nothing_is_wished

    @asynccontextmanager
    async def _preparing(self, parameters: Sequence[Parameter]) -> AsyncIterator[None]:
        """Hold what the parameters ask for, while they are set."""
        if self._asks_for_another(parameters):
            # When its turn has come, an earlier change may have made another present.
            self._prepared = await self._loader.load(lambda: self._prepare_wished(parameters))
        try:
            yield
        finally:
            self.forget()

    def _asks_for_another(self, parameters: Sequence[Parameter]) -> bool:
        present = self._present()
        try:
            wished = self._wished(parameters)
        except ConfigurationError:
            return False  # refused when they are set, with the reason
        return present is not None and not wished.prepared_like(present.settings)

    def _prepare_wished(self, parameters: Sequence[Parameter]) -> _Prepared | None:
        present = self._present()
        if present is None or not self._asks_for_another(parameters):
            return None
        return self._prepare(present, self._wished(parameters))

    def _prepare(self, present: Pipeline, settings: Settings) -> _Prepared:
        try:
            pipeline = present.reconfigured(settings)
            pipeline.explainer.probe()
            pipeline.warm_up(self._sizes())
        except ConfigurationError as error:
            return _Prepared(settings, refusal=error)
        except Exception as error:  # whatever a network of the user's raises
            text = ' '.join(f'{type(error).__name__}: {error}'.split())
            return _Prepared(settings, refusal=ConfigurationError(f'not loaded: {text}'))
        return _Prepared(settings, pipeline)
