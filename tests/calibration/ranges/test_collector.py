"""What the collector sees of a network against the same arithmetic in NumPy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from brixia_edge.calibration.ranges import collector
from brixia_edge.calibration.ranges.collector import Collector, group_by_size
from brixia_edge.calibration.ranges.histogram import BINS
from brixia_edge.calibration.ranges.tensors import Tensor, watched_tensors
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import CalibrationError
from numpy.typing import NDArray
from onnx import TensorProto, helper

Floats = NDArray[np.float32]


def loaded(path: Path) -> onnx.ModelProto:
    return onnx.load_model_from_string(path.read_bytes())


def images(count: int = 3) -> list[Floats]:
    generator = np.random.default_rng(0)
    return [generator.uniform(0.01, 1, (1, 1, 8, 8)).astype(np.float32) for _ in range(count)]


def expected_values() -> dict[str, Floats]:
    """The network of `branching_network`, over all images."""
    image = np.concatenate(images()).ravel()
    centred = image - np.float32(0.5)
    upper, turned = np.maximum(centred, 0), centred * np.float32(-2)
    joined = np.concatenate([upper, turned])
    return {
        "image": image,
        "centred": centred,
        "upper": upper,
        "turned": turned,
        "joined": joined,
        "moved": joined,
    }


def test_histograms_hold_what_the_network_computes(branching_network: Path) -> None:
    values = expected_values()
    watching = Collector(branching_network, list(values))
    for image in images():
        watching.add(image)
    seen = watching.histograms()
    assert list(seen) == list(values)
    for name, expected in values.items():
        histogram = seen[name]
        magnitudes = np.abs(expected[expected != 0]).astype(np.float64)
        counts = np.histogram(magnitudes, BINS, (0, histogram.limit))[0]
        np.testing.assert_array_equal(histogram.counts, counts, err_msg=name)
        assert histogram.zeros == np.count_nonzero(expected == 0)
        assert (histogram.lowest, histogram.highest) == (expected.min(), expected.max())


def test_memory_is_bounded_by_groups_that_see_the_same(
    branching_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Collector(branching_network)
    monkeypatch.setattr(collector, "GROUP_BYTES", 1)
    monkeypatch.setattr(group_by_size, "__defaults__", (1,))
    apart = Collector(branching_network)
    for image in images():
        together.add(image)
        apart.add(image)
    for name, histogram in together.histograms().items():
        np.testing.assert_array_equal(histogram.counts, apart.histograms()[name].counts)


def test_groups_hold_at_most_the_limit() -> None:
    sizes = (10, 20, 5, 100, 1, 1, 24)
    tensors = [Tensor(f"t{number}", (1, size)) for number, size in enumerate(sizes)]
    groups = group_by_size(tensors, limit=120)
    assert [[tensor.name for tensor in group] for group in groups] == [
        ["t0", "t1"],
        ["t2"],
        ["t3"],
        ["t4", "t5", "t6"],
    ]
    assert group_by_size([]) == []


def test_all_is_watched_that_a_quantiser_may_ask_for(branching_network: Path) -> None:
    watched = {tensor.name: tensor for tensor in watched_tensors(loaded(branching_network))}
    # Sub and Log, which read the image, are not watched; `one` does not depend on it, `shape` is
    # no float.
    assert list(watched) == ["centred", "upper", "turned", "joined", "logarithm", "product"]
    assert watched["joined"].sources == ("upper", "turned")
    assert (watched["upper"].sources, watched["upper"].rectified) == (("centred",), True)
    assert watched["turned"].elements == 64
    (image, *_, moved) = watched_tensors(loaded(branching_network), ["moved", "image"])
    assert (image.name, moved.name, moved.sources) == ("image", "moved", ("joined",))


@pytest.mark.parametrize("name", ["half", "one", "shape", "nonsense"])
def test_a_tensor_that_is_no_activation_is_refused(branching_network: Path, name: str) -> None:
    with pytest.raises(CalibrationError, match=name):
        Collector(branching_network, ["image", name])


def test_the_first_tensor_that_is_not_finite_is_named(branching_network: Path) -> None:
    image = images()[0]
    image[0, 0, 2, 3] = 0.0
    with pytest.raises(CalibrationError, match="'logarithm' reaches from -inf"):
        Collector(branching_network).add(image)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\xff not a network")
    with pytest.raises(CalibrationError, match="not an ONNX network"):
        Collector(path)


def test_a_tensor_of_which_the_network_does_not_tell_the_size_is_watched(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Compress", ["image", "chosen"], ["kept"]),
        helper.make_node("Add", ["kept", "kept"], ["doubled"]),
    ]
    graph = helper.make_graph(
        nodes,
        "compressing",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("doubled", TensorProto.FLOAT, None)],
        [helper.make_tensor("chosen", TensorProto.BOOL, [4], [True, False, True, True])],
    )
    imports = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    watching = Collector(model)
    for image in images():
        watching.add(image)
    firsts = np.concatenate([image.ravel()[[0, 2, 3]] for image in images()])
    seen = watching.histograms()["doubled"]
    assert (seen.lowest, seen.highest) == (2 * firsts.min(), 2 * firsts.max())


def test_the_tiny_bundle_is_watched_whole(
    tiny_bundle: Bundle, make_radiograph: Callable[..., object]
) -> None:
    watching = Collector(tiny_bundle.model)
    image = np.random.default_rng(0).random((1, 1, 512, 512)).astype(np.float32)
    watching.add(image)
    seen = watching.histograms()
    assert seen["logits"].highest == pytest.approx(3 * float(image.mean()), rel=1e-4)
    assert seen["nothing3"].magnitude == 0
