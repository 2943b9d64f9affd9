"""INT8 as explicit QuantizeLinear / DequantizeLinear, placed so that runtimes fuse it.

One pair stands behind every tensor that a quantized convolution reads, and it is read by
all. What only moves values (Concat, Reshape, Transpose, Slice) has the same scale before
and behind it, so runtimes move bytes and requantize nothing. Both inputs of a residual sum
are quantized, weights per output channel (symmetric), biases stay float32.

Tensors behind a ReLU are unsigned with zero point 0: twice as fine as signed ones, and
the form in which ONNX Runtime and OpenVINO fuse the ReLU. TensorRT knows signed values
only; `with_signed_activations` gives that form.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...calibration.ranges.table import CalibrationTable
from ..graph.graph import Graph, Node

MINIMUM_CHANNELS = 16
"""Convolutions with fewer channels in or out stay float: TensorRT has no fast kernel for them."""

_MOVERS = ("Concat", "Reshape", "Slice", "Transpose")
_NOT_NEGATIVE = ("Relu", "Sigmoid")


def quantizable(graph: Graph) -> tuple[str, ...]:
    """Names of the convolutions that may be quantized, in execution order.

    Not those with few channels, not the grouped heads, and not those whose output is
    sampled or steers the sampling: their errors move zones.
    """
    sampled = _convolutions_behind_sampling(graph)
    return tuple(
        node.name
        for node in graph.nodes
        if node.operator == "Conv"
        and node.attributes.get("group", 1) == 1
        and min(graph.constants[node.inputs[1]].shape[:2]) >= MINIMUM_CHANNELS
        and node.name not in sampled
    )


def quantize(graph: Graph, table: CalibrationTable, convolutions: Collection[str]) -> Graph:
    """An INT8 copy of a float32 graph.

    Parameters
    ----------
    graph
        The float32 network, rewritten for INT8.
    table
        Ranges of its activations.
    convolutions
        Names of the convolutions to quantize; see `quantizable`.

    Raises
    ------
    CalibrationError
        The table lacks a tensor.
    """
    result = graph.copy()
    scales = _Scales.choose(result, table, convolutions)
    for tensor in scales.of:
        _quantize_activation(result, tensor, scales)
    for name in convolutions:
        _quantize_weights(result, result.node(name))
    result.sort()
    result.prune()
    return result


def with_signed_activations(graph: Graph) -> Graph:
    """The form for TensorRT of a quantized graph: every uint8 activation becomes int8."""
    result = graph.copy()
    for name in _stretch_unsigned(result):
        result.constants[name] = result.constants[name].astype(np.int8)
    return result


def with_signed_numbers(graph: Graph) -> Graph:
    """The numbers of `with_signed_activations` in the types of the graph.

    An activation that is not negative never takes the lower half of int8. Kept in uint8 and cut at
    127 it is the same number, and ONNX Runtime computes it four times as fast.
    """
    result = graph.copy()
    unsigned = _stretch_unsigned(result)
    bounds = [result.constant(f"signed/{end}", np.array(end, np.uint8)) for end in (0, 127)]
    for node in [node for node in result.nodes if node.operator == "QuantizeLinear"]:
        if node.inputs[2] in unsigned:
            (written,) = node.outputs
            result.replace_tensor(written, f"{written}/cut")
            result.add("Clip", [written, *bounds], f"{written}/cut")
    result.sort()
    return result


def _stretch_unsigned(graph: Graph) -> list[str]:
    """Give every uint8 activation of a graph the scale of int8; the names of their zero points."""
    found = [name for name, zero in graph.constants.items() if zero.dtype == np.uint8]
    for name in found:
        scale = name.replace("/zero_point", "/scale")
        stretched = graph.constants[scale].astype(np.float64) * (255 / 127)
        graph.constants[scale] = stretched.astype(np.float32)
    return found


@dataclass(frozen=True)
class _Scales:
    """Largest magnitude and sign of every tensor to quantize."""

    of: dict[str, tuple[float, bool]]

    @classmethod
    def choose(
        cls, graph: Graph, table: CalibrationTable, convolutions: Collection[str]
    ) -> "_Scales":
        groups = list(_groups(graph, _wanted(graph, convolutions)))
        chosen: dict[str, tuple[float, bool]] = {}
        for group in groups:
            magnitude = _magnitude(graph, table, group)
            unsigned = all(_is_not_negative(graph, name) for name in group)
            chosen.update(dict.fromkeys(group, (magnitude, unsigned)))
        return cls(chosen)


def _wanted(graph: Graph, convolutions: Collection[str]) -> list[str]:
    """Tensors to quantize: inputs of the convolutions, of residual sums, and closed outputs."""
    wanted: dict[str, None] = {}
    for name in convolutions:
        node = graph.node(name)
        wanted[node.inputs[0]] = None
        wanted.update(dict.fromkeys(_fused_output(graph, node)))
    return list(wanted)


def _fused_output(graph: Graph, convolution: Node) -> Iterator[str]:
    """What must be quantized behind a convolution for runtimes to run it in INT8."""
    reader = graph.sole_consumer(convolution.outputs[0])
    if reader is None:
        return
    if reader.operator == "Relu":
        yield reader.outputs[0]
    if reader.operator == "Add" and not any(name in graph.constants for name in reader.inputs):
        yield from reader.inputs


def _groups(graph: Graph, wanted: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Sets of tensors that share a scale, because values are only moved between them."""
    links: dict[str, set[str]] = {}
    pending = list(wanted)
    while pending:
        tensor = pending.pop()
        if tensor in links:
            continue
        links[tensor] = set()
        producer = graph.producer(tensor)
        if producer is not None and producer.operator in _MOVERS:
            links[tensor] = {name for name in producer.inputs if name not in graph.constants}
            pending.extend(links[tensor])
    for tensor, sources in list(links.items()):
        for source in sources:
            links[source].add(tensor)
    yield from _connected(links)


