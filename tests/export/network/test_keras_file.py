"""A weights file from a stranger gives its own numbers, and of no other file of this machine."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brixia_edge.export.network.architecture import weight_shapes
from brixia_edge.export.network.keras_file import LARGEST_FILE, read_keras_file
from brixia_edge.export.network.weights import load_weights
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import WeightsError

h5py: Any = import_module("h5py")  # its types are incomplete

Fill = Callable[[Any, Any, Path], object]
"""Gets the file, the layer's group, and the path of another file."""

WEIGHT = "conv0/kernel:0"


def weights_file(path: Path, fill: Fill, names: object = (WEIGHT.encode(),)) -> Path:
    """A Keras file of one layer, whose weight `fill` makes."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv0"]
        group = file.create_group("conv0")
        group.attrs["weight_names"] = names
        fill(file, group, path.with_name("other"))
    return path


def plain(file: Any, group: Any, other: Path) -> None:
    group.create_dataset(WEIGHT, data=np.arange(4), compression="gzip")


def stored_externally(file: Any, group: Any, other: Path) -> None:
    other.write_bytes(np.arange(4, dtype=np.float32).tobytes())
    group.create_dataset(WEIGHT, shape=(4,), dtype="f4", external=[(str(other), 0, 16)])


def virtual(file: Any, group: Any, other: Path) -> None:
    weights_file(other, plain)
    layout: Any = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(other), f"conv0/{WEIGHT}", shape=(4,))
    group.create_virtual_dataset(WEIGHT, layout)


def linked_externally(file: Any, group: Any, other: Path) -> None:
    weights_file(other, plain)
    group["conv0"] = h5py.ExternalLink(str(other), "/conv0/conv0")


def layer_linked_externally(file: Any, group: Any, other: Path) -> None:
    weights_file(other, plain)
    del file["conv0"]
    file["conv0"] = h5py.ExternalLink(str(other), "/conv0")


def linked_within(file: Any, group: Any, other: Path) -> None:
    file.create_dataset("there", data=np.arange(4))
    group[WEIGHT] = h5py.SoftLink("/there")


def model_linked_externally(file: Any, group: Any, other: Path) -> None:
    weights_file(other, plain)
    del file.attrs["layer_names"]
    file["model_weights"] = h5py.ExternalLink(str(other), "/")


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (stored_externally, "in another file"),
        (virtual, "in another file"),
        (linked_externally, "has a link to 'conv0/kernel:0'"),
        (layer_linked_externally, "has a link to 'conv0'"),
        (model_linked_externally, "has a link to 'model_weights'"),
        (linked_within, "has a link to 'conv0/kernel:0'"),
    ],
)
def test_no_other_file_is_read(fill: Fill, reason: str, tmp_path: Path) -> None:
    path = weights_file(tmp_path / "stranger.h5", fill)
    with pytest.raises(WeightsError, match=reason):
        read_keras_file(path)


def of_shape(*shape: int, **more: object) -> Fill:
    def fill(file: Any, group: Any, other: Path) -> None:
        group.create_dataset(WEIGHT, shape=shape, dtype="f4", **more)

    return fill


def texts(file: Any, group: Any, other: Path) -> None:
    group.create_dataset(WEIGHT, data=np.array([b"1.0"]))


def nothing(file: Any, group: Any, other: Path) -> None:
    group.create_dataset(WEIGHT, data=h5py.Empty("f4"))


def folder(file: Any, group: Any, other: Path) -> None:
    group.create_group(WEIGHT)


def absent(file: Any, group: Any, other: Path) -> None:
    group.create_dataset("conv0", data=np.arange(4))


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (of_shape(10**6, 10**6, chunks=(100, 100)), r"float32 \(1000000, 1000000\)"),
        (of_shape(2, chunks=(10**8,), maxshape=(None,), compression="gzip"), "float32"),
        (texts, "S3"),
        (nothing, "float32 None"),
        (folder, "has no values"),
        (absent, "lacks 'conv0/kernel:0'"),
    ],
    ids=["elements", "chunk", "texts", "nothing", "folder", "absent"],
)
def test_sizes_and_kinds_are_looked_at_before_values(
    fill: Fill, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=reason):
        read_keras_file(weights_file(tmp_path / "stranger.h5", fill))


def test_one_weight_named_for_ever_is_refused(tmp_path: Path) -> None:
    path = weights_file(
        tmp_path / "a.h5", plain, [WEIGHT.encode()] * (3 * len(weight_shapes()) + 1)
    )
    with pytest.raises(WeightsError, match="more weights than any BS-Net"):
        read_keras_file(path)


def test_a_list_of_names_that_declares_no_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.create("layer_names", np.array([b"a"], f"S{1 << 25}"))
    with pytest.raises(WeightsError, match="a list 'layer_names' that no BS-Net has"):
        read_keras_file(path)


def test_packed_numbers_of_other_kinds_are_weights(tmp_path: Path) -> None:
    (weight,) = read_keras_file(weights_file(tmp_path / "a.h5", plain))
    np.testing.assert_array_equal(weight.value, np.arange(4, dtype=np.float32))


def test_what_is_no_regular_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    for path in (tmp_path / "pipe.h5", Path("/dev/zero")):
        assert main(["export", str(path), "-o", str(tmp_path / "bundle")]) == 1
        assert "it is no regular file but a pipe or a device" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = weights_file(tmp_path / "a.h5", plain)
    with path.open("r+b") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(WeightsError, match="longer than"):
        read_keras_file(path)


@pytest.mark.parametrize("layer", ["retina_net_classifier_" + "9" * 5000, "\x1b[2J" + "x" * 500])
def test_a_name_of_any_length_is_told_in_short(layer: str, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode()]
    with pytest.raises(WeightsError, match=r"a name of 5.. characters|a name of 5022") as told:
        read_keras_file(path)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 400


def test_a_counter_of_any_length_numbers_nothing(tmp_path: Path) -> None:
    layer = "retina_net_classifier_" + "9" * 100
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode()]
        group = file.create_group(layer)
        group.attrs["weight_names"] = [b"conv2d/kernel:0"] * 1000
        group.create_dataset("conv2d/kernel:0", data=np.arange(4))
    with pytest.raises(WeightsError, match=r"1000 surplus: .* and 648 more"):
        load_weights(path)
