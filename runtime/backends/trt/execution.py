"""An engine's execution for one batch size: its context, and its CUDA graph."""

from collections.abc import Callable
from typing import Any

from ...contract import IMAGE
from ...errors import BackendUnavailable
from .gpu import Gpu
from .graph import CudaGraph, capture

Addresses = dict[str, int]


class Execution:
    """One batch size, at fixed addresses.

    The first run is a plain one, on which the library settles what depends on the shape; from the
    second on a recorded graph is launched.
    """

    def __init__(
        self,
        make_context: Callable[[], Any],
        shape: tuple[int, ...],
        addresses: Addresses,
        use_graph: bool,
    ) -> None:
        self._context: Any = make_context()
        if self._context is None:
            raise BackendUnavailable("the engine gives no execution context: GPU memory is short")
        if not self._context.set_input_shape(IMAGE, shape):
            # The error's traceback must not keep the context beyond its engine.
            self._context = None
            raise BackendUnavailable(f"the engine refuses an input of shape {shape}")
        for name, address in addresses.items():
            self._context.set_tensor_address(name, address)
        self._use_graph = use_graph
        self._graph: CudaGraph | None = None
        self._ran = False

    def scratch_size(self, engine: Any) -> int:
        """Bytes of scratch memory that this batch size needs."""
        if hasattr(self._context, "update_device_memory_size_for_shapes"):
            return int(self._context.update_device_memory_size_for_shapes())
        return int(engine.device_memory_size)

    def give_scratch(self, address: int, size: int) -> None:
        """Let it compute in the given memory."""
        if hasattr(self._context, "set_device_memory"):
            self._context.set_device_memory(address, size)
        else:
            self._context.device_memory = address

    def enqueue(self, gpu: Gpu, reason: Callable[[], str]) -> None:
        """Put one inference on the GPU's stream.

        Raises
        ------
        BackendUnavailable
            The library refuses.
        """
        if self._ran and self._use_graph:
            self._record(gpu)
        done = self._graph.launch() if self._graph else self._plain(gpu)
        if not done:
            raise BackendUnavailable(f"the GPU did not take the work: {reason()}")
        self._ran = True

    def close(self) -> None:
        """Release the graph and the context."""
        if self._graph is not None:
            self._graph.close()
        self._graph = self._context = None

    def _record(self, gpu: Gpu) -> None:
        if self._graph is None:
            self._graph = capture(gpu.stream, lambda: self._plain(gpu))
            # Work that cannot be recorded is not tried again for every image.
            self._use_graph = self._graph is not None

    def _plain(self, gpu: Gpu) -> bool:
        return bool(self._context.execute_async_v3(gpu.stream))
