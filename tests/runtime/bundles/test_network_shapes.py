"""A network from a stranger makes no tensor that is far larger than a BS-Net's."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from brixia_edge.runtime.bundles import network_shapes
from brixia_edge.runtime.bundles.bundle import shipped_bundle
from brixia_edge.runtime.bundles.manifest import MODEL, Manifest
from brixia_edge.runtime.bundles.network_file import check_network
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BundleError
from make_models import tiny_model
from numpy.typing import NDArray
from onnx import TensorProto, helper, shape_inference

Build = Callable[[Any], None]
_numpy_helper: Any = onnx.numpy_helper


def constant(model: Any, name: str, values: NDArray[np.generic]) -> str:
    model.graph.initializer.append(_numpy_helper.from_array(values, name))
    return name


def numbers(model: Any, name: str, *values: int) -> str:
    return constant(model, name, np.array(values, np.int64))


def scales(model: Any, name: str, *values: float) -> str:
    return constant(model, name, np.array(values, np.float32))


def grown(operator: str, *inputs: str, **attributes: Any) -> Any:
    return helper.make_node(operator, list(inputs), ["grown"], **attributes)


def constant_of_shape(model: Any) -> None:
    shape = numbers(model, "shape", 1000, 1000, 1000)
    model.graph.node.insert(0, grown("ConstantOfShape", shape))


def expand(model: Any) -> None:
    shape = numbers(model, "shape", 1000, 1000, 1000)
    model.graph.node.insert(0, grown("Expand", scales(model, "one", 1), shape))


def tile(model: Any) -> None:
    model.graph.node.insert(
        0, grown("Tile", scales(model, "one", 1), numbers(model, "repeats", 10**9))
    )


def computed(model: Any) -> None:
    model.graph.node.insert(0, helper.make_node("Shape", ["image"], ["shape"]))


def reshaped_to_what_is_computed(model: Any) -> None:
    cast = helper.make_node("Cast", ["image"], ["shape"], to=TensorProto.INT64)
    model.graph.node.insert(0, cast)
    model.graph.node.insert(1, grown("Reshape", "image", "shape"))


def resize(model: Any) -> None:
    factors = scales(model, "factors", 1, 1, 200, 200)
    model.graph.node.insert(0, grown("Resize", "image", "", factors))


def resize_to_sizes(model: Any) -> None:
    sizes = numbers(model, "sizes", 1, 1, 40_000, 40_000)
    model.graph.node.insert(0, grown("Resize", "image", "", "", sizes))


def pad(model: Any) -> None:
    pads = numbers(model, "pads", 0, 0, 0, 0, 0, 0, 0, 10**7)
    model.graph.node.insert(0, grown("Pad", "image", pads))


def pads_of_a_convolution(model: Any) -> None:
    kernel = constant(model, "kernel", np.ones((1, 1, 1, 1), np.float32))
    model.graph.node.insert(0, grown("Conv", "image", kernel, pads=[20_000] * 4))


def strides_of_a_transposed_convolution(model: Any) -> None:
    kernel = constant(model, "kernel", np.ones((1, 1, 1, 1), np.float32))
    model.graph.node.insert(0, grown("ConvTranspose", "image", kernel, strides=[100, 100]))


def outer_sum(model: Any) -> None:
    column = constant(model, "column", np.ones((40_000, 1), np.float32))
    row = constant(model, "row", np.ones((1, 40_000), np.float32))
    model.graph.node.insert(0, grown("Add", column, row))


def outer_product(model: Any) -> None:
    column = constant(model, "column", np.ones((40_000, 1), np.float32))
    row = constant(model, "row", np.ones((1, 40_000), np.float32))
    model.graph.node.insert(0, grown("MatMul", column, row))


def gather(model: Any) -> None:
    wide = constant(model, "wide", np.ones((1, 40_000), np.float32))
    places = constant(model, "places", np.zeros(40_000, np.int64))
    model.graph.node.insert(0, grown("Gather", wide, places, axis=0))


def doubled_again_and_again(model: Any) -> None:
    names = ["image", *(f"doubled{number}" for number in range(20))]
    for place, (source, target) in enumerate(pairwise(names)):
        node = helper.make_node("Concat", [source, source], [target], axis=1)
        model.graph.node.insert(place, node)


def stack_of_large_ones(model: Any) -> None:
    """None is too large, and all together are."""
    sizes = numbers(model, "sizes", 1, 1, 5_000, 5_000)
    for place in range(200):
        node = helper.make_node("Resize", ["image", "", "", sizes], [f"large{place}"])
        model.graph.node.insert(place, node)


REFUSED: Mapping[Build, str] = {
    constant_of_shape: "the operator ConstantOfShape, which no BS-Net has",
    expand: "the operator Expand, which no BS-Net has",
    tile: "the operator Tile, which no BS-Net has",
    computed: "the operator Shape, which no BS-Net has",
    reshaped_to_what_is_computed: "Reshape whose output's shape cannot be told",
    resize: "Resize that makes a tensor of 1 x 1 x 102400 x 102400 elements",
    resize_to_sizes: "Resize that makes a tensor of 1 x 1 x 40000 x 40000 elements",
    pad: "Pad that makes a tensor",
    pads_of_a_convolution: "Conv that makes a tensor of 1 x 1 x 40512 x 40512",
    strides_of_a_transposed_convolution: "ConvTranspose that makes a tensor of 1 x 1 x 51101",
    outer_sum: "Add that makes a tensor of 40000 x 40000",
    outer_product: "MatMul that makes a tensor of 40000 x 40000",
    gather: "Gather that makes a tensor of 40000 x 40000",
    doubled_again_and_again: "Concat that makes a tensor of 1 x 256 x 512 x 512",
    stack_of_large_ones: "Resize that makes .* in all are allowed",
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, tuple[int, ...]]:
    """The shapes that were worked out, by the tensors' names."""
    seen: dict[str, tuple[int, ...]] = {}
    outputs = network_shapes._outputs  # pyright: ignore[reportPrivateUsage]

    def remember(*arguments: Any) -> list[tuple[str, tuple[int, ...]]]:
        found = outputs(*arguments)
        seen.update(found)
        return found

    monkeypatch.setattr(network_shapes, "_outputs", remember)
    return seen