def _connected(links: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    seen: set[str] = set()
    for start in links:
        group: list[str] = []
        pending = [start]
        while pending:
            tensor = pending.pop()
            if tensor not in seen:
                seen.add(tensor)
                group.append(tensor)
                pending.extend(links[tensor])
        if group:
            yield tuple(group)


def _magnitude(graph: Graph, table: CalibrationTable, group: tuple[str, ...]) -> float:
    """The largest that a group of tensors becomes, as far as calibration watched any of them.

    It watches what convolutions read and write. Where a float convolution reads what a quantized
    one wrote, and values are moved between, the watched tensor lies behind the group.
    """
    watched = [name for name in group if name in table.ranges]
    watched = watched or [name for name in _behind(graph, group) if name in table.ranges]
    if not watched:
        table.require(group)
    return max(table.ranges[name].magnitude for name in watched)


def _behind(graph: Graph, tensors: Iterable[str]) -> Iterator[str]:
    """Tensors that hold the values of these, moved."""
    for tensor in tensors:
        for reader in graph.consumers(tensor):
            if reader.operator in _MOVERS:
                yield from reader.outputs
                yield from _behind(graph, reader.outputs)


def _is_not_negative(graph: Graph, tensor: str) -> bool:
    producer = graph.producer(tensor)
    if producer is None:
        return False
    if producer.operator in _MOVERS:
        sources = [name for name in producer.inputs if name not in graph.constants]
        return all(_is_not_negative(graph, source) for source in sources)
    return producer.operator in _NOT_NEGATIVE


def _quantize_activation(graph: Graph, tensor: str, scales: _Scales) -> None:
    magnitude, unsigned = scales.of[tensor]
    # A tensor that is 0 throughout needs a scale all the same.
    scale = max(magnitude, float(np.finfo(np.float32).tiny)) / (255 if unsigned else 127)
    dtype = np.uint8 if unsigned else np.int8
    parameters = [
        graph.constant(f"{tensor}/scale", np.array(scale, np.float32)),
        graph.constant(f"{tensor}/zero_point", np.array(0, dtype)),
    ]
    readers = [node for node in graph.consumers(tensor) if node.operator != "MaxPool"]
    graph.add("QuantizeLinear", [tensor, *parameters], f"{tensor}/quantized")
    graph.add("DequantizeLinear", [f"{tensor}/quantized", *parameters], f"{tensor}/dequantized")
    for reader in readers:
        reader.inputs = [f"{tensor}/dequantized" if n == tensor else n for n in reader.inputs]


def _quantize_weights(graph: Graph, convolution: Node) -> None:
    name = convolution.inputs[1]
    values, scales = quantize_per_channel(graph.constants[name].astype(np.float32))
    parameters = [
        graph.constant(f"{name}/quantized", values),
        graph.constant(f"{name}/scale", scales),
        graph.constant(f"{name}/zero_point", np.zeros(len(scales), np.int8)),
    ]
    convolution.inputs[1] = graph.add("DequantizeLinear", parameters, f"{name}/dequantized", axis=0)


def quantize_per_channel(
    kernel: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 weights with one scale for each output channel (axis 0)."""
    largest = np.abs(kernel).reshape(len(kernel), -1).max(axis=1)
    scales = (np.maximum(largest, 1e-8) / 127).astype(np.float32)
    spread = scales.reshape(-1, *[1] * (kernel.ndim - 1))
    return np.clip(np.rint(kernel / spread), -127, 127).astype(np.int8), scales


def _convolutions_behind_sampling(graph: Graph) -> set[str]:
    """Convolutions from which a GridSample's input is reached without another convolution."""
    found: set[str] = set()
    pending = [
        name for node in graph.nodes if node.operator == "GridSample" for name in node.inputs
    ]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        node = graph.producer(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if node.operator == "Conv":
            found.add(node.name)
        else:
            pending.extend(node.inputs)
    return found
