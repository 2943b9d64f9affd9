"""A GPU in memory: strict about lifetimes, threads and contexts, and able to fail on request.

Work put on the stream runs when the stream is synchronised, so that memory freed or
overwritten too early is caught. Every use of something freed, foreign or not current
is an AssertionError.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Work = Callable[[], None]


class GpuDouble:
    """The machine behind the doubles of PyCUDA, cuda-python, the driver and TensorRT."""

    def __init__(self) -> None:
        self.memory: dict[int, NDArray[np.uint8]] = {}
        self.host: set[int] = set()
        self.graphs: dict[int, list[Work]] = {}
        self.streams: set[int] = set()
        self.objects = Counter[str]()
        self.calls = Counter[str]()
        self.retained = 0
        # A session puts, waits for and records work within one call, so in one thread.
        self.pending: dict[int, list[Work]] = {}
        self.recording: dict[int, list[Work]] = {}
        self.faults: dict[str, int] = {}
        self.capability = (8, 6)
        self._stacks: dict[int, int] = {}
        self._next = 0x1000
        self._lock = threading.Lock()

    def fail(self, call: str, nth: int = 1) -> None:
        """Let the nth call from now on of that name fail, once."""
        self.faults[call] = self.calls[call] + nth

    def called(self, call: str, current: bool = True) -> bool:
        """Count a call; False when it is to fail."""
        with self._lock:
            self.calls[call] += 1
            assert self.current or not current, f"{call} without a current context"
            return self.faults.get(call) != self.calls[call]

    @property
    def current(self) -> bool:
        return self._stacks.get(threading.get_ident(), 0) > 0

    def push(self) -> None:
        assert self.retained > 0, "the context was pushed after its release"
        self._stacks[threading.get_ident()] = self._stacks.get(threading.get_ident(), 0) + 1

    def pop(self) -> None:
        assert self.current, "the context was popped more often than pushed"
        self._stacks[threading.get_ident()] -= 1

    def new_handle(self) -> int:
        with self._lock:
            self._next += 0x10000000
            return self._next

    def allocate(self, size: int) -> int:
        address = self.new_handle()
        self.memory[address] = np.zeros(size, np.uint8)
        return address

    def free(self, address: int) -> None:
        assert self.current, "memory was freed without a current context"
        assert address in self.memory, "memory was freed twice"
        assert not self.pending.get(threading.get_ident()), "memory was freed under pending work"
        del self.memory[address]

    def put(self, work: Work) -> None:
        thread = threading.get_ident()
        if thread in self.recording:
            self.recording[thread].append(work)
        else:
            self.pending.setdefault(thread, []).append(work)

    def synchronize(self) -> None:
        for work in self.pending.pop(threading.get_ident(), []):
            work()

    def copy_in(self, address: int, source: NDArray[np.float32]) -> None:
        def work() -> None:
            self.memory[address][: source.nbytes] = source.reshape(-1).view(np.uint8)

        self.put(work)

    def copy_out(self, target: NDArray[np.float32], address: int) -> None:
        def work() -> None:
            target.reshape(-1).view(np.uint8)[:] = self.memory[address][: target.nbytes]

        self.put(work)

    def array(self, address: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Device memory as an array; a view, so that writing to it writes to the device."""
        size = 4 * int(np.prod(shape))
        assert size <= self.memory[address].nbytes, "work reaches beyond its memory"
        return self.memory[address][:size].view(np.float32).reshape(shape)

    def assert_clean(self) -> None:
        """Nothing is left: memory, streams, graphs, contexts, library objects, pushes."""
        left = {
            "device memory": self.memory,
            "page-locked memory": self.host,
            "graphs": self.graphs,
            "streams": self.streams,
            "library objects": +self.objects,
            "retained contexts": self.retained,
            "pushes": sum(self._stacks.values()),
            "work": self.pending,
        }
        assert not {name: what for name, what in left.items() if what}


class DriverDouble:
    """The graph calls of ``libcuda``: status codes, results written through pointers."""

    def __init__(self, gpu: GpuDouble) -> None:
        self._gpu = gpu

    def cuStreamBeginCapture_v2(self, stream: Any, mode: int) -> int:  # noqa: N802
        if not self._gpu.called("begin_capture"):
            return 900
        assert stream.value in self._gpu.streams
        self._gpu.recording[threading.get_ident()] = []
        return 0

    def cuStreamEndCapture(self, stream: Any, graph: Any) -> int:  # noqa: N802
        work = self._gpu.recording.pop(threading.get_ident())
        if not self._gpu.called("end_capture"):
            return 901
        graph._obj.value = self._add(work)
        return 0

    def cuGraphInstantiateWithFlags(self, executable: Any, graph: Any, flags: Any) -> int:  # noqa: N802
        if not self._gpu.called("instantiate"):
            return 2
        executable._obj.value = self._add(self._gpu.graphs[graph.value])
        return 0

    def cuGraphLaunch(self, executable: Any, stream: Any) -> int:  # noqa: N802
        if not self._gpu.called("launch"):
            return 700
        for work in self._gpu.graphs[executable.value]:
            self._gpu.put(work)
        return 0

    def cuGraphDestroy(self, graph: Any) -> int:  # noqa: N802
        del self._gpu.graphs[graph.value]
        return 0

    def cuGraphExecDestroy(self, executable: Any) -> int:  # noqa: N802
        return self.cuGraphDestroy(executable)

    def _add(self, work: list[Work]) -> int:
        handle = self._gpu.new_handle()
        self._gpu.graphs[handle] = work
        return handle