def inferred(model: Any) -> Mapping[str, tuple[int, ...]]:
    """The shapes that ONNX's own inference tells of one image, by the tensors' names."""
    for value in model.graph.input:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_value = 1
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output)
    }
    return {name: shape for name, shape in shapes.items() if all(shape)}


def ordinary(model: Any) -> None:
    """Operators and attributes beside those that the other networks have."""
    kernel = constant(model, "kernel", np.ones((3, 1, 3, 3), np.float32))
    up = constant(model, "up", np.ones((4, 3, 4, 4), np.float32))
    cut = [numbers(model, "begin", -100), numbers(model, "end", 2**62), numbers(model, "axes", 2)]
    first_four = [numbers(model, "s", 0), numbers(model, "e", 4), numbers(model, "a", 1)]
    odd: dict[str, Any] = {"strides": [2, 3], "pads": [1, 0, 2, 1], "dilations": [2, 1]}
    node = helper.make_node
    model.graph.node.extend(
        [
            node("Conv", ["image", kernel], ["c1"], **odd),
            node("Conv", ["image", kernel], ["c2"], auto_pad="SAME_UPPER", strides=[3, 2]),
            node("MaxPool", ["image"], ["m1"], kernel_shape=[3, 2], ceil_mode=1, strides=[2, 3]),
            node("Concat", ["c1", "c1"], ["joined"], axis=1),
            node("Slice", ["image", *cut, numbers(model, "steps", 3)], ["cut"]),
            node("Slice", ["joined", *first_four], ["four"]),
            node("ConvTranspose", ["four", up], ["grown"], strides=[2, 2], pads=[1, 1, 1, 1]),
            node("Transpose", ["grown"], ["turned"], perm=[0, 2, 3, 1]),
            node("Flatten", ["turned"], ["flat"], axis=2),
            node("ReduceMean", ["image"], ["reduced"], axes=[2, -1], keepdims=0),
            node("DepthToSpace", ["four"], ["deep"], blocksize=2),
            node("MatMul", ["image", "image"], ["product"]),
            node("Gather", ["image", numbers(model, "g", 5, 6, 7)], ["taken"], axis=3),
            node("Resize", ["image", "", scales(model, "f", 1, 1, 1.5, 0.3)], ["resized"]),
            node("Pad", ["image", numbers(model, "p", 0, 0, 1, 2, 0, 0, 3, 4)], ["padded"]),
        ]
    )


