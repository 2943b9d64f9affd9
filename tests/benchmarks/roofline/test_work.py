"""The counted work is what the layers' sizes say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from brixia_edge.benchmarks.roofline.layers import GROUPS, OTHER, layer_of
from brixia_edge.benchmarks.roofline.work import NodeWork, count_work
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.graph.onnx_model import to_onnx
from brixia_edge.export.network.network import build_network
from brixia_edge.export.network.weights import WeightStore
from brixia_edge.export.rewrites import FLOAT_REWRITES, QUANTIZED_REWRITES, rewrite
from numpy.typing import NDArray
from onnx import TensorProto, helper

_numpy_helper: Any = onnx.numpy_helper

RESNET18 = {"stage1": (64, 64, 128), "stage2": (64, 128, 64), "stage3": (128, 256, 32)} | {
    "stage4": (256, 512, 16)
}
"""Channels in and out, and the size of the output, of each stage of the encoder at 512 pixels."""

DECODER = (
    *((stage, 1, up) for stage, up in ((2, 64), (3, 128), (4, 256), (5, 512))),
    *((stage, 2, up) for stage, up in ((2, 128), (3, 256), (4, 16))),
    *((stage, 3, up) for stage, up in ((2, 128), (3, 256))),
    (2, 4, 128),
)
"""Stage, column, and the channels that are upsampled."""

WIDTH = {2: 64, 3: 128, 4: 256, 5: 16}
SKIP = {2: 64, 3: 64, 4: 128, 5: 256}


def encoder_macs() -> int:
    total = 256**2 * 64 * 7 * 7
    for read, written, size in RESNET18.values():
        first = size**2 * 9 * read * written
        others = 3 * size**2 * 9 * written * written
        total += first + others + size**2 * read * written
    return total


def decoder_macs() -> int:
    total = 0
    for stage, column, upsampled in DECODER:
        size, width = 512 >> (stage - 1), WIDTH[stage]
        merged = width + SKIP[stage] + (column - 1) * width
        total += (size // 2) ** 2 * 16 * upsampled * width + size**2 * 9 * merged * width
    last = 256**2 * 16 * 64 * 32 + 512**2 * 9 * 32 * 32
    return total + last + 512**2 * 9 * 32


@pytest.fixture(scope="module")
def plain(seeded_tensors: dict[str, NDArray[np.float32]]) -> Graph:
    return build_network(WeightStore(seeded_tensors))


@pytest.fixture(scope="module")
def counted(plain: Graph, tmp_path_factory: pytest.TempPathFactory) -> tuple[NodeWork, ...]:
    path = tmp_path_factory.mktemp("plain") / "plain.onnx"
    path.write_bytes(to_onnx(plain).SerializeToString())
    return count_work(path)


def gmac(work: tuple[NodeWork, ...], group: str) -> float:
    return sum(node.macs for node in work if node.layer.group == group) / 1e9


def test_the_encoder_has_the_work_of_its_layers(counted: tuple[NodeWork, ...]) -> None:
    assert gmac(counted, "encoder") == pytest.approx(encoder_macs() / 1e9, abs=1e-9)


def test_the_decoder_has_the_work_of_its_layers(counted: tuple[NodeWork, ...]) -> None:
    assert gmac(counted, "decoder") == pytest.approx(decoder_macs() / 1e9, abs=1e-9)


def test_the_parts_are_as_published(counted: tuple[NodeWork, ...]) -> None:
    """Encoder 9, decoder 80, pyramid 4.6 GMAC: counted from the original by others."""
    assert gmac(counted, "encoder") == pytest.approx(9, abs=0.5)
    assert gmac(counted, "decoder") == pytest.approx(80, abs=0.5)
    assert gmac(counted, "pyramid") == pytest.approx(4.6, abs=0.05)


def test_the_weights_are_those_of_the_file(
    counted: tuple[NodeWork, ...], seeded_tensors: dict[str, NDArray[np.float32]]
) -> None:
    kernels = sum(each.nbytes for name, each in seeded_tensors.items() if name.endswith("/kernel"))
    resampling = sum(node.weight_bytes for node in counted if node.layer.block == "sampling")
    assert sum(node.weight_bytes for node in counted) == kernels + resampling


@pytest.mark.parametrize("table", [{}, FLOAT_REWRITES, QUANTIZED_REWRITES])
def test_every_node_of_our_graphs_belongs_to_a_part(plain: Graph, table: dict[str, Any]) -> None:
    graphs = (plain, rewrite(plain, table))
    unknown = [n.name for g in graphs for n in g.nodes if layer_of(n.name).group == OTHER]
    assert unknown == []


def test_the_parts_are_those_of_the_table() -> None:
    names = ("decoder_stage2-4_relu2", "merge_2-4", "stage1_unit1_relu1/aligned", "stage4_unit2_sc")
    layers = [layer_of(name) for name in names]
    assert [layer.group for layer in layers] == ["decoder", "decoder", "alignment", "encoder"]
    assert [layer.block for layer in layers[:2]] == ["decoder_stage2-4"] * 2
    assert {layer.group for layer in layers} <= set(GROUPS)


Counter = Callable[..., NodeWork]


@pytest.fixture
def count_one(tmp_path: Path) -> Counter:
    """Count a graph of one product, its input `image` float32 of a shape, its weights constants."""

    def count(
        nodes: list[onnx.NodeProto], shape: list[int], output: list[int], **constants: Any
    ) -> NodeWork:
        graph = helper.make_graph(
            nodes,
            "one",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *shape[1:]])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", *output[1:]])],
            [_numpy_helper.from_array(value, name) for name, value in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path = tmp_path / "one.onnx"
        path.write_bytes(model.SerializeToString())
        (work,) = count_work(path, batch=shape[0])
        return work

    return count


def test_a_strided_convolution_counts_its_outputs(count_one: Counter) -> None:
    node = helper.make_node("Conv", ["image", "w"], ["y"], strides=[2, 2], pads=[1] * 4)
    work = count_one([node], [1, 3, 8, 8], [1, 5, 4, 4], w=np.zeros((5, 3, 3, 3), np.float32))
    assert work.macs == 4 * 4 * 5 * 27
    assert work.weight_bytes == 4 * 135
    assert work.activation_bytes == 4 * (3 * 64 + 5 * 16)


def test_a_grouped_convolution_counts_the_channels_it_reads(count_one: Counter) -> None:
    node = helper.make_node("Conv", ["image", "w"], ["y"], group=2)
    work = count_one([node], [3, 4, 2, 2], [3, 6, 2, 2], w=np.zeros((6, 2, 1, 1), np.float32))
    assert work.macs == 3 * 4 * 6 * 2


def test_a_transposed_convolution_counts_its_inputs(count_one: Counter) -> None:
    node = helper.make_node("ConvTranspose", ["image", "w"], ["y"], strides=[2, 2], pads=[1] * 4)
    work = count_one([node], [1, 6, 5, 5], [1, 7, 10, 10], w=np.zeros((6, 7, 4, 4), np.float32))
    assert work.macs == 25 * 6 * 7 * 16


def test_a_product_of_matrices_counts_the_columns_that_are_summed(count_one: Counter) -> None:
    node = helper.make_node("MatMul", ["image", "w"], ["y"])
    work = count_one([node], [2, 4, 3], [2, 4, 5], w=np.zeros((3, 5), np.float32))
    assert work.macs == 2 * 4 * 5 * 3


def test_a_quantized_convolution_counts_bytes_of_int8(count_one: Counter) -> None:
    scale, zero = np.array(0.1, np.float32), np.array(0, np.uint8)
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "s"], ["v"]),
        helper.make_node("Conv", ["d", "v"], ["c"], name="stage1_unit1_conv1"),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("QuantizeLinear", ["r", "s", "z"], ["rq"]),
        helper.make_node("DequantizeLinear", ["rq", "s", "z"], ["y"]),
    ]
    weights = np.zeros((4, 2, 1, 1), np.int8)
    work = count_one(nodes, [1, 2, 3, 3], [1, 4, 3, 3], w=weights, s=scale, z=zero)
    assert (work.precision, work.layer.block) == ("int8", "stage1_unit1")
    assert (work.weight_bytes, work.activation_bytes) == (8, 18 + 36)
