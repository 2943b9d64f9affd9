"""CUDA through PyCUDA."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendUnavailable
from .gpu import Allocation, Gpu, HostAllocation


class PyCudaGpu(Gpu):
    """The first GPU, its primary context retained and current only when asked for."""

    def __init__(self) -> None:
        """Open the GPU.

        Raises
        ------
        BackendUnavailable
            There is no GPU or no driver.
        """
        self._cuda: Any = import_module("pycuda.driver")
        with self._errors("open the GPU"):
            self._cuda.init()
            device = self._cuda.Device(0)
            self.target = "sm_{}{}".format(*device.compute_capability())
            self._context: Any = device.retain_primary_context()
        try:
            with self.active(), self._errors("create a stream"):
                self._stream: Any = self._cuda.Stream()
                self.stream = int(self._stream.handle)
        except BaseException:
            self._context.detach()
            raise

    def allocate(self, size: int) -> Allocation:
        """Take device memory of `size` bytes."""
        with self._errors(f"take {size / 1e6:.0f} MB of GPU memory"):
            memory = self._cuda.mem_alloc(size)
        return Allocation(int(memory), memory.free)

    def allocate_host(self, shape: Sequence[int]) -> HostAllocation:
        """Take page-locked memory for a float32 array."""
        with self._errors(f"take {prod(shape) * 4 / 1e6:.0f} MB of page-locked memory"):
            array = self._cuda.pagelocked_empty(tuple(shape), np.float32)
        return HostAllocation(array, array.base.free)

    def upload(self, address: int, source: NDArray[np.float32]) -> None:
        """Copy to the device."""
        with self._errors("copy to the GPU"):
            self._cuda.memcpy_htod_async(address, source, self._stream)

    def download(self, target: NDArray[np.float32], address: int) -> None:
        """Copy from the device."""
        with self._errors("copy from the GPU"):
            self._cuda.memcpy_dtoh_async(target, address, self._stream)

    def synchronize(self) -> None:
        """Wait for the stream."""
        with self._errors("finish its work"):
            self._stream.synchronize()

    def close(self) -> None:
        """Release the stream and the context."""
        with self.active():
            del self._stream
        self._context.detach()

    def _push(self) -> None:
        with self._errors("make its context current"):
            self._context.push()

    def _pop(self) -> None:
        self._cuda.Context.pop()

    @contextmanager
    def _errors(self, what: str) -> Generator[None]:
        try:
            yield
        except self._cuda.Error as error:
            raise BackendUnavailable(f"the GPU could not {what}: {error}") from error
