"""The memory that a session computes in: page-locked and on the device, taken once."""

from collections.abc import Mapping
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from .gpu import Gpu


class Buffers:
    """For each tensor a page-locked array and device memory of the same size.

    Attributes
    ----------
    capacity
        The largest batch that they hold.
    host
        float32 arrays by tensor name, their first axis `capacity` long.
    addresses
        Device addresses by tensor name.
    """

    def __init__(self, gpu: Gpu, shapes: Mapping[str, tuple[int, ...]], capacity: int) -> None:
        """Take memory for tensors of `shapes` (without the batch); all of it or none."""
        self.capacity = capacity
        self.host: dict[str, NDArray[np.float32]] = {}
        self.addresses: dict[str, int] = {}
        self._gpu = gpu
        with ExitStack() as taken:
            for name, shape in shapes.items():
                host = gpu.allocate_host((capacity, *shape))
                taken.callback(host.free)
                self.host[name] = host.array
                self.addresses[name] = self._take(taken, host.array.nbytes)
            self._taken = taken.pop_all()

    def take_scratch(self, size: int) -> int:
        """Device memory that lives as long as the buffers; returns its address."""
        return self._take(self._taken, max(size, 1))

    def close(self) -> None:
        """Give all memory back; closing twice does nothing more."""
        self.host.clear()
        self._taken.close()

    def _take(self, taken: ExitStack, size: int) -> int:
        memory = self._gpu.allocate(size)
        taken.callback(memory.free)
        return memory.address
