"""TensorRT-RTX on a GeForce or RTX workstation GPU."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import OutputRefused
from ...files import write_file
from ...libraries import cache_folder
from .session import TensorRtSession


class TensorRtRtxSession(TensorRtSession):
    """Runs a TensorRT-RTX engine; what it compiles for the GPU is kept in the user's cache."""

    backend = "tensorrt-rtx"
    module = "tensorrt_rtx"
    install = "install it: pip install 'brixia-edge[tensorrt-rtx]'"
    graphs = False  # it records its own, once its kernels are compiled

    _cache: Any = None
    _cached: bytes = b""

    def _make_context(self) -> Any:
        trt, config = self._trt, self._engine.create_runtime_config()
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        config.set_execution_context_allocation_strategy(
            trt.ExecutionContextAllocationStrategy.USER_MANAGED
        )
        if self._cache is None:
            self._cache = config.create_runtime_cache()
            self._load_cache()
        config.set_runtime_cache(self._cache)
        return self._engine.create_execution_context(config)

    def _load_cache(self) -> None:
        path = self._cache_path()
        if path.is_file():
            # One of another driver or GPU is refused, which costs no more than compiling anew.
            self._cached = path.read_bytes()
            self._cache.deserialize(self._cached)

    def _before_release(self) -> None:
        cache, self._cache = self._cache, None
        data = b"" if cache is None else bytes(cache.serialize())
        if data and data != self._cached:
            _keep(self._cache_path(), data)

    def _cache_path(self) -> Path:
        return cache_folder() / "tensorrt-rtx" / f"{self._record.sha256[:16]}.cache"


def _keep(path: Path, data: bytes) -> None:
    # A cache that cannot be kept costs time at the next start and nothing else.
    with suppress(OSError, OutputRefused):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, data, overwrite=True)
