"""How weights are stored in the file, apart from the precision they compute in."""

import numpy as np

from .graph import Graph, Node

HALF_MAXIMUM = float(np.finfo(np.float16).max)
_WEIGHTED = ("Conv", "ConvTranspose", "Gemm")


def store_kernels_as_half(graph: Graph) -> Graph:
    """Store kernels as float16 and cast them to float32 where they are read.

    Runtimes fold the casts when they load the network, so the file is half the size and the
    arithmetic stays float32. Biases stay float32, and so does a kernel beyond float16's range.
    """
    result = graph.copy()
    for node in graph.nodes:
        if node.operator in _WEIGHTED and node.inputs[1] in result.constants:
            _store_half(result, node.inputs[1])
    return result


def _store_half(graph: Graph, name: str) -> None:
    value = graph.constants[name]
    if value.dtype != np.float32 or float(np.abs(value.astype(np.float32)).max()) > HALF_MAXIMUM:
        return
    del graph.constants[name]
    half = graph.constant(f"{name}/half", value.astype(np.float16))
    graph.nodes.insert(0, Node("Cast", [half], [name], f"{name}/cast", {"to": 1}))
