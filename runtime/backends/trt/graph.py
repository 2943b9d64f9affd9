"""CUDA graphs by the driver's own library.

PyCUDA has no graphs, so the six calls go to ``libcuda`` directly, on the stream of
whichever package serves.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

DRIVER = "libcuda.so.1"

_THREAD_LOCAL = 1
"""CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: what other threads do meanwhile does not spoil it."""


class CudaGraph:
    """What was enqueued on a stream, recorded once and launched with one call."""

    def __init__(self, stream: int, executable: ctypes.c_void_p) -> None:
        self._stream = ctypes.c_void_p(stream)
        self._executable: ctypes.c_void_p | None = executable

    def launch(self) -> bool:
        """Put the recorded work on the stream; False when the driver refuses."""
        return not driver().cuGraphLaunch(self._executable, self._stream)

    def close(self) -> None:
        """Release it; closing twice does nothing more."""
        if self._executable is not None:
            driver().cuGraphExecDestroy(self._executable)
            self._executable = None


def capture(stream: int, enqueue: Callable[[], bool]) -> CudaGraph | None:
    """Record what `enqueue` puts on the stream.

    Returns
    -------
    The graph; None when the driver or the work does not allow it, and then nothing was run.
    """
    handle, graph = ctypes.c_void_p(stream), ctypes.c_void_p()
    if driver().cuStreamBeginCapture_v2(handle, _THREAD_LOCAL):
        return None
    try:
        enqueued = enqueue()
    finally:
        # A capture that is not ended would leave the stream unusable.
        ended = not driver().cuStreamEndCapture(handle, ctypes.byref(graph))
    if not ended or not graph.value:
        return None
    try:
        return _instantiate(stream, graph) if enqueued else None
    finally:
        driver().cuGraphDestroy(graph)


def _instantiate(stream: int, graph: ctypes.c_void_p) -> CudaGraph | None:
    executable, flags = ctypes.c_void_p(), ctypes.c_ulonglong(0)
    failed = driver().cuGraphInstantiateWithFlags(ctypes.byref(executable), graph, flags)
    return None if failed else CudaGraph(stream, executable)


@cache
def driver() -> Any:
    """The driver's library; whoever has a stream has it loaded."""
    return ctypes.CDLL(DRIVER)
