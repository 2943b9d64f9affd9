"""Weights regenerated from names, Keras files made of them, and the network they give."""

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from brixia_edge.export.architecture import weight_shapes
from brixia_edge.export.graph import Graph
from brixia_edge.export.network import build_network
from brixia_edge.export.weights import WeightStore
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]

BORDER_BIAS = (1.25, 0.3, -0.2, -0.25, 1.3, 0.15)
"""The alignment bias of the golden file ``seeded_border``: sampling leaves the image all round."""


def seeded(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The weight called `name`, the same everywhere; the golden files were made with these."""
    generator = np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)
    kind = name.rsplit("/", 1)[1]
    if name == "stn/locnet_alignment/bias":
        return np.array([0.82, 0.06, 0.03, -0.05, 0.88, -0.04], np.float32)
    if name == "stn/locnet_alignment/kernel":
        return (generator.standard_normal(shape) * 1e-3).astype(np.float32)
    if kind == "kernel":
        fan_in = int(np.prod(shape[:-1]))
        if "upsample" in name:
            fan_in = shape[0] * shape[1] * shape[3] // 4
        return (generator.standard_normal(shape) * np.sqrt(2.0 / fan_in)).astype(np.float32)
    if kind == "gamma":
        return generator.uniform(0.7, 1.3, shape).astype(np.float32)
    if kind == "moving_variance":
        return generator.uniform(0.6, 1.6, shape).astype(np.float32)
    return (generator.standard_normal(shape) * 0.1).astype(np.float32)


@pytest.fixture(scope="session")
def seeded_tensors() -> Tensors:
    return {name: seeded(name, shape) for name, shape in weight_shapes().items()}


@pytest.fixture(scope="session")
def seeded_weights(seeded_tensors: Tensors) -> WeightStore:
    return WeightStore(seeded_tensors)


@pytest.fixture(scope="session")
def seeded_network(seeded_weights: WeightStore) -> Graph:
    return build_network(seeded_weights)


@pytest.fixture
def border_weights(seeded_tensors: Tensors) -> WeightStore:
    bias = np.array(BORDER_BIAS, np.float32)
    return WeightStore(seeded_tensors | {"stn/locnet_alignment/bias": bias})


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="session")
def saved_name() -> Callable[..., tuple[str, str]]:
    """Layer and weight name as the original saves a canonical name, with shifted counters."""
    return _saved_name


def _saved_name(canonical: str, shift: int = 0) -> tuple[str, str]:
    parts = canonical.split("/")
    if not parts[0].startswith("head"):
        layer = parts[0] if parts[0] != "stn" or not shift else f"stn_{shift}"
        return layer, "/".join([layer, *parts[1:]]) + ":0"
    head = int(parts[0][4:])
    layer = _counted("retina_net_classifier", head + shift)
    if parts[1] == "regressor":
        return layer, f"{layer}/{_counted('conv2d', 4 * head + 3 + 4 * shift)}/{parts[2]}:0"
    block = int(parts[1][5:])
    number = 3 * head + block + 3 * shift
    block_layer = _counted("conv_block", number)
    inner = (
        _counted("conv2d", 4 * head + block + 4 * shift)
        if parts[2] == "conv"
        else _counted("batch_normalization", number)
    )
    return layer, f"{layer}/{block_layer}/{inner}/{parts[3]}:0"


def _counted(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


WriteKeras = Callable[..., Path]


@pytest.fixture
def write_keras(tmp_path: Path) -> WriteKeras:
    """Write tensors as a Keras 2 file; see the keyword arguments of `_write_keras`."""

    def write(tensors: Mapping[str, Any], name: str = "bscore-model.h5", **how: Any) -> Path:
        path = tmp_path / name
        _write_keras(path, tensors, **how)
        return path

    return write


def _write_keras(
    path: Path,
    tensors: Mapping[str, NDArray[np.float32]],
    shift: int = 0,
    full_model: bool = False,
    split: int = 0,
) -> None:
    """`full_model` nests under ``model_weights``; `split` is the length of attribute pieces."""
    layers: dict[str, list[tuple[str, NDArray[np.float32]]]] = {"data": []}
    for canonical, value in tensors.items():
        layer, weight = _saved_name(canonical, shift)
        layers.setdefault(layer, []).append((weight, value))
    file: Any
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if full_model else file
        _write_names(root, "layer_names", list(layers), split)
        for layer, weights in layers.items():
            group = root.create_group(layer)
            _write_names(group, "weight_names", [name for name, _ in weights], split)
            for name, value in weights:
                group.create_dataset(name, data=value)


def _write_names(group: Any, attribute: str, names: list[str], split: int) -> None:
    encoded = [name.encode() for name in names]
    if not split:
        group.attrs[attribute] = encoded
        return
    for piece, start in enumerate(range(0, max(len(encoded), 1), split)):
        group.attrs[f"{attribute}{piece}"] = encoded[start : start + split]
