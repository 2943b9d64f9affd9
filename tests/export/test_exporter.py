"""Exporting: a bundle appears whole and proven, or not at all."""

import json
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import onnx
import pytest
from brixia_edge.export.exporter import export_bundle
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.graph.onnx_model import to_onnx
from brixia_edge.export.graph.storage import store_kernels_as_half
from brixia_edge.export.network.weights import WeightStore
from brixia_edge.export.options import ExportOptions
from brixia_edge.export.parity.parity import compare, load_golden, run_onnx, synthetic_radiographs
from brixia_edge.export.rewrites import rewrite
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import OutputRefused, WeightsError
from numpy.typing import NDArray


@pytest.fixture(scope="module")
def exported(
    seeded_weights: WeightStore, golden_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    options = ExportOptions("seeded", golden=golden_folder / "seeded.npz")
    return export_bundle(seeded_weights, tmp_path_factory.mktemp("export") / "bundle", options)


def test_an_exported_bundle_opens_and_names_its_weights(
    exported: Bundle, seeded_weights: WeightStore
) -> None:
    manifest = Bundle.open(exported.root).manifest
    assert manifest.weights_sha256 == seeded_weights.digest
    assert manifest.precision == "fp32"
    assert manifest.outputs["probabilities"] == {"dtype": "float32", "shape": ["N", 6, 4]}
    assert {"onnx", "brixia-edge", "python"} <= manifest.built_with.keys()


def test_the_bundle_carries_what_its_export_measured(exported: Bundle) -> None:
    parity = json.loads((exported.root / "parity.json").read_text())
    references = {entry["reference"]: entry["outputs"] for entry in parity["comparisons"]}
    assert set(references) == {"layer-by-layer network", "golden seeded.npz"}
    assert references["golden seeded.npz"]["probabilities"]["relative_l2"] < 1e-4


def test_an_existing_bundle_is_replaced_only_on_request(
    exported: Bundle, seeded_weights: WeightStore
) -> None:
    with pytest.raises(OutputRefused, match=r"already exists .*--overwrite"):
        export_bundle(seeded_weights, exported.root, ExportOptions("other"))
    assert Bundle.open(exported.root).manifest.name == "seeded"


def test_a_golden_file_of_other_weights_stops_the_export(
    border_weights: WeightStore, golden_folder: Path, tmp_path: Path
) -> None:
    options = ExportOptions("border", golden=golden_folder / "seeded.npz")
    with pytest.raises(WeightsError, match="alignment against the golden seeded"):
        export_bundle(border_weights, tmp_path / "bundle", options)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_golden_file_is_refused(
    seeded_weights: WeightStore, tmp_path: Path
) -> None:
    golden = tmp_path / "golden.npz"
    np.savez(golden, images=np.zeros(3))
    with pytest.raises(WeightsError, match="is not a golden file"):
        export_bundle(seeded_weights, tmp_path / "bundle", ExportOptions("x", golden=golden))
    assert list(tmp_path.iterdir()) == [golden]


def test_a_golden_file_that_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    header = BytesIO()
    declared = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
    np.lib.format.write_array_header_1_0(header, declared)
    path = tmp_path / "golden.npz"
    with ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    with pytest.raises(WeightsError, match="declares the shape"):
        load_golden(path)


def test_a_golden_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "golden.npz"
    np.savez_compressed(path, images=np.zeros((1, 1, 512, 512)))
    monkeypatch.setattr("brixia_edge.export.parity.parity._LARGEST_GOLDEN", 10**6)
    with pytest.raises(WeightsError, match="more than 1,000,000 bytes"):
        load_golden(path)


def test_a_damaged_golden_file_is_refused(golden_folder: Path, tmp_path: Path) -> None:
    content = (golden_folder / "seeded.npz").read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 255
    array = BytesIO()
    np.save(array, np.zeros(3))
    path = tmp_path / "golden.npz"
    for damaged in (b"", content[: len(content) // 2], bytes(flipped), array.getvalue()):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match="is not a golden file"):
            load_golden(path)


@pytest.mark.parametrize("name", ["images", "mask", "zone_logits", "theta"])
def test_a_golden_file_of_other_shapes_is_refused(
    golden_folder: Path, tmp_path: Path, name: str
) -> None:
    with np.load(golden_folder / "seeded.npz") as file:
        arrays: dict[str, NDArray[np.floating]] = {key: file[key] for key in file.files}
    path = tmp_path / "golden.npz"
    np.savez(path, **(arrays | {name: arrays[name][:, :4]}))  # pyright: ignore[reportArgumentType]
    with pytest.raises(WeightsError, match="is not a golden file"):
        load_golden(path)


def test_a_target_that_is_taken_stops_the_export_before_its_work(
    seeded_weights: WeightStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("1")
    monkeypatch.setattr("brixia_edge.export.exporter.build_network", None)
    with pytest.raises(OutputRefused, match="it is no bundle"):
        export_bundle(seeded_weights, tmp_path / "file", ExportOptions("x"))


def test_half_stored_kernels_halve_the_file_and_compute_in_float32(seeded_network: Graph) -> None:
    graph = rewrite(seeded_network)
    full, half = (to_onnx(g).SerializeToString() for g in (graph, store_kernels_as_half(graph)))
    assert len(half) < 0.53 * len(full)
    casts = [node for node in onnx.ModelProto.FromString(half).graph.node if node.op_type == "Cast"]
    assert {node.attribute[0].i for node in casts} == {onnx.TensorProto.FLOAT}
    images = synthetic_radiographs()
    comparison = compare(run_onnx(half, images), run_onnx(full, images), "float32 storage")
    assert comparison.outputs["lung_mask"].relative_l2 < 2e-3
    assert comparison.outputs["probabilities"].maximum < 5e-3


def test_a_kernel_beyond_half_range_stays_float32(seeded_network: Graph) -> None:
    graph = rewrite(seeded_network)
    name = graph.node("P5").inputs[1]
    graph.constants[name] = np.multiply(graph.constants[name], 1e6, dtype=np.float32)
    stored = store_kernels_as_half(graph)
    assert stored.constants[name].dtype == np.float32
    assert np.isfinite(stored.constants[f"{graph.node('P1').inputs[1]}/half"]).all()
