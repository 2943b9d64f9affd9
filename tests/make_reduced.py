"""The network in a reduced precision, by the plainest of means: for tests of builders alone.

Scores of such a network mean nothing; what counts is that the graph is typed as a bundle's is.
"""

from typing import Any

import numpy as np
from brixia_edge.export.graph.graph import Graph, Node
from brixia_edge.export.graph.onnx_model import to_onnx
from onnx import TensorProto

WIDE = 16
"""Input channels from which a convolution is quantised."""

ACTIVATION_SCALE = 0.05


def reduced_model(graph: Graph, precision: str, signed: bool = True) -> bytes:
    """The ONNX file of a float32 graph in `precision`."""
    if precision != "fp32":
        graph = _reduce(graph, precision, np.dtype(np.int8 if signed else np.uint8))
    return to_onnx(graph).SerializeToString()


def _reduce(graph: Graph, precision: str, activations: np.dtype[Any]) -> Graph:
    graph = graph.copy()
    for node in list(graph.nodes):
        weight = graph.constants.get(node.inputs[1]) if len(node.inputs) > 1 else None
        if (
            node.operator in ("Conv", "Gemm", "MatMul")
            and weight is not None
            and precision == "fp16"
        ):
            _halve(graph, node)
        elif node.operator == "Conv" and weight is not None and weight.shape[1] >= WIDE:
            _quantize(graph, node, activations)
    graph.sort()
    return graph


def _halve(graph: Graph, node: Node) -> None:
    inputs: list[str] = []
    for name in node.inputs:
        if name in graph.constants:
            inputs.append(graph.constant(f"{name}/half", graph.constants[name].astype(np.float16)))
        else:
            inputs.append(f"{node.name}/{name}/half")
            cast = Node("Cast", [name], [inputs[-1]], inputs[-1], {"to": TensorProto.FLOAT16})
            graph.insert_before(node, [cast])
    (output,) = node.outputs
    node.inputs, node.outputs = inputs, [f"{node.name}/half"]
    back = Node("Cast", node.outputs, [output], f"{node.name}/float", {"to": TensorProto.FLOAT})
    graph.nodes.append(back)


def _quantize(graph: Graph, node: Node, activations: np.dtype[Any]) -> None:
    activation, kernel = node.inputs[:2]
    scale = graph.constant("activation/scale", np.array(ACTIVATION_SCALE, np.float32))
    zero = graph.constant("activation/zero_point", np.array(0, activations))
    quantized, restored = (f"{node.name}/{activation}/{kind}" for kind in ("q", "dq"))
    weights = np.asarray(graph.constants[kernel], np.float32)
    scales = np.abs(weights).max(axis=(1, 2, 3)) / 127 + 1e-9
    whole = np.rint(weights / scales[:, None, None, None]).astype(np.int8)
    kernel_inputs = [
        graph.constant(f"{kernel}/q", whole),
        graph.constant(f"{kernel}/scale", scales.astype(np.float32)),
        graph.constant(f"{kernel}/zero", np.zeros(len(scales), np.int8)),
    ]
    kernel_dq = f"{node.name}/{kernel}/dq"
    graph.insert_before(
        node,
        [
            Node("QuantizeLinear", [activation, scale, zero], [quantized], quantized),
            Node("DequantizeLinear", [quantized, scale, zero], [restored], restored),
            Node("DequantizeLinear", kernel_inputs, [kernel_dq], kernel_dq, {"axis": 0}),
        ],
    )
    node.inputs = [restored, kernel_dq, *node.inputs[2:]]
