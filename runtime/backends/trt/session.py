"""TensorRT on an NVIDIA GPU: Jetson and workstations."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...bundles.bundle import Bundle
from ...bundles.engine_file import read_engine
from ...contract import IMAGE
from ...errors import BackendUnavailable, EngineMismatch
from ..base import COPY_IN, COPY_OUT, ENQUEUE, INFER, Mark, Outputs, Session
from .buffers import Buffers
from .engine import build_line, choose_engine, error_log, import_library, load_engine
from .execution import Execution
from .gpu import Gpu, open_gpu


class TensorRtSession(Session):
    """Runs the engine of a bundle that was built for this TensorRT and this GPU.

    Its CUDA context is current only during a call, so that a session may be used from any thread,
    one call at a time. Buffers are taken for one image and, when a larger batch comes, once for it.
    """

    backend = "tensorrt"
    module = "tensorrt"
    install = "install it: pip install 'brixia-edge[tensorrt]'; on a Jetson it comes with JetPack"
    graphs = True
    """Whether work is recorded as a CUDA graph by us."""

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        """Load the engine.

        Parameters
        ----------
        bundle
            An opened bundle that holds an engine for this machine.
        threads
            Of no meaning on a GPU.

        Raises
        ------
        MissingExtra
            No package gives CUDA to Python.
        BackendUnavailable
            The library cannot be loaded, there is no GPU, or its memory is short.
        EngineMismatch
            No engine of the bundle is for this library, GPU and network.
        """
        super().__init__(bundle)
        self._trt: Any = import_library(self.module, self.install)
        self._lock = Lock()
        self._shapes = _shapes(bundle)
        self._executions: dict[int, Execution] = {}
        self._scratch: tuple[int, int] = (0, 0)
        self._buffers: Buffers | None = None
        self._engine: Any = None
        self._runtime: Any = None
        self._gpu: Gpu | None = open_gpu()
        with ExitStack() as failed:
            failed.callback(self.close)
            with self._gpu.active():
                self._load(bundle, self._gpu)
                self._prepare(self._gpu, 1)
            failed.pop_all()

    def _load(self, bundle: Bundle, gpu: Gpu) -> None:
        record = choose_engine(bundle, self.backend, str(self._trt.__version__), gpu.target)
        data = read_engine(bundle.root / record.file)
        self._record = record
        self._runtime, self._engine = load_engine(self._trt, record, data)
        names = self._tensor_names()
        if names != set(self._shapes):
            raise EngineMismatch(
                f"{record.file} has the tensors {sorted(names)}, the bundle {sorted(self._shapes)};"
                f" build it again: {build_line(bundle, self.backend, gpu.target)}"
            )

    def _tensor_names(self) -> set[str]:
        # In a function of its own: a traceback must not keep the engine beyond its context.
        engine = self._engine
        return {engine.get_tensor_name(index) for index in range(engine.num_io_tensors)}

    def _run(self, images: NDArray[np.float32], outputs: Sequence[str]) -> Outputs:
        with self._current() as gpu:
            return self._infer(gpu, images, outputs, lambda step: None)

    def _run_in_steps(
        self, images: NDArray[np.float32], outputs: Sequence[str], mark: Mark
    ) -> Outputs:
        with self._current() as gpu:

            def mark_done(step: str) -> None:
                if step != ENQUEUE:
                    gpu.synchronize()
                mark(step)

            return self._infer(gpu, images, outputs, mark_done)

    @contextmanager
    def _current(self) -> Generator[Gpu]:
        with self._lock:
            gpu = self._gpu
            if gpu is None:
                raise BackendUnavailable(f"the {self.backend} session is closed; open another")
            with gpu.active():
                yield gpu

    def _infer(
        self, gpu: Gpu, images: NDArray[np.float32], outputs: Sequence[str], mark: Mark
    ) -> Outputs:
        batch = len(images)
        execution, buffers = self._prepare(gpu, batch)
        np.copyto(buffers.host[IMAGE][:batch], images)
        try:
            gpu.upload(buffers.addresses[IMAGE], buffers.host[IMAGE][:batch])
            mark(COPY_IN)
            execution.enqueue(gpu, lambda: error_log(self.module).reason)
            mark(ENQUEUE)
            mark(INFER)
            for name in outputs:
                gpu.download(buffers.host[name][:batch], buffers.addresses[name])
        finally:
            # Even after a failure nothing may still be writing to the buffers of the next call.
            gpu.synchronize()
        result = {name: buffers.host[name][:batch].copy() for name in outputs}
        mark(COPY_OUT)
        return result

    def _prepare(self, gpu: Gpu, batch: int) -> tuple[Execution, Buffers]:
        buffers = self._buffers
        if buffers is None or batch > buffers.capacity:
            self._release()
            self._buffers = buffers = Buffers(gpu, self._shapes, batch)
        if batch not in self._executions:
            self._executions[batch] = self._new_execution(buffers, batch)
        return self._executions[batch], buffers

    def _new_execution(self, buffers: Buffers, batch: int) -> Execution:
        shape = (batch, *self._shapes[IMAGE])
        execution = Execution(self._make_context, shape, buffers.addresses, self.graphs)
        size = execution.scratch_size(self._engine)
        if size > self._scratch[1]:
            # One at a time computes, so all batch sizes share the scratch memory of the largest.
            self._scratch = buffers.take_scratch(size), size
        execution.give_scratch(*self._scratch)
        return execution

    def _make_context(self) -> Any:
        """A context without scratch memory of its own."""
        if hasattr(self._trt, "ExecutionContextAllocationStrategy"):
            strategy = self._trt.ExecutionContextAllocationStrategy.USER_MANAGED
            return self._engine.create_execution_context(strategy)
        return self._engine.create_execution_context_without_device_memory()

    def _release(self) -> None:
        for execution in self._executions.values():
            execution.close()
        self._executions.clear()
        self._scratch = (0, 0)
        if self._buffers is not None:
            self._buffers.close()
            self._buffers = None

    def _before_release(self) -> None:
        """What a product keeps beyond the session."""

    def _close(self) -> None:
        with self._lock:
            gpu, self._gpu = self._gpu, None
            if gpu is None:
                return
            with ExitStack() as stack:
                stack.callback(gpu.close)
                stack.enter_context(gpu.active())
                stack.callback(self._release_engine)
                stack.callback(self._release)
                self._before_release()

    def _release_engine(self) -> None:
        # In this order: an engine must not outlive its runtime.
        self._engine = None
        self._runtime = None


def _shapes(bundle: Bundle) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor, without the batch."""
    tensors: Mapping[str, Mapping[str, object]] = {
        **bundle.manifest.inputs,
        **bundle.manifest.outputs,
    }
    return {name: tuple(cast(list[int], kind["shape"])[1:]) for name, kind in tensors.items()}
