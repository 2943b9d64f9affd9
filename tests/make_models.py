"""Makers of models: a tiny network, BS-Net weights made from names, and Keras files of them."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from brixia_edge.calibration.ranges.table import CalibrationTable
from numpy.typing import NDArray
from onnx import TensorProto, helper

_numpy_helper: Any = onnx.numpy_helper  # with NumPy before 2.3 pyright cannot tell its types

UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
"""The alignment that leaves the image as it is."""

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


def saved_name(canonical: str, shift: int = 0) -> tuple[str, str]:
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


def write_keras(
    path: Path,
    tensors: Mapping[str, NDArray[np.float32]],
    shift: int = 0,
    full_model: bool = False,
    split: int = 0,
) -> None:
    """`full_model` nests under ``model_weights``; `split` is the length of attribute pieces."""
    layers: dict[str, list[tuple[str, NDArray[np.float32]]]] = {"data": []}
    for canonical, value in tensors.items():
        layer, weight = saved_name(canonical, shift)
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


def calibration_table(images: Sequence[str]) -> bytes:
    """A bundle's calibration table that was measured on the files of these digests."""
    table = CalibrationTable("ab" * 32, "cd" * 32, "minmax", {}, tuple(images), 0, {}, {})
    return table.to_json().encode()


def tiny_model() -> bytes:
    """A network with BS-Net's contract whose answers are easy to work out by hand.

    The logit of score s is s times the image's mean; the lung mask is 1 minus the image.
    """
    constants = {
        "one": np.array(1, np.float32),
        "zero": np.array(0, np.float32),
        "scores": np.broadcast_to(np.arange(4, dtype=np.float32), (1, 6, 4)).copy(),
        "upright": np.array([UPRIGHT], np.float32),
        "evidence": np.zeros((1, 6, 4, 16, 16), np.float32),
        "shape3": np.array([-1, 1, 1]),
        "shape5": np.array([-1, 1, 1, 1, 1]),
    }
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Reshape", ["mean", "shape3"], ["mean3"]),
        helper.make_node("Mul", ["mean3", "scores"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
        helper.make_node("Sub", ["one", "image"], ["lung_mask"]),
        helper.make_node("Mul", ["mean3", "zero"], ["nothing3"]),
        helper.make_node("Add", ["nothing3", "upright"], ["alignment"]),
        helper.make_node("Reshape", ["nothing3", "shape5"], ["nothing5"]),
        helper.make_node("Add", ["nothing5", "evidence"], ["zone_evidence"]),
    ]
    outputs: dict[str, list[int | str]] = {
        "probabilities": ["N", 6, 4],
        "lung_mask": ["N", 1, 512, 512],
        "alignment": ["N", 2, 3],
        "zone_evidence": ["N", 6, 4, 16, 16],
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 512, 512])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [_numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()
