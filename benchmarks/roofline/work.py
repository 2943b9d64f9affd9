"""Multiply-accumulates and bytes of a network, counted from its ONNX graph.

Counted are the operators that multiply: Conv, ConvTranspose, MatMul and Gemm. Everything else
(activations, sums, copies) can be fused into them or avoided, so it is no part of the floor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

from ...runtime.errors import MissingExtra, pip_line
from .layers import Layer, layer_of

_WIDTHS = {"float32": 4, "float16": 2, "int8": 1}
"""Bytes of one element, by the precision in which an operator multiplies."""

_FLOAT16 = 10
"""ONNX's element type (onnx.proto, TensorProto.DataType)."""


@dataclass(frozen=True)
class NodeWork:
    """The work of one operator for one run.

    Attributes
    ----------
    name, operator
        As in the graph.
    layer
        The part of the network.
    precision
        ``float32``, ``float16`` or ``int8``: the type of its operands.
    macs
        Multiply-accumulates.
    weight_bytes
        Bytes of its constant operands, the bias left out.
    activation_bytes
        Bytes of the activations it reads and writes; an output that is quantized at once, or
        behind a ReLU, counts as int8.
    """

    name: str
    operator: str
    layer: Layer
    precision: str
    macs: int
    weight_bytes: int
    activation_bytes: int


def count_work(model: Path, batch: int = 1) -> tuple[NodeWork, ...]:
    """Count a network's work.

    Parameters
    ----------
    model
        An ONNX file with BS-Net's contract: the first dimension of every input and output is
        the batch.
    batch
        Images in one run.

    Raises
    ------
    MissingExtra
        The package onnx is not installed.
    """
    graph = _Graph.read(model, batch)
    return tuple(graph.work(node) for node in graph.nodes if node.op_type in _MACS)


@dataclass(frozen=True)
class _Graph:
    """Nodes with the shapes of all tensors, and who writes and reads them."""

    nodes: list[Any]
    shapes: Mapping[str, list[int]]
    types: Mapping[str, int]
    constants: set[str]
    writers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    readers: Mapping[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    @classmethod
    def read(cls, path: Path, batch: int) -> "_Graph":
        proto = _with_shapes(path, batch).graph
        shapes = {tensor.name: list(tensor.dims) for tensor in proto.initializer}
        types = {tensor.name: tensor.data_type for tensor in proto.initializer}
        for value in (*proto.input, *proto.value_info, *proto.output):
            shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            types[value.name] = value.type.tensor_type.elem_type
        nodes = list(proto.node)
        readers: dict[str, list[Any]] = {}
        for node in nodes:
            for name in node.input:
                readers.setdefault(name, []).append(node)
        writers = {output: node for node in nodes for output in node.output}
        constants = {tensor.name for tensor in proto.initializer}
        return cls(nodes, shapes, types, constants, writers, readers)

    def work(self, node: Any) -> NodeWork:
        precision = self._precision(node)
        width = _WIDTHS[precision]
        weights = [name for name in node.input[:2] if self._is_constant(name)]
        read = [name for name in node.input[:2] if name not in weights]
        written = self._elements(node.output[0]) * self._written_width(node, precision)
        return NodeWork(
            node.name,
            node.op_type,
            layer_of(node.name or node.output[0]),
            precision,
            _MACS[node.op_type](node, self.shapes),
            sum(map(self._elements, weights)) * width,
            sum(map(self._elements, read)) * width + written,
        )

    def _precision(self, node: Any) -> str:
        writers = [self.writers.get(name) for name in node.input[:2]]
        if all(writer is not None and writer.op_type == "DequantizeLinear" for writer in writers):
            return "int8"
        return "float16" if self.types.get(node.output[0]) == _FLOAT16 else "float32"

    def _is_constant(self, name: str) -> bool:
        """Whether it is an initializer, or computed from initializers alone."""
        writer = self.writers.get(name)
        if writer is None:
            return name in self.constants
        return all(self._is_constant(source) for source in writer.input if source)

    def _written_width(self, node: Any, precision: str) -> int:
        if self._is_quantized(node):
            return _WIDTHS["int8"]
        return _WIDTHS["float32" if precision == "int8" else precision]

    def _is_quantized(self, node: Any) -> bool:
        readers = self.readers.get(node.output[0], [])
        if len(readers) == 1 and readers[0].op_type == "Relu":
            readers = self.readers.get(readers[0].output[0], [])
        return bool(readers) and all(reader.op_type == "QuantizeLinear" for reader in readers)

    def _elements(self, name: str) -> int:
        return prod(self.shapes[name])


def _with_shapes(path: Path, batch: int) -> Any:
    try:
        onnx = import_module("onnx")
    except ImportError as error:
        raise MissingExtra.of("counting a network's work", "onnx", pip_line("export")) from error
    model: Any = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    return import_module("onnx.shape_inference").infer_shapes(model, data_prop=True)


def _convolution(node: Any, shapes: Mapping[str, list[int]]) -> int:
    return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])


def _transposed_convolution(node: Any, shapes: Mapping[str, list[int]]) -> int:
    return prod(shapes[node.input[0]]) * prod(shapes[node.input[1]][1:])


def _product(node: Any, shapes: Mapping[str, list[int]]) -> int:
    return prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]


_MACS = {
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "Gemm": _product,
    "MatMul": _product,
}
