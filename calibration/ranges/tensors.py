"""Which tensors of a network to watch, and which follow from others."""

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
    elements
        Of one image; 0 when the network's shapes do not tell.
    sources
        Where not empty: the tensors whose values, all together, are exactly its own.
    """

    name: str
    elements: int
    sources: tuple[str, ...] = ()


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
    elements = _float_elements(shape_inference.infer_shapes(model))
    constants = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in constants]
    reached = set(names)
    found = {name: Tensor(name, elements[name]) for name in names if name in elements}
    for node in model.graph.node:
        if not reached.intersection(node.input):
            continue
        reached.update(node.output)
        for name in node.output:
            if name in elements:
                found[name] = Tensor(name, elements[name], _sources(node, found))
    return found


def _sources(node: onnx.NodeProto, known: Mapping[str, Tensor]) -> tuple[str, ...]:
    if node.op_type == "Concat":
        sources = tuple(node.input)
    else:
        sources = tuple(node.input[:1]) if node.op_type in _MOVING else ()
    return sources if all(name in known for name in sources) else ()


def _watched(model: onnx.ModelProto, activations: Mapping[str, Tensor]) -> list[str]:
    touched = {
        name
        for node in model.graph.node
        if node.op_type in WATCHED
        for name in (*node.input, *node.output)
    }
    return [name for name in activations if name in touched]


def _float_elements(model: onnx.ModelProto) -> dict[str, int]:
    graph = model.graph
    return {
        value.name: _count(value)
        for value in _values(graph)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }


def _values(graph: onnx.GraphProto) -> Iterable[onnx.ValueInfoProto]:
    return (*graph.input, *graph.value_info, *graph.output)


def _count(value: onnx.ValueInfoProto) -> int:
    if not value.type.tensor_type.HasField("shape"):
        return 0
    count = 1
    for dimension in value.type.tensor_type.shape.dim:
        # A named dimension is the batch: one image at a time passes.
        count *= 1 if dimension.dim_param else dimension.dim_value
    return count