def built(change: Build) -> bytes:
    model = onnx.ModelProto.FromString(tiny_model())
    change(model)
    return model.SerializeToString()


@pytest.mark.parametrize(("change", "reason"), list(REFUSED.items()))
def test_a_network_that_grows_beyond_measure_is_refused(change: Build, reason: str) -> None:
    with pytest.raises(BundleError, match=f"the file has .*{reason}"):
        check_network(built(change), "the file")


@pytest.fixture
def _no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a backend was asked")

    monkeypatch.setattr("brixia_edge.runtime.backends.Backend.open", fail)


@pytest.mark.usefixtures("_no_backend")
@pytest.mark.parametrize("change", [constant_of_shape, expand, tile])
def test_scoring_with_such_a_network_is_an_error_before_any_backend_gets_it(
    change: Build,
    tmp_path: Path,
    tiny_manifest: Manifest,
    chest_png: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = write_bundle(tmp_path / "stranger", tiny_manifest, {MODEL: built(change)}).root
    assert main(["score", "--bundle", str(root), str(chest_png)]) == 3
    told = capsys.readouterr()
    assert ("which no BS-Net has" in told.err, told.out) == (True, "")


def test_shapes_are_those_that_onnx_infers(told: Mapping[str, tuple[int, ...]]) -> None:
    for content in (built(ordinary), (shipped_bundle() / MODEL).read_bytes()):
        check_network(content, "the file")
        expected = inferred(onnx.ModelProto.FromString(content))
        assert len(expected) >= 10
        assert {name: told[name] for name in expected} == expected


def test_a_fixed_batch_counts_as_one_image() -> None:
    def of_batch(size: int) -> bytes:
        model = onnx.ModelProto.FromString(tiny_model())
        sizes = numbers(model, "sizes", size, 1, 5_000, 5_000)
        model.graph.node.insert(0, grown("Resize", "image", "", "", sizes))
        dimension = model.graph.input[0].type.tensor_type.shape.dim[0]
        dimension.Clear()
        dimension.dim_value = 16
        return model.SerializeToString()

    check_network(of_batch(16), "the file")
    with pytest.raises(BundleError, match="Resize that makes a tensor of 32 x 1 x 5000"):
        check_network(of_batch(32), "the file")


def test_a_fixed_batch_allows_no_larger_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_shapes, "LARGEST_TENSOR", 10**6)
    model = onnx.ModelProto.FromString(tiny_model())
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 16
    column = constant(model, "column", np.ones((2_000, 1), np.float32))
    row = constant(model, "row", np.ones((1, 1_000), np.float32))
    model.graph.node.insert(0, grown("Add", column, row))
    with pytest.raises(BundleError, match="Add that makes a tensor of 2000 x 1000"):
        check_network(model.SerializeToString(), "the file")


@pytest.mark.parametrize("inputs", [0, 1])
def test_a_graph_without_a_shaped_input_is_no_internal_error(inputs: int) -> None:
    model = onnx.ModelProto.FromString(tiny_model())
    del model.graph.input[:]
    model.graph.input.extend([onnx.ValueInfoProto(name="image")] * inputs)
    with pytest.raises(BundleError, match=r"cannot be told|declared with four dimensions"):
        check_network(model.SerializeToString(), "the file")


def test_an_input_declared_too_small_hides_no_growth() -> None:
    model = onnx.ModelProto.FromString(built(resize))
    for size in model.graph.input[0].type.tensor_type.shape.dim:
        size.dim_value = 1
    with pytest.raises(BundleError, match="makes a tensor of 1 x 1 x 102400 x 102400"):
        check_network(model.SerializeToString(), "the file")
