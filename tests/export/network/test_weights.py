"""Reading Keras files: every layout the original writes, and nothing that is not a BS-Net."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from brixia_edge.export.network.architecture import weight_shapes
from brixia_edge.export.network.weights import WeightStore, load_weights
from brixia_edge.runtime.errors import WeightsError
from make_models import saved_name
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]
KerasFile = Callable[..., Path]


def test_the_architecture_names_every_weight_of_the_original(golden_folder: Path) -> None:
    with (golden_folder / "weight_names.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    original = {
        row["canonical"]: tuple(int(size) for size in row["shape"].split("x")) for row in rows
    }
    assert weight_shapes() == original


def test_names_as_the_original_saved_them_are_recognised(golden_folder: Path) -> None:
    with (golden_folder / "weight_names.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            assert saved_name(row["canonical"])[1] == row["name as the original saved it"]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"shift": 7},
        {"full_model": True},
        {"split": 9},
        {"shift": 12, "full_model": True, "split": 50},
    ],
    ids=str,
)
def test_every_layout_gives_the_same_weights(
    seeded_tensors: Tensors, keras_file: KerasFile, how: dict[str, Any]
) -> None:
    store = load_weights(keras_file(seeded_tensors, **how))
    assert store.digest == WeightStore(seeded_tensors).digest
    for name, value in seeded_tensors.items():
        np.testing.assert_array_equal(store[name], value)


def test_separate_files_are_joined(seeded_tensors: Tensors, keras_file: KerasFile) -> None:
    def part(*prefixes: str) -> Tensors:
        return {n: v for n, v in seeded_tensors.items() if n.startswith(prefixes)}

    decoder = keras_file(part("decoder", "final"), "segmentation-model.h5")
    alignment = keras_file(part("stn"), "alignment-model.h5", full_model=True)
    rest = {
        n: v for n, v in seeded_tensors.items() if not n.startswith(("decoder", "final", "stn"))
    }
    store = load_weights(keras_file(rest), decoder, alignment)
    assert store.digest == WeightStore(seeded_tensors).digest


def test_an_alignment_file_with_other_layer_names_is_read_by_order(
    seeded_tensors: Tensors, keras_file: KerasFile, tmp_path: Path
) -> None:
    path = tmp_path / "alignment.h5"
    layers = {"conv2d_8": "locnet_conv0", "conv2d_9": "locnet_conv1"}
    layers |= {"dense": "locnet_dense", "dense_1": "locnet_alignment"}
    file: Any
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, name in layers.items():
            weights = {
                f"{layer}/{kind}:0": seeded_tensors[f"stn/{name}/{kind}"]
                for kind in ("kernel", "bias")
            }
            group = root.create_group(layer)
            group.attrs["weight_names"] = [weight.encode() for weight in weights]
            for weight, value in weights.items():
                group.create_dataset(weight, data=value)
    rest = {name: value for name, value in seeded_tensors.items() if not name.startswith("stn")}
    store = load_weights(keras_file(rest), alignment=path)
    assert store.digest == WeightStore(seeded_tensors).digest


def test_two_files_that_disagree_are_refused_by_name(
    seeded_tensors: Tensors, keras_file: KerasFile
) -> None:
    other = {"final_conv/bias": seeded_tensors["final_conv/bias"] + 1}
    score = keras_file(seeded_tensors)
    with pytest.raises(WeightsError, match=r"disagrees .*final_conv/bias"):
        load_weights(score, keras_file(other, "segmentation-model.h5"))


def test_missing_surplus_and_misshapen_weights_are_all_listed(
    seeded_tensors: Tensors, keras_file: KerasFile
) -> None:
    tensors = dict(seeded_tensors)
    del tensors["P5/bias"], tensors["head5/block1/bn/gamma"]
    tensors["conv0/kernel"] = np.zeros((3, 3, 1, 64), np.float32)
    tensors["fc1/kernel"] = np.zeros((2, 2), np.float32)
    with pytest.raises(WeightsError) as caught:
        load_weights(keras_file(tensors))
    message = str(caught.value)
    assert "2 missing: P5/bias, head5/block1/bn/gamma" in message
    assert "1 surplus: fc1/kernel:0" in message
    assert "1 misshapen: conv0/kernel (3, 3, 1, 64), expected (7, 7, 1, 64)" in message


def test_a_weight_that_is_not_finite_is_refused(
    seeded_tensors: Tensors, keras_file: KerasFile
) -> None:
    broken = seeded_tensors["P1/bias"].copy()
    broken[3] = np.nan
    with pytest.raises(WeightsError, match="not finite: P1/bias"):
        load_weights(keras_file(seeded_tensors | {"P1/bias": broken}))


def test_a_missing_head_is_missing_not_renumbered_silently(
    seeded_tensors: Tensors, keras_file: KerasFile
) -> None:
    tensors = {name: v for name, v in seeded_tensors.items() if not name.startswith("head2/")}
    with pytest.raises(WeightsError, match="20 missing: head5/"):
        load_weights(keras_file(tensors))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "cannot be read"), (b"not HDF5 at all", "cannot be read")],
)
def test_what_is_not_hdf5_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=reason):
        load_weights(path)


def test_a_directory_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be opened: Is a directory"):
        load_weights(tmp_path)
    with pytest.raises(WeightsError, match="cannot be opened: No such file"):
        load_weights(tmp_path / "absent.h5")


def test_hdf5_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    file: Any
    with h5py.File(path, "w") as file:
        file["measurements"] = np.zeros(3)
    with pytest.raises(WeightsError, match="no 'layer_names' attribute"):
        load_weights(path)


def test_the_digest_does_not_depend_on_order_but_on_every_value(seeded_tensors: Tensors) -> None:
    digest = WeightStore(seeded_tensors).digest
    assert WeightStore(dict(reversed(seeded_tensors.items()))).digest == digest
    changed = seeded_tensors["P5/bias"].copy()
    changed[0] = np.nextafter(changed[0], np.float32(1))
    assert WeightStore(seeded_tensors | {"P5/bias": changed}).digest != digest
