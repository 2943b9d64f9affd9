"""TensorRT's few calls over a `GpuDouble`, as 8.5, 10, 11 and TensorRT-RTX have them.

The engine computes what `make_models.tiny_model` does.
"""

import weakref
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from gpu_double import GpuDouble
from make_models import UPRIGHT

ENGINE = b"an engine of the tiny model"
GENERATIONS = {"tensorrt 8.5": "8.5.2.2", "tensorrt 10": "10.3.0", "tensorrt 11": "11.4.0.106"}
RTX_VERSION = "1.7.1.116"
SCRATCH = 4096
"""Bytes of scratch memory for each image of a batch."""

SHAPES: Mapping[str, tuple[int, ...]] = {
    "image": (1, 512, 512),
    "probabilities": (6, 4),
    "lung_mask": (1, 512, 512),
    "alignment": (2, 3),
    "zone_evidence": (6, 4, 16, 16),
}


class _Counted:
    """An object of the library's, which must be gone before the context is."""

    def __init__(self, gpu: GpuDouble) -> None:
        self.gpu, kind = gpu, type(self).__name__
        gpu.objects[kind] += 1
        weakref.finalize(self, gpu.objects.subtract, {kind: 1})


class Logger:
    ERROR = 1

    def __init__(self) -> None:
        pass


class Context(_Counted):
    def __init__(self, gpu: GpuDouble, own_memory: bool = False) -> None:
        super().__init__(gpu)
        self._batch, self._addresses, self._scratch = 0, dict[str, int](), (0, 0)

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._batch = shape[0]
        return self.gpu.called("set_input_shape") and shape[1:] == SHAPES[name]

    def set_tensor_address(self, name: str, address: int) -> None:
        assert name in SHAPES
        self._addresses[name] = address

    def execute_async_v3(self, stream: int) -> bool:
        assert stream in self.gpu.streams
        assert set(self._addresses) == set(SHAPES), "a tensor has no address"
        if not self.gpu.called("execute"):
            return False
        self.gpu.put(self._compute)
        return True

    def _compute(self) -> None:
        address, size = self._scratch
        assert size >= SCRATCH * self._batch, "the scratch memory is too small"
        assert self.gpu.memory[address].nbytes >= size
        arrays = {
            name: self.gpu.array(self._addresses[name], (self._batch, *shape))
            for name, shape in SHAPES.items()
        }
        means = arrays["image"].mean(axis=(1, 2, 3))
        weights = np.exp(means[:, None, None] * np.arange(4))
        arrays["probabilities"][:] = weights / weights.sum(axis=-1, keepdims=True)
        arrays["lung_mask"][:] = 1 - arrays["image"]
        arrays["alignment"][:] = UPRIGHT
        arrays["zone_evidence"][:] = 0


class NewContext(Context):
    """As since TensorRT 10.1."""

    def update_device_memory_size_for_shapes(self) -> int:
        return SCRATCH * self._batch

    def set_device_memory(self, address: int, size: int) -> None:
        self._scratch = address, size


class OldContext(Context):
    """As in TensorRT 8.5, which takes an address alone."""

    @property
    def device_memory(self) -> int:
        return self._scratch[0]

    @device_memory.setter
    def device_memory(self, address: int) -> None:
        self._scratch = address, self.gpu.memory[address].nbytes


class Engine(_Counted):
    def __init__(self, gpu: GpuDouble, max_batch: int = 4) -> None:
        super().__init__(gpu)
        self._names, self._max_batch = tuple(SHAPES), max_batch

    @property
    def num_io_tensors(self) -> int:
        return len(self._names)

    def get_tensor_name(self, index: int) -> str:
        return self._names[index]


class OldEngine(Engine):
    @property
    def device_memory_size(self) -> int:
        return SCRATCH * self._max_batch

    def create_execution_context_without_device_memory(self) -> Context | None:
        return OldContext(self.gpu) if self.gpu.called("context") else None


class NewEngine(Engine):
    def create_execution_context(self, strategy: Any = "STATIC") -> Context | None:
        assert strategy == "USER_MANAGED", "the library would take memory of its own"
        return NewContext(self.gpu) if self.gpu.called("context") else None


class RtxEngine(Engine):
    def create_runtime_config(self) -> "RuntimeConfig":
        return RuntimeConfig(self.gpu)

    def create_execution_context(self, config: "RuntimeConfig") -> Context | None:
        assert config.strategy == "USER_MANAGED"
        assert config.cache is not None
        config.cache.kernels = b"kernels for sm_86"
        return NewContext(self.gpu) if self.gpu.called("context") else None


class RuntimeCache(_Counted):
    kernels = b""

    def serialize(self) -> bytes:
        return self.kernels

    def deserialize(self, data: bytes) -> bool:
        assert self.gpu.current
        self.kernels = data
        return True


class RuntimeConfig(_Counted):
    strategy = "STATIC"
    cuda_graph_strategy = "DISABLED"
    cache: RuntimeCache | None = None

    def create_runtime_cache(self) -> RuntimeCache:
        return RuntimeCache(self.gpu)

    def set_runtime_cache(self, cache: RuntimeCache) -> bool:
        self.cache = cache
        return True

    def set_execution_context_allocation_strategy(self, strategy: str) -> None:
        self.strategy = strategy


def make_tensorrt(gpu: GpuDouble, generation: str) -> ModuleType:
    """The module ``tensorrt`` of a generation, or ``tensorrt_rtx``."""
    rtx = generation == "tensorrt-rtx"
    module: Any = ModuleType("tensorrt_rtx" if rtx else "tensorrt")
    old = generation == "tensorrt 8.5"
    kind = RtxEngine if rtx else OldEngine if old else NewEngine

    class Runtime(_Counted):
        def __init__(self, log: Any) -> None:
            super().__init__(gpu)
            self._log = log

        def deserialize_cuda_engine(self, data: bytes) -> Engine | None:
            if gpu.called("deserialize") and data == ENGINE:
                return kind(gpu)
            self._log.log(1, "The engine plan file is not compatible")
            return None

    module.__version__ = RTX_VERSION if rtx else GENERATIONS[generation]
    module.ILogger, module.Runtime = Logger, Runtime
    if not old:
        module.ExecutionContextAllocationStrategy = SimpleNamespace(USER_MANAGED="USER_MANAGED")
    module.CudaGraphStrategy = SimpleNamespace(WHOLE_GRAPH_CAPTURE="WHOLE_GRAPH_CAPTURE")
    return module
