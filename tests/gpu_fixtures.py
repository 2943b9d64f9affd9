"""A GPU, a CUDA package and a TensorRT that are doubles, installed for one test."""

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from brixia_edge.runtime.backends.trt import engine as trt_engine
from brixia_edge.runtime.backends.trt import graph as trt_graph
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.engine_file import EngineRecord
from brixia_edge.runtime.bundles.engines import add_engine, model_digest
from brixia_edge.runtime.files import digest
from cuda_doubles import make_cuda_python, make_pycuda
from gpu_double import DriverDouble, GpuDouble
from tensorrt_double import ENGINE, GENERATIONS, RTX_VERSION, make_tensorrt

PACKAGES = {"pycuda": make_pycuda, "cuda-python": make_cuda_python}
VERSIONS = GENERATIONS | {"tensorrt-rtx": RTX_VERSION}

Installer = Callable[..., GpuDouble]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Installer]:
    """Install a GPU with a library and a CUDA package; at the end nothing of it may be left."""
    gpus: list[GpuDouble] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def put(generation: str = "tensorrt 10", package: str = "pycuda") -> GpuDouble:
        gpu = GpuDouble()
        for name in ("pycuda", "pycuda.driver", "cuda", "cuda.bindings", "cuda.bindings.driver"):
            monkeypatch.setitem(sys.modules, name, None)
        cuda = PACKAGES[package](gpu)
        for name in (cuda.__name__.rsplit(".", 1)[0], cuda.__name__):
            monkeypatch.setitem(sys.modules, name, _findable(name, cuda))
        library = make_tensorrt(gpu, generation)
        monkeypatch.setitem(sys.modules, library.__name__, _findable(library.__name__, library))
        monkeypatch.setattr(trt_graph, "driver", lambda: DriverDouble(gpu))
        trt_engine.error_log.cache_clear()
        gpus.append(gpu)
        return gpu

    yield put
    gc.collect()
    trt_engine.error_log.cache_clear()
    for gpu in gpus:
        gpu.assert_clean()


@pytest.fixture
def bundle_for(tiny_bundle: Bundle) -> Callable[..., Bundle]:
    """Give the tiny bundle an engine."""

    def add(generation: str = "tensorrt 10", engine: bytes = ENGINE, **others: Any) -> Bundle:
        backend = generation.partition(" ")[0]
        record = EngineRecord(
            file=f"engines/{backend}.engine",
            sha256=digest(engine),
            backend=backend,
            version=VERSIONS[generation],
            targets=("sm_86",),
            precision="fp32",
            max_batch=4,
            model_sha256=model_digest(tiny_bundle),
        )
        return add_engine(tiny_bundle, replace(record, **others), engine, b"{}")

    return add


def _findable(name: str, module: ModuleType) -> ModuleType:
    module.__spec__ = ModuleSpec(name, None)
    return module
