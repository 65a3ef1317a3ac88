# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network run by ONNX Runtime: exported once on a machine, and loaded from disk afterwards."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from smoe_ros.engines import onnx_files
from smoe_ros.engines.engine import EngineError, short_reason
from smoe_ros.engines.exporting import ExportedEngine, export
from smoe_ros.options.choices import ONNXRUNTIME
from smoe_ros.scales import STRIDE, Scale

try:
    import onnxruntime
except ImportError as error:
    raise EngineError(f'{error}; run: pip install onnxruntime onnx onnxscript') from None

# Fastest first, for each kind of device.
_PROVIDERS = {
    'cuda': ('TensorrtExecutionProvider', 'CUDAExecutionProvider'),
    'cpu': ('OpenVINOExecutionProvider',),
}
_ANYWHERE = 'CPUExecutionProvider'
_ERRORS_ONLY = 3


class OnnxEngine(ExportedEngine):
    """Runs a network in ONNX Runtime, on the first execution provider that the machine has."""

    name = ONNXRUNTIME

    def __init__(self, model: nn.Module, scales: Sequence[Scale], example: Tensor) -> None:
        """Load the exported network, or export it, and check it; see `make_engine`."""
        super().__init__(scales)
        self._device = example.device
        self._threads = torch.get_num_threads()
        path = onnx_files.path_of(model, scales)
        data = onnx_files.load(path)
        if data is not None:
            with contextlib.suppress(EngineError):  # damaged, or no longer right: made anew
                self._open(data)
                self.check(model, example)
                return
        data = _exported(model, scales, example)
        self._open(data)
        self.check(model, example)
        # A network may have become one for the size that it was exported with.
        self.check(model, _of_another_size(example))
        with contextlib.suppress(OSError):  # without a place to keep it, each start exports
            onnx_files.store(path, data)

    def prepare(self, batch: Tensor) -> None:
        """Run once, so that memory is there; see `Engine`."""
        try:
            self.run(batch)
        except Exception as error:  # its exceptions have no common class
            raise EngineError(f'ONNX Runtime cannot run it: {short_reason(error)}') from error

    def takes(self, batch: Tensor) -> bool:
        """Whether the sides are multiples of 32, as all inputs of cameras are; see `Engine`."""
        return not any(side % STRIDE for side in batch.shape[-2:])

    def run(self, batch: Tensor) -> Sequence[Tensor]:
        """Run the network once; see `ExportedEngine`."""
        feed = {self._input: batch.detach().cpu().contiguous().numpy()}
        return [
            torch.from_numpy(array).to(self._device) for array in self._session.run(None, feed)
        ]

    def set_threads(self, count: int) -> None:
        """Open the network again with another number of threads; see `Engine`."""
        if count != self._threads:
            self._threads = count
            self._open(self._data)

    def _open(self, data: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = _ERRORS_ONLY
        # Threads that wait for work by spinning take the cores of everything else on the robot.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        there = onnxruntime.get_available_providers()
        wanted = [name for name in _PROVIDERS.get(self._device.type, ()) if name in there]
        try:
            self._session = onnxruntime.InferenceSession(data, options, [*wanted, _ANYWHERE])
        except Exception as error:  # its exceptions have no common class
            raise EngineError(f'ONNX Runtime cannot load it: {short_reason(error)}') from error
        self._data = data
        self._input = self._session.get_inputs()[0].name


def _of_another_size(example: Tensor) -> Tensor:
    """Return other noise, higher than wide and twice as many frames."""
    frames, channels, height, width = example.shape
    shape = 2 * frames, channels, height + 2 * STRIDE, width
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    return noise.to(example.device, example.dtype)


def _exported(model: nn.Module, scales: Sequence[Scale], example: Tensor) -> bytes:
    program = export(model, scales, example, any_size=True)
    with _quiet():
        try:
            exported = torch.onnx.export(program, dynamo=True, optimize=True, verbose=False)
        except ImportError as error:
            raise EngineError(f'{error}; run: pip install onnx onnxscript') from None
        except Exception as error:  # operators that ONNX does not have, among much else
            raise EngineError(f'it has no form in ONNX: {short_reason(error)}') from error
    assert exported is not None, 'a program is given, so a program comes back'
    return bytes(exported.model_proto.SerializeToString())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress and advice to itself."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(disabled)
