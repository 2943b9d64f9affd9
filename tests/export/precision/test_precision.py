"""FP16 and INT8 graphs: types and pairs stand where they must, and the numbers hold."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from brixia_edge.calibration.options import CalibrationOptions
from brixia_edge.calibration.ranges.table import CalibrationTable, Range
from brixia_edge.calibration.ranges.tensors import watched_tensors
from brixia_edge.export.graph.graph import Graph, TensorType
from brixia_edge.export.graph.onnx_model import to_onnx
from brixia_edge.export.parity.measured import MeasuredImages, MeasuredReference, measure_scores
from brixia_edge.export.parity.parity import run_onnx, synthetic_radiographs
from brixia_edge.export.parity.score_parity import ScoreBound
from brixia_edge.export.precision.accuracy import Search, fewest, quantize_within
from brixia_edge.export.precision.evidence import EvidenceOptions, gather_evidence
from brixia_edge.export.precision.half import LARGEST, kept_in_float, to_half
from brixia_edge.export.precision.quantize import (
    quantizable,
    quantize,
    quantize_per_channel,
    with_signed_activations,
    with_signed_numbers,
)
from brixia_edge.export.rewrites import FLOAT_REWRITES, QUANTIZED_REWRITES, rewrite
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import CalibrationError
from numpy.typing import NDArray

CHANNELS = 16


@pytest.fixture
def small_graph() -> Graph:
    """Two convolutions side by side, concatenated, convolved again, pooled to probabilities."""
    generator = np.random.default_rng(3)
    graph = Graph("small", inputs={"image": TensorType("float32", ("N", 1, 8, 8))})

    def convolve(source: str, name: str, channels: int, size: int = 3, out: int = CHANNELS) -> str:
        kernel = (
            generator.standard_normal((out, channels, size, size)) * (channels * size**2) ** -0.5
        )
        weights = [
            graph.constant(f"{name}/kernel", kernel.astype(np.float32)),
            graph.constant(f"{name}/bias", np.full(out, 0.1, np.float32)),
        ]
        return graph.add("Conv", [source, *weights], name, pads=[size // 2] * 4)

    stem = graph.add("Relu", [convolve("image", "stem", 1)], "stem_relu")
    left = graph.add("Relu", [convolve(stem, "left", CHANNELS)], "left_relu")
    right = graph.add("Relu", [convolve(stem, "right", CHANNELS)], "right_relu")
    merged = graph.add("Concat", [left, right], "merged", axis=1)
    last = graph.add("Relu", [convolve(merged, "last", 2 * CHANNELS)], "last_relu")
    pooled = graph.add("GlobalAveragePool", [last], "pooled")
    logits = convolve(pooled, "classes", CHANNELS, 1, 24)
    graph.constants["classes/kernel"] = graph.constants["classes/kernel"].astype(np.float32) * 8
    graph.add("Softmax", [graph.reshape(logits, "logits", [-1, 6, 4])], "probabilities", axis=-1)
    graph.outputs = {"probabilities": TensorType("float32", ("N", 6, 4))}
    return graph


@pytest.fixture
def images() -> NDArray[np.float32]:
    return np.random.default_rng(5).random((12, 1, 8, 8), np.float32)


@pytest.fixture
def table(small_graph: Graph, images: NDArray[np.float32]) -> CalibrationTable:
    """Ranges measured here, by letting the tensors out of the graph."""
    names = ["stem_relu", "left_relu", "right_relu", "merged", "last_relu", "pooled"]
    opened = small_graph.copy()
    opened.outputs |= {name: TensorType("float32", ("N", "C", "H", "W")) for name in names}
    measured = run_onnx(to_onnx(opened).SerializeToString(), images)
    ranges = {
        name: Range(float(measured[name].min()), float(measured[name].max())) for name in names
    }
    return make_table(ranges)


def make_table(ranges: dict[str, Range]) -> CalibrationTable:
    return CalibrationTable(
        weights_sha256="ab" * 32,
        preprocess_digest="cd" * 32,
        method="minmax",
        ranges=ranges,
        images=(),
        seed=0,
        built_with={},
        observed=ranges,
    )


def constants_of(graph: Graph, tensor: str) -> tuple[float, np.dtype[np.generic]]:
    return float(graph.constants[f"{tensor}/scale"]), graph.constants[f"{tensor}/zero_point"].dtype


def test_what_is_concatenated_shares_one_scale(small_graph: Graph, table: CalibrationTable) -> None:
    graph = quantize(small_graph, table, quantizable(small_graph))
    scales = {constants_of(graph, name) for name in ("left_relu", "right_relu", "merged")}
    largest = max(table.ranges[name].magnitude for name in ("left_relu", "right_relu", "merged"))
    assert scales == {(np.float32(largest / 255), np.dtype(np.uint8))}


def test_few_channels_stay_float(small_graph: Graph) -> None:
    assert quantizable(small_graph) == ("left", "right", "last", "classes")


def test_int8_gives_nearly_the_same(
    small_graph: Graph, table: CalibrationTable, images: NDArray[np.float32]
) -> None:
    graph = quantize(small_graph, table, quantizable(small_graph))
    expected = run_onnx(to_onnx(small_graph).SerializeToString(), images)["probabilities"]
    for form in (graph, with_signed_activations(graph)):
        actual = run_onnx(to_onnx(form).SerializeToString(), images)["probabilities"]
        assert 0 < np.abs(actual - expected).max() < 0.05


def test_the_signed_numbers_are_those_of_the_signed_form(
    small_graph: Graph, table: CalibrationTable, images: NDArray[np.float32]
) -> None:
    # A range that is too small, so that what is above it must be cut in both.
    clipped = make_table({name: Range(0, seen.highest / 3) for name, seen in table.ranges.items()})
    graph = quantize(small_graph, clipped, quantizable(small_graph))
    signed, numbers, own = (
        run_onnx(to_onnx(form).SerializeToString(), images)["probabilities"]
        for form in (with_signed_activations(graph), with_signed_numbers(graph), graph)
    )
    np.testing.assert_allclose(numbers, signed, atol=1e-6)
    assert np.abs(own - signed).max() > 1e-4


def test_the_signed_form_is_symmetric_for_tensorrt(
    small_graph: Graph, table: CalibrationTable
) -> None:
    graph = quantize(small_graph, table, quantizable(small_graph))
    converted = with_signed_activations(graph)
    zeros = [v for name, v in converted.constants.items() if name.endswith("zero_point")]
    assert zeros
    assert all(zero.dtype == np.int8 and not zero.any() for zero in zeros)
    joined = max(table.ranges[name].magnitude for name in ("left_relu", "right_relu", "merged"))
    for name, largest in (("merged", joined), ("pooled", table.ranges["pooled"].magnitude)):
        assert constants_of(converted, name)[0] == pytest.approx(largest / 127)


def test_a_tensor_that_was_not_watched_takes_the_range_of_what_it_is_moved_to(
    small_graph: Graph, table: CalibrationTable
) -> None:
    ranges = {name: r for name, r in table.ranges.items() if name != "left_relu"}
    graph = quantize(small_graph, make_table(ranges), ("left",))
    assert constants_of(graph, "left_relu")[0] == np.float32(ranges["merged"].magnitude / 255)


def test_weights_are_quantized_per_output_channel() -> None:
    kernel = np.random.default_rng(0).standard_normal((3, 4, 2, 2)).astype(np.float32)
    kernel[1] *= 100
    kernel[2] = 0
    values, scales = quantize_per_channel(kernel)
    assert np.abs(values[:2]).reshape(2, -1).max(axis=1).tolist() == [127, 127]
    error = np.abs(values * scales[:, None, None, None] - kernel).reshape(3, -1).max(axis=1)
    assert (error <= scales / 2 * 1.001).all()


def test_a_table_that_lacks_tensors_is_refused(small_graph: Graph, table: CalibrationTable) -> None:
    ranges = {name: r for name, r in table.ranges.items() if name != "pooled"}
    with pytest.raises(CalibrationError, match="pooled"):
        quantize(small_graph, make_table(ranges), quantizable(small_graph))


def test_a_tensor_that_is_always_zero_is_quantized_all_the_same(
    small_graph: Graph, table: CalibrationTable, images: NDArray[np.float32]
) -> None:
    ranges = dict(table.ranges) | {"pooled": Range(0, 0)}
    graph = quantize(small_graph, make_table(ranges), ("classes",))
    assert np.isfinite(run_onnx(to_onnx(graph).SerializeToString(), images)["probabilities"]).all()


@pytest.fixture
def spoiled(table: CalibrationTable) -> CalibrationTable:
    """A table that clips what the last layer reads."""
    clipped = Range(0, table.ranges["pooled"].highest / 20)
    return make_table(dict(table.ranges) | {"pooled": clipped})


@pytest.fixture
def reference(small_graph: Graph, images: NDArray[np.float32]) -> MeasuredReference:
    digests = tuple(map(str, range(len(images))))
    measured = MeasuredImages(images, (None,) * len(images), digests)
    model = to_onnx(small_graph).SerializeToString()
    return MeasuredReference(model, measured, measure_scores(model, measured))


def test_only_the_layer_that_spoils_the_scores_goes_back_to_float(
    small_graph: Graph,
    table: CalibrationTable,
    spoiled: CalibrationTable,
    reference: MeasuredReference,
) -> None:
    bound = ScoreBound(score_drop=0.05, zone_agreement=0.9)
    quantized = quantize_within(small_graph, spoiled, reference, bound)
    assert quantized.put_back == ("classes",)
    assert quantized.convolutions == ("left", "right", "last")
    assert not bound.holds(quantized.tried)
    assert bound.holds(quantized.parity)
    good = quantize_within(small_graph, table, reference, bound)
    assert good.put_back == ()


@pytest.mark.parametrize(("put_back", "holds"), [((), False), (("classes",), True)])
def test_a_search_runs_no_more_images_than_tell_that_the_bound_is_broken(
    small_graph: Graph,
    spoiled: CalibrationTable,
    reference: MeasuredReference,
    put_back: tuple[str, ...],
    holds: bool,
) -> None:
    layers = quantizable(small_graph)
    bound = ScoreBound(score_drop=0.05, zone_agreement=0.9)
    passed: list[object] = []

    def count(stage: str, items: Iterable[Any], count: int | None = None) -> Iterator[Any]:
        for item in items:
            passed.append(item)
            yield item

    search = Search(
        put_back,
        lambda names: quantize(small_graph, spoiled, [n for n in layers if n not in names]),
        reference,
        bound,
        worst=range(len(reference.measured)),
        progress=count,
    )
    found = search.parity(len(put_back))
    assert search.parity(len(put_back)) is found  # and nothing was run again
    assert (len(passed) == len(reference.measured)) == holds
    whole = search.measure(len(put_back))
    assert bound.holds(whole) == holds
    assert found == (whole if holds else None)


def test_what_is_known_of_an_image_is_not_run_again(reference: MeasuredReference) -> None:
    measured = reference.measured
    known = {digest: np.full((6, 4), 0.25, np.float32) for digest in measured.digests[1:]}
    given = measure_scores(reference.model, measured, known=known)
    np.testing.assert_array_equal(given[0], reference.probabilities[0])
    assert (given[1:] == 0.25).all()


@pytest.mark.parametrize("needed", [1, 2, 3, 5, 8, 13, 40, 46])
def test_the_fewest_that_hold_are_found(needed: int) -> None:
    asked: list[int] = []

    def holds(number: int) -> bool:
        asked.append(number)
        return number >= needed

    assert fewest(46, holds) == needed
    assert len(asked) <= 12


def test_the_network_s_heads_sampling_and_steering_stay_float(seeded_network: Graph) -> None:
    graph = rewrite(seeded_network, QUANTIZED_REWRITES)
    names = quantizable(graph)
    assert not [
        n for n in names if n.startswith(("stn/", "heads/", "conv0", "final_conv", "C1_", "C5_"))
    ]
    weights = sum(graph.constants[graph.node(name).inputs[1]].size for name in names)
    assert weights > 0.9 * sum(value.size for value in graph.constants.values())


def test_an_upsampling_is_quantized_alone_with_what_calibration_watches(
    seeded_network: Graph,
) -> None:
    watched = watched_tensors(to_onnx(rewrite(seeded_network, FLOAT_REWRITES)))
    table = make_table({tensor.name: Range(-1, 1) for tensor in watched})
    graph = rewrite(seeded_network, QUANTIZED_REWRITES)
    upsamplings = [name for name in quantizable(graph) if name.endswith("/subpixels")]
    assert upsamplings
    for name in upsamplings:
        assert name.replace("/subpixels", "/relu") not in table.ranges
    quantize(graph, table, upsamplings)


def test_half_keeps_coordinates_sums_and_softmax_in_float(seeded_network: Graph) -> None:
    graph = rewrite(seeded_network)
    kept = kept_in_float(graph, {})
    assert {"alignment/grid128", "stn/locnet_dense", "probabilities", "zone_logits"} <= kept
    assert not {node.name for node in graph.nodes if node.name.startswith("decoder")} & kept


def test_half_keeps_what_overflows_by_its_measured_range(small_graph: Graph) -> None:
    observed = {"left_relu": Range(0, LARGEST * 1.01), "right_relu": Range(0, LARGEST * 0.99)}
    kept = kept_in_float(small_graph, observed)
    assert {"left_relu", "merged"} <= kept
    assert "right" not in kept
    observed = {"pooled": Range(0, 1e-5)}
    assert {"pooled", "classes"} <= kept_in_float(small_graph, observed)


def test_half_is_strongly_typed_with_float32_outside(seeded_network: Graph) -> None:
    graph = rewrite(seeded_network)
    half = to_onnx(to_half(graph, {}))
    for value in (*half.graph.input, *half.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    stored = {t.name: t.data_type for t in half.graph.initializer if t.name.startswith("decoder")}
    assert set(stored.values()) == {onnx.TensorProto.FLOAT16}
    image = synthetic_radiographs(1)
    actual = run_onnx(half.SerializeToString(), image)
    expected = run_onnx(to_onnx(graph).SerializeToString(), image)
    assert np.abs(actual["probabilities"] - expected["probabilities"]).max() < 0.01
    assert np.abs(actual["alignment"] - expected["alignment"]).max() < 1e-3


def test_a_lower_precision_without_calibration_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "bundle"
    assert main(["export", "absent.h5", "-o", str(target), "--precision", "int8"]) == 1
    assert "need measured ranges; give --calibration" in capsys.readouterr().err
    assert not target.exists()


def test_a_table_without_images_to_measure_on_is_refused(
    tmp_path: Path, table: CalibrationTable
) -> None:
    path = tmp_path / "table.json"
    table.save(path)
    options = CalibrationOptions()
    with pytest.raises(CalibrationError, match="--images"):
        gather_evidence("int8", EvidenceOptions(path), options, ScoreBound())
