"""Which tensors of a network to watch, and which follow from others."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import TensorProto, shape_inference

from ...runtime.errors import CalibrationError

WATCHED = frozenset(
    {
        "Add",
        "Concat",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "Gemm",
        "GridSample",
        "MatMul",
        "Mul",
        "Resize",
    }
)
"""Operators whose float inputs and outputs a quantiser may ask for."""

_MOVING = frozenset(
    {"DepthToSpace", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
)
"""Operators whose output holds exactly the values of their first input, in other places."""


@dataclass(frozen=True)
class Tensor:
    """A float activation.

    Attributes
    ----------
    name
        As in the network.
    shape
        Of one image, the batch included; None when the network does not tell.
    sources
        Where not empty: the tensors whose values, all together, are exactly its own.
    rectified
        Its values are not those of its one source, but what a ReLU makes of them.
    """

    name: str
    shape: tuple[int, ...] | None
    sources: tuple[str, ...] = ()
    rectified: bool = False

    @property
    def elements(self) -> int:
        """How many values it has; 0 when the network does not tell."""
        return 0 if self.shape is None else math.prod(self.shape)


def watched_tensors(
    model: onnx.ModelProto, wanted: Sequence[str] | None = None
) -> tuple[Tensor, ...]:
    """List the tensors to watch, and those they follow from, in the order of execution.

    Parameters
    ----------
    model
        A float32 network; its constants need not hold their values.
    wanted
        Names; None takes every one that a `WATCHED` operator reads or writes.

    Raises
    ------
    CalibrationError
        A wanted name is no float activation of the network.
    """
    activations = _activations(model)
    names = _watched(model, activations) if wanted is None else list(wanted)
    if unknown := [name for name in names if name not in activations]:
        raise CalibrationError(
            f"{', '.join(unknown[:8])}: no float tensor of this network that depends on the image; "
            "calibrate with the bundle that is to be quantised"
        )
    needed = set(names)
    for tensor in reversed(activations.values()):
        if tensor.name in needed:
            needed.update(tensor.sources)
    return tuple(tensor for tensor in activations.values() if tensor.name in needed)


def _activations(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Give all float tensors that depend on an input, in the order of execution."""
    shapes = _float_shapes(shape_inference.infer_shapes(_of_one_image(model)))
    constants = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in constants]
    reached = set(names)
    found = {name: Tensor(name, shapes[name]) for name in names if name in shapes}
    for node in model.graph.node:
        if not reached.intersection(node.input):
            continue
        reached.update(node.output)
        for name in node.output:
            if name in shapes:
                sources = _sources(node, found)
                found[name] = Tensor(name, shapes[name], sources, node.op_type == "Relu")
    return found


def _of_one_image(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which the inputs' named dimension, the batch, is one: images pass one at a time."""
    single = onnx.ModelProto()
    single.CopyFrom(model)
    for value in single.graph.input:
        for entry in value.type.tensor_type.shape.dim:
            if entry.dim_param:
                entry.dim_value = 1
    return single


def _sources(node: onnx.NodeProto, known: Mapping[str, Tensor]) -> tuple[str, ...]:
    if node.op_type == "Concat":
        sources = tuple(node.input)
    else:
        one = node.op_type in _MOVING or node.op_type == "Relu"
        sources = tuple(node.input[:1]) if one else ()
    return sources if all(name in known for name in sources) else ()


def _watched(model: onnx.ModelProto, activations: Mapping[str, Tensor]) -> list[str]:
    touched = {
        name
        for node in model.graph.node
        if node.op_type in WATCHED
        for name in (*node.input, *node.output)
    }
    return [name for name in activations if name in touched]


def _float_shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...] | None]:
    graph = model.graph
    return {
        value.name: _shape(value)
        for value in _values(graph)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }


def _values(graph: onnx.GraphProto) -> Iterable[onnx.ValueInfoProto]:
    return (*graph.input, *graph.value_info, *graph.output)


def _shape(value: onnx.ValueInfoProto) -> tuple[int, ...] | None:
    if not value.type.tensor_type.HasField("shape"):
        return None
    sizes = tuple(entry.dim_value for entry in value.type.tensor_type.shape.dim)
    return sizes if all(sizes) else None
