"""Every name of NVIDIA's that our code touches exists in the releases that it is for.

Against the real bindings of TensorRT 10 and 11, of TensorRT-RTX and of cuda-python.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from real_bindings import ask, fetch, stand_in_libraries
from touched_names import BUILDERS, MODULES, ROOT, SESSIONS, driver_calls, touched

RTX_ONLY = {
    "ComputeCapability",
    "ComputeCapability.__members__",
    "CudaGraphStrategy",
    "CudaGraphStrategy.WHOLE_GRAPH_CAPTURE",
    "IBuilderConfig.num_compute_capabilities",
    "IBuilderConfig.set_compute_capability",
    "ICudaEngine.create_runtime_config",
    "IRuntimeCache.deserialize",
    "IRuntimeCache.serialize",
    "IRuntimeConfig.create_runtime_cache",
    "IRuntimeConfig.cuda_graph_strategy",
    "IRuntimeConfig.set_execution_context_allocation_strategy",
    "IRuntimeConfig.set_runtime_cache",
}
"""Names that only ``for_rtx`` and ``trt.rtx`` touch, or that `Offers` asks for first."""

GONE_IN_11 = {
    "BuilderFlag.FP16",
    "BuilderFlag.INT8",
    "ICudaEngine.create_execution_context_without_device_memory",
    "ICudaEngine.device_memory_size",
}
"""Names for 8.5 that newer releases are never asked for; 11 has dropped them."""

BY_NAME = {
    "LayerType.CONVOLUTION",
    "LayerType.DECONVOLUTION",
    "LayerType.MATRIX_MULTIPLY",
    "NetworkDefinitionCreationFlag.STRONGLY_TYPED",
}
"""Names that our code asks for with `getattr`."""

IN_A_SUBCLASS = {"ILayer.interpolation_mode"}
"""Of the class that a layer is given first."""

NEEDED = (touched() - IN_A_SUBCLASS) | BY_NAME | {"IGridSampleLayer.interpolation_mode"}

RELEASES = (
    ("tensorrt-cu12-bindings==10.3.0", 10),
    ("tensorrt-cu12-bindings==10.13.3.9", 10),
    ("tensorrt-cu12-bindings==10.16.0.72", 10),
    ("tensorrt-cu13-bindings>=11,<12", 11),
)
"""JetPack 6, 7.0 and 7.2, and the newest for workstations."""


@pytest.mark.parametrize(("requirement", "major"), RELEASES)
def test_the_names_exist_in_tensorrt(requirement: str, major: int, tmp_path: Path) -> None:
    bindings = fetch(requirement, tmp_path / "bindings")
    libraries = stand_in_libraries(major, tmp_path / "libraries")
    said = ask("tensorrt_bindings", NEEDED, bindings, libraries)
    gone = GONE_IN_11 if major >= 11 else set[str]()
    assert set(said["missing"]) - RTX_ONLY == gone
    assert str(said["version"]).startswith(f"{major}.")
    # Strongly typed everywhere from 10 on, so no flag that 11 lacks is ever touched.
    assert said["typed"] is True
    assert said["int8"] == []
    assert said["progress"] is True
    assert said["version_compatible"] is True
    assert said["targets"] == []


def test_the_names_exist_in_tensorrt_rtx() -> None:
    library: Any = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    for name in NEEDED - GONE_IN_11:
        found = library
        for part in name.split("."):
            assert hasattr(found, part), name
            found = getattr(found, part)


def test_the_driver_calls_exist_in_cuda_python(tmp_path: Path) -> None:
    bindings = fetch("cuda-bindings", tmp_path / "cuda")
    fetch("cuda-pathfinder", tmp_path / "cuda")
    assert len(driver_calls()) > 10
    assert ask("cuda.bindings.driver", driver_calls(), bindings, None)["missing"] == []


def test_the_names_are_really_read_from_the_code() -> None:
    assert {"Builder.create_network", "IExecutionContext.execute_async_v3"} <= NEEDED
    assert len(NEEDED) > 60


def test_no_other_module_holds_objects_of_the_library() -> None:
    folders = (ROOT / "export" / "engines", ROOT / "runtime" / "backends")
    others = {path for folder in folders for path in folder.rglob("*.py")} - set(MODULES)
    assert len(BUILDERS) + len(SESSIONS) == len(MODULES)
    for path in others:
        # Modules of the folder `trt` are no attributes of the library.
        text = re.sub(r"(?<=[\"./`])trt\.(session|rtx|engine|gpu)\b", "", path.read_text("utf-8"))
        assert "trt." not in text, path


def test_offers_tells_8_5_by_its_names() -> None:
    offers = import_module("brixia_edge.export.engines.offers")
    library = _Names(
        __version__="8.5.2.2",
        NetworkDefinitionCreationFlag=_Names(EXPLICIT_BATCH=0, EXPLICIT_PRECISION=1),
        BuilderFlag=_Names(FP16="fp16", INT8="int8"),
    )
    told = offers.Offers(library)
    assert told.network_flags() == 1
    assert told.precision_flags("int8") == ("fp16", "int8")
    assert told.precision_flags("fp16") == ("fp16",)
    assert told.precision_flags("fp32") == ()
    assert not told.progress
    assert not told.version_compatible
    assert told.targets == ()


class _Names:
    def __init__(self, **names: object) -> None:
        self.__dict__.update(names)
