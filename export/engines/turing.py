"""TensorRT-RTX has no float32 matrix product for Turing (sm_75); convolutions do the same work.

Only engines that must run there are built from a network so rewritten: the
transpositions cost other GPUs time. The rewrite is exact.
"""

import numpy as np
import onnx
from onnx import TensorProto

from ..graph.graph import Array, Graph, Node
from ..graph.onnx_model import from_onnx, to_onnx

TURING = "sm_75"

_DTYPES = {int(TensorProto.FLOAT): np.float32, int(TensorProto.FLOAT16): np.float16}


def without_matrix_products(model: bytes) -> bytes:
    """Write every Gemm and MatMul of a model as a convolution, or as a sum of products."""
    graph = from_onnx(onnx.ModelProto.FromString(model))
    for node in list(graph.nodes):
        if node.operator == "Gemm":
            _dense(graph, node)
        elif node.operator == "MatMul":
            _product(graph, node)
    graph.prune()
    return to_onnx(graph).SerializeToString()


def _dense(graph: Graph, node: Node) -> None:
    """A fully connected layer is a 1x1 convolution of a single pixel."""
    weight = _constant(graph, node.inputs[1])
    if weight is None:
        return
    weight = weight if node.attributes.get("transB") else weight.T
    pixel = _shape(graph, node, "pixel", [0, -1, 1, 1])
    reshape = _before(graph, node, "Reshape", [node.inputs[0], pixel])
    convolved = _convolve(graph, node, reshape, weight, node.inputs[2:])
    node.operator, node.attributes = "Reshape", {}
    node.inputs = [convolved, _shape(graph, node, "flat", [0, -1])]


def _product(graph: Graph, node: Node) -> None:
    left, right = (_constant(graph, name) for name in node.inputs)
    if right is not None and right.ndim == 2:
        _along(graph, node, node.inputs[0], right.T, [0, 3, 1, 2], [0, 2, 3, 1])
    elif left is not None and left.ndim == 2:
        _along(graph, node, node.inputs[1], left, [0, 2, 1, 3], [0, 2, 1, 3])
    elif left is not None:
        _sum_of_products(graph, node, left)


def _constant(graph: Graph, name: str) -> Array | None:
    """A constant, also one that is stored in half precision behind a Cast."""
    producer = graph.producer(name)
    if producer is None or producer.operator != "Cast":
        return graph.constants.get(name)
    stored = graph.constants.get(producer.inputs[0])
    return None if stored is None else stored.astype(_DTYPES[int(producer.number("to"))])


def _along(  # noqa: PLR0913, PLR0917 - a tensor, a matrix, and the axes there and back
    graph: Graph,
    node: Node,
    source: str,
    matrix: Array,
    there: list[int],
    back: list[int],
) -> None:
    """A matrix along one axis is a 1x1 convolution with that axis as the channels."""
    turned = _before(graph, node, "Transpose", [source], perm=there)
    node.inputs = [_convolve(graph, node, turned, matrix, [])]
    node.operator, node.attributes = "Transpose", {"perm": back}


def _sum_of_products(graph: Graph, node: Node, points: Array) -> None:
    """``[1, P, 3] @ [N, 3, 2]``, the sampling grid: too narrow to be worth a convolution."""
    column = graph.constant(f"{node.name}/column", np.ascontiguousarray(points[..., None]))
    shape = _shape(graph, node, "row", [0, 1, points.shape[-1], -1])
    row = _before(graph, node, "Reshape", [node.inputs[1], shape])
    products = _before(graph, node, "Mul", [column, row])
    node.operator, node.attributes = "ReduceSum", {"keepdims": 0}
    node.inputs = [products, _shape(graph, node, "axis", [2])]


def _convolve(graph: Graph, node: Node, source: str, matrix: Array, bias: list[str]) -> str:
    kernel = np.ascontiguousarray(matrix)[:, :, None, None]
    return _before(graph, node, "Conv", [source, graph.constant(f"{node.name}/1x1", kernel), *bias])


def _before(
    graph: Graph, node: Node, operator: str, inputs: list[str], **attributes: list[int]
) -> str:
    # Named after the node, so that a fault of the builder still names what it is about.
    name = f"{node.name}/{operator.lower()}"
    graph.insert_before(node, [Node(operator, inputs, [name], name, {**attributes})])
    return name


def _shape(graph: Graph, node: Node, name: str, values: list[int]) -> str:
    return graph.constant(f"{node.name}/{name}", np.array(values, np.int64))
