"""The shared steps of a build, against a library that has just the names they touch.

It stands for TensorRT 8.5 and 10 on a machine with a GPU, which no test machine has.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from brixia_edge.export.engines import build, for_tensorrt
from brixia_edge.export.engines.build import build_engine
from brixia_edge.export.engines.for_tensorrt import TENSORRT
from brixia_edge.export.engines.options import EngineOptions
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import BundleError, EngineBuildError, EngineMismatch

OPTIONS = EngineOptions(("tensorrt",), workspace=512, optimization_level=4)


def giving(value: Any) -> Callable[..., Any]:
    """A function that gives `value` whatever it is given."""

    def give(*arguments: Any) -> Any:
        return value

    return give


class Log:
    errors: tuple[str, ...] = ("the last error",)
    layers: tuple[str, ...] = ()

    def begin(self) -> None:
        self.errors = self.errors[-1:]


class Library:
    """A library of one convolution; `computes` is what its inspector says of it."""

    __version__ = "10.3.0"
    __name__ = "tensorrt"

    def __init__(self, computes: str = "Float", parses: bool = True, builds: bool = True) -> None:
        self.computes, self.parses, self.builds = computes, parses, builds
        self.config = SimpleNamespace(
            flags=list[str](),
            limits=dict[str, int](),
            add_optimization_profile=giving(None),
        )
        self.config.set_flag = self.config.flags.append
        self.config.set_memory_pool_limit = self.config.limits.__setitem__
        self.shapes: tuple[Any, ...] = ()

    BuilderFlag = SimpleNamespace(FP16="fp16", INT8="int8")
    NetworkDefinitionCreationFlag: Any = SimpleNamespace(EXPLICIT_BATCH=0, STRONGLY_TYPED=1)
    MemoryPoolType = SimpleNamespace(WORKSPACE="workspace")
    ProfilingVerbosity = SimpleNamespace(DETAILED="detailed")
    LayerInformationFormat = SimpleNamespace(JSON="json")
    LayerType = SimpleNamespace(
        CONVOLUTION=0, DECONVOLUTION=1, MATRIX_MULTIPLY=2, DEQUANTIZE=3, GRID_SAMPLE=4
    )

    def Builder(self, log: Log) -> Any:  # noqa: N802 - the library's name
        return SimpleNamespace(
            create_network=self._network,
            create_builder_config=giving(self.config),
            create_optimization_profile=giving(SimpleNamespace(set_shape=self._set_shape)),
            build_serialized_network=giving(b"plan" if self.builds else None),
        )

    def OnnxParser(self, network: Any, log: Log) -> Any:  # noqa: N802 - the library's name
        error = SimpleNamespace(node=giving(2), desc=giving("no importer for it"))
        return SimpleNamespace(parse=giving(self.parses), num_errors=1, get_error=giving(error))

    def Runtime(self, log: Log) -> Any:  # noqa: N802 - the library's name
        inputs = [{"Datatype": self.computes}]
        layer = {"Name": "c", "LayerType": "CaskConvolution", "Inputs": inputs}
        text = json.dumps({"Layers": [layer]})
        inspector = SimpleNamespace(get_engine_information=giving(text))
        engine = SimpleNamespace(create_engine_inspector=giving(inspector))
        return SimpleNamespace(deserialize_cuda_engine=giving(engine))

    def _network(self, flags: int) -> Any:
        self.network_flags = flags
        tensor = SimpleNamespace(name="image", dtype=SimpleNamespace(name="FLOAT"))
        layer = SimpleNamespace(type=0, get_input=giving(tensor))
        return SimpleNamespace(num_layers=1, get_layer=giving(layer))

    def _set_shape(self, name: str, *shapes: tuple[int, ...]) -> None:
        self.shapes = shapes


@pytest.fixture(autouse=True)
def on_sm_87(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(for_tensorrt, "device_target", giving("sm_87"))
    monkeypatch.setattr(build, "build_log", giving(Log()))


def test_an_engine_is_built_for_this_gpu_and_inspected(tiny_bundle: Bundle) -> None:
    library = Library()
    built = build_engine(TENSORRT, library, tiny_bundle, OPTIONS)
    assert (built.data, built.targets, built.version) == (b"plan", ("sm_87",), "10.3.0")
    assert built.layers_from == "inspector"
    assert library.network_flags == 1 << 1
    assert library.config.limits == {"workspace": 512 << 20}
    assert library.config.builder_optimization_level == 4
    assert library.shapes == ((1, 1, 512, 512), (1, 1, 512, 512), (4, 1, 512, 512))


def test_8_5_is_given_flags(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    weak = SimpleNamespace(EXPLICIT_BATCH=0)
    monkeypatch.setattr(Library, "NetworkDefinitionCreationFlag", weak)
    monkeypatch.setattr(build, "asked_precisions", giving({"int8": 1}))
    library.computes = "Int8"
    build_engine(TENSORRT, library, _of(tiny_bundle, "int8"), OPTIONS)
    assert library.config.flags == ["fp16", "int8"]


def test_the_inspector_finds_float32_where_fp16_was_asked_for(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "asked_precisions", giving({"fp16": 1}))
    bundle = _of(tiny_bundle, "fp16")
    build_engine(TENSORRT, Library("Half"), bundle, OPTIONS)
    with pytest.raises(EngineMismatch, match="asked for in fp16 but computes otherwise"):
        build_engine(TENSORRT, Library("Float"), bundle, OPTIONS)


def test_8_5_names_a_node_by_its_place(tiny_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"node '.*': no importer for it"):
        build_engine(TENSORRT, Library(parses=False), tiny_bundle, OPTIONS)


def test_a_failed_build_gives_the_librarys_reason(tiny_bundle: Bundle) -> None:
    with pytest.raises(EngineBuildError, match=r"tensorrt 10\.3\.0 cannot build this: the last"):
        build_engine(TENSORRT, Library(builds=False), tiny_bundle, OPTIONS)


@pytest.mark.parametrize("raises", [True, False])
def test_without_a_gpu_the_way_out_is_named(tiny_bundle: Bundle, raises: bool) -> None:
    library = Library()

    def no_builder(log: Log) -> None:
        if raises:
            raise RuntimeError("CUDA initialization failure")

    library.Builder = no_builder
    with pytest.raises(EngineBuildError, match="--engine tensorrt-rtx --target sm_86"):
        build_engine(TENSORRT, library, tiny_bundle, OPTIONS)


def _of(bundle: Bundle, precision: str) -> Bundle:
    return replace(bundle, manifest=replace(bundle.manifest, precision=precision))
