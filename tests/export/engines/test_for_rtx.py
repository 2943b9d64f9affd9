"""Engines of the full network by TensorRT-RTX itself, which builds on a machine without a GPU."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from brixia_edge.export.engines.build import build_engine, parse, signed_model
from brixia_edge.export.engines.build_log import build_log
from brixia_edge.export.engines.engine_layers import count_precisions
from brixia_edge.export.engines.for_rtx import RTX
from brixia_edge.export.engines.into_bundle import export_engines
from brixia_edge.export.engines.offers import Offers
from brixia_edge.export.engines.options import EngineOptions
from brixia_edge.export.engines.precision_check import require_linear_sampling
from brixia_edge.export.engines.turing import without_matrix_products
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.graph.onnx_model import to_onnx
from brixia_edge.export.graph.storage import store_kernels_as_half
from brixia_edge.export.parity.parity import compare, run_onnx, synthetic_radiographs
from brixia_edge.export.rewrites import rewrite
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.engine_file import read_record
from brixia_edge.runtime.bundles.engines import bundle_engines
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BundleError, EngineBuildError, EngineMismatch
from make_reduced import reduced_model
from onnx import TensorProto, helper

trt: Any = pytest.importorskip(
    "tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx"
)

PRECISIONS = ("fp32", "fp16", "int8")
TARGET = "sm_86"
SLOW_TARGETS = ("sm_75", "sm_80", "sm_89", "sm_120")


@pytest.fixture(scope="module")
def network(seeded_network: Graph) -> Graph:
    return rewrite(seeded_network)


@pytest.fixture
def bundle_of(network: Graph, tiny_manifest: Manifest, tmp_path: Path) -> Callable[..., Bundle]:
    """Write the network, or other models, as a bundle of a precision."""

    def write(precision: str = "fp32", model: bytes | None = None) -> Bundle:
        data = reduced_model(network, precision) if model is None else model
        manifest = replace(tiny_manifest, precision=precision, max_batch=16)
        return write_bundle(tmp_path / precision, manifest, {"model.onnx": data})

    return write


def options(*targets: str, **others: Any) -> EngineOptions:
    return EngineOptions(("tensorrt-rtx",), targets, **others)


@pytest.mark.parametrize(
    "target", [TARGET, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW_TARGETS)]
)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_full_network_is_built_in_its_precision(
    bundle_of: Callable[..., Bundle], precision: str, target: str
) -> None:
    bundle = bundle_of(precision)
    if (precision, target) == ("int8", "sm_75"):
        # TensorRT-RTX 1.7 dequantises every convolution for Turing, and does not say so.
        with pytest.raises(EngineMismatch, match="asked for in int8 but computes otherwise"):
            build_engine(RTX, trt, bundle, options(target))
        return
    built = build_engine(RTX, trt, bundle, options(target))
    counts = count_precisions(built.layers)
    assert built.targets == (target,)
    assert max(counts, key=counts.__getitem__) == precision
    assert sum(counts.values()) > 40


def test_activations_become_signed_for_tensorrt(network: Graph) -> None:
    plain = reduced_model(network, "fp32")
    assert signed_model(plain) == plain
    unsigned = onnx.ModelProto.FromString(reduced_model(network, "int8", signed=False))
    signed = onnx.ModelProto.FromString(signed_model(unsigned.SerializeToString()))
    kinds = [
        {tensor.data_type for tensor in model.graph.initializer} for model in (unsigned, signed)
    ]
    assert TensorProto.UINT8 in kinds[0]
    assert TensorProto.UINT8 not in kinds[1]


def test_one_engine_serves_several_targets(bundle_of: Callable[..., Bundle]) -> None:
    bundle, (record,) = export_engines(bundle_of("int8"), options("sm_80", "sm_86", "sm_120"))
    assert record.targets == ("sm_80", "sm_86", "sm_120")
    assert (bundle.root / record.file).stat().st_size < 60e6


def test_the_network_for_turing_computes_the_same(network: Graph) -> None:
    model = to_onnx(store_kernels_as_half(network)).SerializeToString()
    turing = without_matrix_products(model)
    images = synthetic_radiographs(1)
    assert compare(run_onnx(turing, images), run_onnx(model, images), "the network").ok


def test_an_engine_is_listed_and_described(bundle_of: Callable[..., Bundle]) -> None:
    bundle, (record,) = export_engines(bundle_of("fp16"), options(TARGET, workspace=4096))
    assert bundle_engines(Bundle.open(bundle.root)) == (record,)
    path = bundle.root / record.file
    assert read_record(path) == record
    sidecar = json.loads(path.with_suffix(".json").read_text())
    assert sidecar["options"]["workspace_mib"] == 4096
    assert sidecar["layers_from"] in ("inspector", "build log")
    assert {"name", "kind", "precision"} == sidecar["matrix_layers"][0].keys()
    assert path.read_bytes()[:8].strip(b"\0"), "no header of ours stands before the engine"


def test_a_second_build_takes_the_place_of_the_first(bundle_of: Callable[..., Bundle]) -> None:
    bundle = bundle_of("int8")
    for workspace in (4096, 8192):
        bundle, (record,) = export_engines(bundle, options(TARGET, workspace=workspace))
    assert bundle_engines(Bundle.open(bundle.root)) == (record,)
    files = {path.name for path in (bundle.root / "engines").iterdir()}
    assert files == {Path(record.file).name, Path(record.sidecar).name}


def test_a_float32_engine_is_not_passed_off_as_int8(
    network: Graph, bundle_of: Callable[..., Bundle]
) -> None:
    bundle = bundle_of("int8", to_onnx(network).SerializeToString())
    with pytest.raises(BundleError, match="precision is int8, but no layer"):
        build_engine(RTX, trt, bundle, options(TARGET))


def test_sampling_is_linear(network: Graph) -> None:
    parsed = _parsed(to_onnx(network).SerializeToString())
    layers = [parsed.get_layer(index) for index in range(parsed.num_layers)]
    assert sum(layer.type == trt.LayerType.GRID_SAMPLE for layer in layers) == 5
    require_linear_sampling(trt, parsed)


def test_nearest_sampling_is_refused() -> None:
    model = _sampling_model("nearest")
    with pytest.raises(EngineMismatch, match=r"sample was parsed as .*NEAREST"):
        require_linear_sampling(trt, _parsed(model))


def test_an_unsupported_operator_is_named(bundle_of: Callable[..., Bundle]) -> None:
    shape = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 512, 512])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    node = helper.make_node("Det", ["image"], ["out"], name="zone/determinant")
    model = helper.make_model(
        helper.make_graph([node], "unsupported", [shape], [out]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    with pytest.raises(BundleError, match=r"cannot read .*: node 'zone/determinant': "):
        build_engine(RTX, trt, bundle_of("fp32", model.SerializeToString()), options(TARGET))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (options(), "needs --target.*sm_86"),
        (options("sm_87"), "cannot build for sm_87; there are .*sm_120"),
        (options(TARGET, version_compatible=True), "tied to its release"),
        (options(TARGET, timing_cache=Path("times")), "measures nothing"),
    ],
)
def test_what_it_cannot_do_is_refused(
    tiny_bundle: Bundle, given: EngineOptions, reason: str
) -> None:
    with pytest.raises(EngineBuildError, match=reason):
        build_engine(RTX, trt, tiny_bundle, given)


def test_progress_grows_and_ends(bundle_of: Callable[..., Bundle]) -> None:
    seen: list[float] = []
    build_engine(RTX, trt, bundle_of("int8"), options(TARGET), seen.append)
    assert seen
    assert all(0 <= fraction <= 1 for fraction in seen)


def test_a_build_can_be_called_off(bundle_of: Callable[..., Bundle]) -> None:
    def interrupt(fraction: float) -> None:
        raise KeyboardInterrupt

    bundle = bundle_of("int8")
    with pytest.raises(KeyboardInterrupt):
        build_engine(RTX, trt, bundle, options(TARGET), interrupt)
    assert any("cancel" in error.lower() for error in build_log("tensorrt_rtx").errors)
    assert not (bundle.root / "engines").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_ctrl_c_ends_the_command(bundle_of: Callable[..., Bundle]) -> None:
    bundle = bundle_of("fp32")
    arguments = ["export", str(bundle.root), "--engine", "tensorrt-rtx", "--target", TARGET]
    # A shell's background job would have left Ctrl-C ignored.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"from brixia_edge.runtime.cli import main; sys.exit(main({arguments!r}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "Building engines" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130, said
    assert "Interrupted" in said
    assert Bundle.open(bundle.root).manifest.engines == ()


def test_the_command_adds_an_engine_and_inspects_it(
    bundle_of: Callable[..., Bundle], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundle_of("int8")
    line = ["export", str(bundle.root), "--engine", "tensorrt-rtx", "--target", TARGET]
    assert main(line) == 0
    assert "int8" in capsys.readouterr().out
    (record,) = bundle_engines(Bundle.open(bundle.root))
    assert main(["inspect", str(bundle.root / record.file)]) == 0
    said = capsys.readouterr().out
    assert "GPU sm_86" in said
    assert "int8    correlation" in said
    assert main(["inspect", "--format", "json", str(bundle.root / record.file)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["engine"]["precision"] == "int8"


def _parsed(model: bytes) -> Any:
    log = build_log("tensorrt_rtx")
    builder = trt.Builder(log)
    parsed = builder.create_network(Offers(trt).network_flags())
    parse(trt, parsed, model, log)
    return parsed


def _sampling_model(mode: str) -> bytes:
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8]),
        helper.make_tensor_value_info("grid", TensorProto.FLOAT, [1, 8, 8, 2]),
    ]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 1, 8, 8])
    node = helper.make_node("GridSample", ["image", "grid"], ["out"], name="sample", mode=mode)
    graph = helper.make_graph([node], "sampling", inputs, [out])
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
