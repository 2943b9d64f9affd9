"""CUDA through cuda-python, where PyCUDA cannot be had."""

import ctypes
from collections.abc import Sequence
from importlib import import_module
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendUnavailable
from .gpu import Allocation, Gpu, HostAllocation


class CudaBindingsGpu(Gpu):
    """The first GPU, its primary context retained and current only when asked for."""

    def __init__(self) -> None:
        """Open the GPU.

        Raises
        ------
        BackendUnavailable
            There is no GPU or no driver.
        """
        self._cuda: Any = import_module("cuda.bindings.driver")
        self._call("cuInit", 0)
        self._device = self._call("cuDeviceGet", 0)
        self.target = f"sm_{self._capability('MAJOR')}{self._capability('MINOR')}"
        self._context = self._call("cuDevicePrimaryCtxRetain", self._device)
        try:
            with self.active():
                flags = self._cuda.CUstream_flags.CU_STREAM_NON_BLOCKING
                self._stream = self._call("cuStreamCreate", flags)
        except BaseException:
            self._call("cuDevicePrimaryCtxRelease", self._device)
            raise
        self.stream = int(self._stream)

    def allocate(self, size: int) -> Allocation:
        """Take device memory of `size` bytes."""
        address = self._call("cuMemAlloc", size)
        return Allocation(int(address), lambda: self._call("cuMemFree", address))

    def allocate_host(self, shape: Sequence[int]) -> HostAllocation:
        """Take page-locked memory for a float32 array."""
        count = prod(shape)
        address = int(self._call("cuMemHostAlloc", count * 4, 0))
        memory = (ctypes.c_float * count).from_address(address)
        array = np.ctypeslib.as_array(memory).reshape(tuple(shape))
        return HostAllocation(array, lambda: self._call("cuMemFreeHost", address))

    def upload(self, address: int, source: NDArray[np.float32]) -> None:
        """Copy to the device."""
        arguments = (address, source.ctypes.data, source.nbytes, self._stream)
        self._call("cuMemcpyHtoDAsync", *arguments)

    def download(self, target: NDArray[np.float32], address: int) -> None:
        """Copy from the device."""
        arguments = (target.ctypes.data, address, target.nbytes, self._stream)
        self._call("cuMemcpyDtoHAsync", *arguments)

    def synchronize(self) -> None:
        """Wait for the stream."""
        self._call("cuStreamSynchronize", self._stream)

    def close(self) -> None:
        """Release the stream and the context."""
        with self.active():
            self._call("cuStreamDestroy", self._stream)
        self._call("cuDevicePrimaryCtxRelease", self._device)

    def _push(self) -> None:
        self._call("cuCtxPushCurrent", self._context)

    def _pop(self) -> None:
        self._call("cuCtxPopCurrent")

    def _capability(self, part: str) -> int:
        names = self._cuda.CUdevice_attribute
        name = f"CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_{part}"
        return int(self._call("cuDeviceGetAttribute", getattr(names, name), self._device))

    def _call(self, name: str, *arguments: Any) -> Any:
        """Call the driver; its functions return a status and then what they give."""
        status, *given = getattr(self._cuda, name)(*arguments)
        if int(status):
            raise BackendUnavailable(f"the GPU's driver refused {name}: {status}")
        return given[0] if given else None
