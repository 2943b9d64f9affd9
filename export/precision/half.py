"""FP16 as a strongly typed graph: float16 where it is safe, float32 where it is not.

TensorRT 11 has no weak typing, so the precision must stand in the graph. What stays
float32 is decided by what a node does and by the ranges that were measured:

- what the sampling coordinates depend on (and the comparison that tells whether they lie inside
  the image), back to the lung mask: half a pixel of 512
  is float16's resolution near 1, and the alignment decides where every zone lies;
- Softmax, and sums of more than `LONGEST_SUM` terms;
- nodes that read or write values beyond `LARGEST`, a quarter of float16's maximum, or
  tensors so small throughout that float16 holds them with few bits.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from onnx import TensorProto

from ...calibration.ranges.table import Range
from ...runtime.contract import LUNG_MASK
from ..graph.graph import Attribute, Graph, Node, TensorType

LARGEST = float(np.finfo(np.float16).max) / 4
"""Larger magnitudes stay float32: other images reach further than those measured."""

SMALLEST = float(np.finfo(np.float16).smallest_normal) * 16
"""A tensor whose largest magnitude is below this stays float32."""

LONGEST_SUM = 8192
"""Sums of more terms stay float32; the decoder's longest has 640 * 9 = 5760."""

_FLOAT_PARAMETERS = {"Resize": (1, 2)}
"""Inputs that are float32 by ONNX's definition of the operator."""


def to_half(graph: Graph, observed: Mapping[str, Range]) -> Graph:
    """A strongly typed FP16 copy of a float32 graph, with float32 inputs and outputs.

    Parameters
    ----------
    graph
        The rewritten float32 network.
    observed
        The smallest and largest value of each tensor, as calibration saw them.
    """
    result = graph.copy()
    kept = kept_in_float(graph, observed)
    result.nodes = []
    types = dict.fromkeys(graph.inputs, "float32") | _other_types(graph)
    for node in graph.nodes:
        _add_typed(result, node.copy(), "float32" if node.name in kept else "float16", types)
    _type_outputs(result, types)
    result.sort()
    result.prune()
    return result


def kept_in_float(graph: Graph, observed: Mapping[str, Range]) -> set[str]:
    """Names of the nodes that stay float32."""
    kept = {node.name for node in graph.nodes if _is_sensitive(graph, node)}
    kept |= {node.name for node in graph.nodes if not _fits(node, observed)}
    return (
        kept
        | {node.name for node in graph.nodes if node.operator == "Less"}
        | set(_behind_coordinates(graph))
    )


def _is_sensitive(graph: Graph, node: Node) -> bool:
    return node.operator in ("Softmax", "GridSample", "ReduceMean") or (
        _terms(graph, node) > LONGEST_SUM
    )


def _terms(graph: Graph, node: Node) -> int:
    """How many products each output of a convolution or a matrix product sums."""
    if node.operator not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return 1
    kernel = next((graph.constants[n] for n in node.inputs[1:] if n in graph.constants), None)
    if kernel is None or kernel.ndim < 2:
        return 1
    return int(np.prod(kernel.shape[1:])) if node.operator == "Conv" else kernel.shape[0]


def _fits(node: Node, observed: Mapping[str, Range]) -> bool:
    ranges = [observed[name] for name in (*node.inputs, *node.outputs) if name in observed]
    magnitudes = [max(abs(entry.lowest), abs(entry.highest)) for entry in ranges]
    return all(magnitude <= LARGEST for magnitude in magnitudes) and not any(
        0 < magnitude < SMALLEST for magnitude in magnitudes
    )


def _behind_coordinates(graph: Graph) -> Iterator[str]:
    """Nodes that a sampling grid or a comparison depends on, back to the lung mask's writer."""
    producers = {output: node for node in graph.nodes for output in node.outputs}
    pending = [node.inputs[1] for node in graph.nodes if node.operator == "GridSample"]
    pending += [name for node in graph.nodes if node.operator == "Less" for name in node.inputs]
    stop = {LUNG_MASK}
    while pending:
        name = pending.pop()
        node = producers.get(name)
        if node is not None and name not in stop:
            stop.add(name)
            pending.extend(node.inputs)
            yield node.name


def _other_types(graph: Graph) -> dict[str, str]:
    """Constants that are no floats keep their type; float constants are typed where read."""
    return {
        name: str(value.dtype) for name, value in graph.constants.items() if value.dtype.kind != "f"
    }


def _add_typed(graph: Graph, node: Node, dtype: str, types: dict[str, str]) -> None:
    parameters = _FLOAT_PARAMETERS.get(node.operator, ())
    for index, name in enumerate(node.inputs):
        if name and index not in parameters and types.get(name) not in ("int64", "bool"):
            node.inputs[index] = _as_type(graph, name, dtype, types)
    if node.operator == "Cast":
        node.attributes["to"] = _element(dtype)
    graph.nodes.append(node)
    written = "bool" if node.operator == "Less" else dtype
    types.update(dict.fromkeys(node.outputs, written))


def _as_type(graph: Graph, name: str, dtype: str, types: dict[str, str]) -> str:
    """The name of a tensor's or constant's copy of the wanted type, made on first use."""
    if name in graph.constants:
        if dtype == "float32":
            return name
        half = graph.constants[name].astype(np.float16)
        return graph.constant(f"{name}/half", half)
    if types[name] == dtype:
        return name
    copy = f"{name}/{dtype}"
    if copy not in types:
        graph.add("Cast", [name], copy, to=_element(dtype))
        types[copy] = dtype
    return copy


def _element(dtype: str) -> int:
    return TensorProto.FLOAT if dtype == "float32" else TensorProto.FLOAT16


def _type_outputs(graph: Graph, types: Mapping[str, str]) -> None:
    """Write each output as float32 under its own name."""
    for name in graph.outputs:
        if types[name] == "float32":
            continue
        writer, typed = graph.node_writing(name), f"{name}/typed"
        graph.replace_tensor(name, typed)
        writer.outputs = [typed if output == name else output for output in writer.outputs]
        attributes: dict[str, Attribute] = {"to": TensorProto.FLOAT}
        graph.nodes.append(Node("Cast", [typed], [name], f"{name}/output", attributes))
    graph.outputs = {
        name: TensorType("float32", kind.shape) for name, kind in graph.outputs.items()
    }
