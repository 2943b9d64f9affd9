"""PyCUDA's and cuda-python's few calls over a `GpuDouble`."""

import ctypes
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from gpu_double import GpuDouble
from numpy.typing import NDArray


class CudaError(Exception):
    """What PyCUDA raises."""


class _Pagelocked:
    """What an array of PyCUDA's stands on; it can be freed."""

    def __init__(self, gpu: GpuDouble, shape: tuple[int, ...]) -> None:
        if not gpu.called("allocate_host"):
            raise CudaError("out of memory")
        self._gpu, self._memory = gpu, np.zeros(shape, np.float32)
        self.__array_interface__ = self._memory.__array_interface__
        gpu.host.add(id(self))

    def free(self) -> None:
        assert self._gpu.current, "page-locked memory was freed without a current context"
        self._gpu.host.remove(id(self))


class _DeviceAllocation:
    def __init__(self, gpu: GpuDouble, size: int) -> None:
        if not gpu.called("allocate"):
            raise CudaError("out of memory")
        self._gpu, self._address = gpu, gpu.allocate(size)

    def __int__(self) -> int:
        return self._address

    def free(self) -> None:
        self._gpu.free(self._address)


class _Synchronize:
    """Apart from the stream: a traceback of PyCUDA, no Python code, does not keep the stream."""

    def __init__(self, gpu: GpuDouble) -> None:
        self._gpu = gpu

    def __call__(self) -> None:
        self._gpu.synchronize()
        if not self._gpu.called("synchronize"):
            raise CudaError("an illegal memory access was encountered")


class _Stream:
    def __init__(self, gpu: GpuDouble) -> None:
        if not gpu.called("stream"):
            raise CudaError("out of memory")
        self._gpu, self.handle = gpu, gpu.new_handle()
        self.synchronize = _Synchronize(gpu)
        gpu.streams.add(self.handle)

    def __del__(self) -> None:
        if hasattr(self, "handle"):
            assert self._gpu.current, "the stream was destroyed without a current context"
            self._gpu.streams.discard(self.handle)


def _pagelocked_empty(gpu: GpuDouble, shape: tuple[int, ...], dtype: type) -> NDArray[np.float32]:
    assert dtype is np.float32
    return np.asarray(_Pagelocked(gpu, shape))


class _Copy:
    def __init__(self, gpu: GpuDouble, name: str) -> None:
        self._gpu, self._name = gpu, name

    def __call__(self, to: Any, source: Any, stream: Any) -> None:
        # PyCUDA is no Python code: a traceback of it holds no reference to the stream.
        del stream
        if not self._gpu.called(self._name):
            raise CudaError("invalid argument")
        getattr(self._gpu, self._name)(to, source)


def make_pycuda(gpu: GpuDouble) -> ModuleType:
    """The module ``pycuda.driver``."""
    module: Any = ModuleType("pycuda.driver")

    class Context:
        pop = staticmethod(gpu.pop)

        def push(self) -> None:
            gpu.push()

        def detach(self) -> None:
            gpu.retained -= 1

    class Device:
        def __init__(self, index: int) -> None:
            if not gpu.called("device", current=False):
                raise CudaError("no CUDA-capable device is detected")

        def compute_capability(self) -> tuple[int, int]:
            return gpu.capability

        def retain_primary_context(self) -> Context:
            gpu.retained += 1
            return Context()

    module.Error, module.Context, module.Device = CudaError, Context, Device
    module.Stream = lambda: _Stream(gpu)
    module.init = lambda: None
    module.mem_alloc = partial(_DeviceAllocation, gpu)
    module.pagelocked_empty = partial(_pagelocked_empty, gpu)
    module.memcpy_htod_async = _Copy(gpu, "copy_in")
    module.memcpy_dtoh_async = _Copy(gpu, "copy_out")
    return module


def make_cuda_python(  # noqa: C901, PLR0915 - one small function for each call
    gpu: GpuDouble,
) -> ModuleType:
    """The module ``cuda.bindings.driver``: a status, then what the call gives."""
    module: Any = ModuleType("cuda.bindings.driver")
    pinned: dict[int, Any] = {}

    def called(name: str, *given: Any, current: bool = True) -> tuple[Any, ...]:
        return (0, *given) if gpu.called(name, current) else (2,)

    def retain(device: int) -> tuple[Any, ...]:
        gpu.retained += 1
        return 0, "context"

    def release(device: int) -> tuple[int]:
        gpu.retained -= 1
        return (0,)

    def new_stream(flags: int) -> tuple[Any, ...]:
        status = called("stream", gpu.new_handle())
        gpu.streams.update(status[1:])
        return status

    def end_stream(stream: int) -> tuple[int]:
        gpu.streams.remove(stream)
        return (0,)

    def allocate(size: int) -> tuple[Any, ...]:
        status = called("allocate")
        return status if status[0] else (0, gpu.allocate(size))

    def allocate_host(size: int, flags: int) -> tuple[Any, ...]:
        status = called("allocate_host")
        if status[0]:
            return status
        memory = ctypes.create_string_buffer(size)
        address = ctypes.addressof(memory)
        pinned[address] = memory
        gpu.host.add(address)
        return 0, address

    def free_host(address: int) -> tuple[int]:
        gpu.host.remove(address)
        pinned.pop(address)
        return (0,)

    def copy_in(to: int, source: int, size: int, stream: int) -> tuple[Any, ...]:
        gpu.copy_in(to, _array(source, size))
        return called("copy_in")

    def copy_out(to: int, source: int, size: int, stream: int) -> tuple[Any, ...]:
        gpu.copy_out(_array(to, size), source)
        return called("copy_out")

    def synchronize(stream: int) -> tuple[Any, ...]:
        gpu.synchronize()
        return called("synchronize")

    def attribute(part: int, device: int) -> tuple[int, int]:
        return 0, gpu.capability[part]

    def push(context: str) -> tuple[int]:
        gpu.push()
        return (0,)

    def pop() -> tuple[int, str]:
        gpu.pop()
        return 0, "context"

    def free(address: int) -> tuple[int]:
        gpu.free(address)
        return (0,)

    names = "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_"
    module.CUdevice_attribute = SimpleNamespace(**{f"{names}MAJOR": 0, f"{names}MINOR": 1})
    module.CUstream_flags = SimpleNamespace(CU_STREAM_NON_BLOCKING=1)
    module.cuInit = partial(called, "init", current=False)
    module.cuDeviceGet = partial(called, "device", current=False)
    module.cuDeviceGetAttribute = attribute
    module.cuDevicePrimaryCtxRetain, module.cuDevicePrimaryCtxRelease = retain, release
    module.cuCtxPushCurrent, module.cuCtxPopCurrent = push, pop
    module.cuStreamCreate, module.cuStreamDestroy = new_stream, end_stream
    module.cuStreamSynchronize = synchronize
    module.cuMemAlloc, module.cuMemHostAlloc = allocate, allocate_host
    module.cuMemFree, module.cuMemFreeHost = free, free_host
    module.cuMemcpyHtoDAsync, module.cuMemcpyDtoHAsync = copy_in, copy_out
    return module


def _array(address: int, size: int) -> NDArray[np.float32]:
    return np.ctypeslib.as_array((ctypes.c_float * (size // 4)).from_address(address))
