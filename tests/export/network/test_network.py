"""The exported network gives what the original BS-Net gave (TensorFlow 2.15, see golden/)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.graph.onnx_model import OPSET, from_onnx, to_onnx
from brixia_edge.export.network.network import build_network
from brixia_edge.export.network.weights import WeightStore, load_weights
from brixia_edge.export.network.zones import resampling_matrix
from brixia_edge.export.parity.parity import load_golden, run_onnx, with_zone_logits
from brixia_edge.export.rewrites import FLOAT_REWRITES, REWRITES, rewrite
from brixia_edge.runtime.contract import ROW_BANDS
from numpy.typing import NDArray

ALL_REWRITES = {**REWRITES, **FLOAT_REWRITES}

TENSORRT_85_OPERATORS = {
    "Abs", "Add", "BatchNormalization", "Cast", "Concat", "Conv", "ConvTranspose", "Flatten",
    "Gather", "Gemm", "GridSample", "Less", "MatMul", "MaxPool", "Mul", "Pad", "ReduceMax",
    "ReduceMean", "Relu", "Reshape", "Resize", "Sigmoid", "Slice", "Softmax", "Sub", "Transpose",
}  # fmt: skip
"""Of the operators that onnx-tensorrt 8.5 lists as supported (docs/operators.md), those in use."""


def relative_l2(actual: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    difference = actual.astype(np.float64) - expected.astype(np.float64)
    return float(np.linalg.norm(difference) / np.linalg.norm(expected.astype(np.float64)))


def worst_errors(graph: Graph, golden: Path) -> dict[str, float]:
    images, expected = load_golden(golden)
    actual = with_zone_logits(run_onnx(to_onnx(graph).SerializeToString(), images))
    return {name: relative_l2(actual[name], value) for name, value in expected.items()}


def test_parity_with_the_original(seeded_network: Graph, golden_folder: Path) -> None:
    errors = worst_errors(rewrite(seeded_network, FLOAT_REWRITES), golden_folder / "seeded.npz")
    assert errors.pop("lung_mask") <= 6e-4  # stored in half precision
    assert set(errors) == {"alignment", "zone_logits", "probabilities"}
    assert all(error <= 1e-4 for error in errors.values()), errors


def test_parity_where_sampling_leaves_the_image(
    border_weights: WeightStore, golden_folder: Path
) -> None:
    errors = worst_errors(
        rewrite(build_network(border_weights), FLOAT_REWRITES), golden_folder / "seeded_border.npz"
    )
    assert all(error <= 1e-3 for error in errors.values()), errors


def test_parity_through_a_file_with_shifted_session_counters(
    seeded_tensors: dict[str, NDArray[np.float32]],
    keras_file: Callable[..., Path],
    golden_folder: Path,
) -> None:
    weights = load_weights(keras_file(seeded_tensors, shift=7, full_model=True))
    errors = worst_errors(
        rewrite(build_network(weights), FLOAT_REWRITES), golden_folder / "seeded.npz"
    )
    assert errors["probabilities"] <= 1e-4


@pytest.mark.parametrize("name", ALL_REWRITES)
def test_each_rewrite_alone_keeps_parity(
    seeded_network: Graph, golden_folder: Path, name: str
) -> None:
    graph = seeded_network.copy()
    # The heads' and the decoder's rewrites need their normalization folded.
    REWRITES["fold_following_normalization"](graph)
    if name == "fold_following_normalization":
        before = seeded_network.nodes
    else:
        before = graph.copy().nodes
        ALL_REWRITES[name](graph)
    assert graph.nodes != before, "the rewrite found nothing to do"
    errors = worst_errors(graph, golden_folder / "seeded.npz")
    assert errors.pop("lung_mask") <= 6e-4
    assert all(error <= 1e-4 for error in errors.values()), errors


def test_a_batch_gives_what_its_images_give_alone(
    seeded_network: Graph, golden_folder: Path
) -> None:
    images, _ = load_golden(golden_folder / "seeded.npz")
    model = to_onnx(rewrite(seeded_network, FLOAT_REWRITES)).SerializeToString()
    alone, together = run_onnx(model, images), run_onnx(model, images, batch=2)
    for name, value in alone.items():
        np.testing.assert_allclose(together[name], value, atol=1e-3, rtol=1e-4)


def test_only_operators_that_every_tensorrt_imports(seeded_network: Graph) -> None:
    for graph in (seeded_network, rewrite(seeded_network, FLOAT_REWRITES)):
        assert {node.operator for node in graph.nodes} <= TENSORRT_85_OPERATORS


def test_the_model_keeps_the_contract(seeded_network: Graph) -> None:
    model = to_onnx(rewrite(seeded_network, FLOAT_REWRITES))
    assert model.opset_import[0].version == OPSET
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {
        "image": ["N", 1, 512, 512],
        "probabilities": ["N", 6, 4],
        "lung_mask": ["N", 1, 512, 512],
        "alignment": ["N", 2, 3],
        "zone_evidence": ["N", 6, 4, 16, 16],
    }


def test_a_graph_survives_the_way_through_onnx(seeded_network: Graph) -> None:
    model = to_onnx(seeded_network)
    again = to_onnx(from_onnx(onnx.ModelProto.FromString(model.SerializeToString())))
    assert again.graph == model.graph


def test_zone_crops_are_those_of_crop_and_resize() -> None:
    """By hand for 16 rows: the middle band starts at 0.3 * 15 = 4.5 and steps 0.4 * 15 / 15."""
    matrix = resampling_matrix(ROW_BANDS.values(), 16)
    assert matrix.shape == (48, 16)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
    ramp = matrix @ np.arange(16, dtype=np.float32)
    np.testing.assert_allclose(ramp[16:32], 4.5 + 0.4 * np.arange(16), atol=1e-5)
    assert ramp[0] == 0
    assert ramp[-1] == pytest.approx(15)
