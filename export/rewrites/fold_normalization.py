"""Fold BatchNormalization into the convolutions beside it, wherever that is exact.

Behind a convolution it always is. Before one it is not where zeros are padded
(they stand behind the normalization), unless the padding can take the value
that normalizes to zero: with one channel it can.
"""

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import Array, Graph, Node


def fold_following_normalization(graph: Graph) -> None:
    """Fold each BatchNormalization that alone reads a (transposed) convolution into it."""
    for node in [node for node in graph.nodes if node.operator == "BatchNormalization"]:
        producer = graph.producer(node.inputs[0])
        if producer is None or producer.operator not in ("Conv", "ConvTranspose"):
            continue
        if graph.sole_consumer(producer.outputs[0]) is node:
            _fold_behind(graph, producer, node)


def fold_leading_normalization(graph: Graph) -> None:
    """Fold a one-channel BatchNormalization into the padded convolution that alone reads it."""
    for node in [node for node in graph.nodes if node.operator == "BatchNormalization"]:
        convolution = graph.sole_consumer(node.outputs[0])
        if convolution is None or convolution.operator != "Conv":
            continue
        scale, shift = normalization_terms(graph, node)
        if scale.size == 1 and scale[0] != 0:
            _fold_before(graph, node, convolution, float(scale[0]), float(shift[0]))


def normalization_terms(
    graph: Graph, node: Node
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The scale and shift per channel that a BatchNormalization applies, in double precision."""
    gamma, beta, mean, variance = (
        graph.constants[name].astype(np.float64) for name in node.inputs[1:]
    )
    scale = gamma / np.sqrt(variance + node.number("epsilon"))
    return scale, beta - mean * scale


def _fold_behind(graph: Graph, convolution: Node, normalization: Node) -> None:
    scale, shift = normalization_terms(graph, normalization)
    kernel = graph.constants[convolution.inputs[1]].astype(np.float64)
    # Conv kernels are OIHW, ConvTranspose kernels IOHW: the output channel moves.
    axis = 0 if convolution.operator == "Conv" else 1
    shape = [1] * kernel.ndim
    shape[axis] = -1
    bias = _bias(graph, convolution, scale.size)
    _set_weights(graph, convolution, kernel * scale.reshape(shape), bias * scale + shift)
    convolution.outputs = list(normalization.outputs)
    graph.remove(normalization)
    graph.prune()


def _fold_before(
    graph: Graph, normalization: Node, convolution: Node, scale: float, shift: float
) -> None:
    kernel = graph.constants[convolution.inputs[1]].astype(np.float64)
    bias = _bias(graph, convolution, kernel.shape[0]) + kernel.sum(axis=(1, 2, 3)) * shift
    _set_weights(graph, convolution, kernel * scale, bias)
    convolution.inputs[0] = _pad(graph, normalization, convolution, -shift / scale)
    convolution.attributes["pads"] = [0, 0, 0, 0]
    graph.remove(normalization)
    graph.prune()


def _pad(graph: Graph, normalization: Node, convolution: Node, value: float) -> str:
    """Pad with the value that the normalization would turn into zero."""
    name = f"{convolution.name}/padded"
    pads = convolution.integers("pads")
    bounds = np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64)
    inputs = [
        normalization.inputs[0],
        graph.constant(f"{name}/pads", bounds),
        graph.constant(f"{name}/value", np.array(value, np.float32)),
    ]
    graph.insert_before(convolution, [Node("Pad", inputs, [name], name, {"mode": "constant"})])
    return name


def _bias(graph: Graph, convolution: Node, channels: int) -> NDArray[np.float64]:
    if len(convolution.inputs) > 2:
        return graph.constants[convolution.inputs[2]].astype(np.float64)
    return np.zeros(channels)


def _set_weights(
    graph: Graph, convolution: Node, kernel: NDArray[np.float64], bias: NDArray[np.float64]
) -> None:
    names = [f"{convolution.name}/folded_kernel", f"{convolution.name}/folded_bias"]
    values: list[Array] = [kernel.astype(np.float32), bias.astype(np.float32)]
    for name, value in zip(names, values, strict=True):
        graph.constants[name] = value
    convolution.inputs = [convolution.inputs[0], *names]
