"""A graph becomes a checked ONNX model.

Opset 17 is the newest that TensorRT 8.5 imports, and GridSample must stay at 16
to 19: at opset 20 parsers up to TensorRT 11.1 silently sampled the nearest pixel.
"""

from typing import Any

import onnx
from onnx import TensorProto, helper, shape_inference

from .graph import Attribute, Graph, Node, TensorType

# The signatures of these two have unbound type variables.
_checker: Any = onnx.checker
_numpy_helper: Any = onnx.numpy_helper

OPSET = 17
IR_VERSION = 8
PRODUCER = "brixia-edge"


def to_onnx(graph: Graph) -> onnx.ModelProto:
    """Write `graph` as ONNX and let ONNX's own checker and strict shape inference pass it.

    Raises
    ------
    onnx.checker.ValidationError, onnx.shape_inference.InferenceError
        The graph is not valid ONNX: a fault of the exporter.
    """
    model = helper.make_model(
        helper.make_graph(
            [_node(node) for node in graph.nodes],
            graph.name,
            [_value_info(name, kind) for name, kind in graph.inputs.items()],
            [_value_info(name, kind) for name, kind in graph.outputs.items()],
            [_numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name=PRODUCER,
    )
    model.ir_version = IR_VERSION
    _checker.check_model(model, full_check=True)
    shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return model


def from_onnx(model: onnx.ModelProto) -> Graph:
    """Read an ONNX model written by `to_onnx` back into a graph."""
    return Graph(
        model.graph.name,
        [_from_node(node) for node in model.graph.node],
        {tensor.name: _numpy_helper.to_array(tensor) for tensor in model.graph.initializer},
        {value.name: _from_value_info(value) for value in model.graph.input},
        {value.name: _from_value_info(value) for value in model.graph.output},
    )


def _node(node: Node) -> onnx.NodeProto:
    proto = helper.make_node(node.operator, node.inputs, node.outputs, name=node.name)
    proto.attribute.extend(
        helper.make_attribute(key, value) for key, value in sorted(node.attributes.items())
    )
    return proto


def _value_info(name: str, kind: TensorType) -> onnx.ValueInfoProto:
    element = TensorProto.DataType.Value(_ELEMENTS[kind.dtype])
    return helper.make_tensor_value_info(name, element, kind.shape)


_ELEMENTS = {"float32": "FLOAT", "float16": "FLOAT16"}


def _from_node(node: onnx.NodeProto) -> Node:
    attributes: dict[str, Attribute] = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        attributes[attribute.name] = value.decode() if isinstance(value, bytes) else value
    return Node(node.op_type, list(node.input), list(node.output), node.name, attributes)


def _from_value_info(value: onnx.ValueInfoProto) -> TensorType:
    tensor = value.type.tensor_type
    names = {TensorProto.DataType.Value(element): dtype for dtype, element in _ELEMENTS.items()}
    shape = tuple(dim.dim_param or dim.dim_value for dim in tensor.shape.dim)
    return TensorType(names[tensor.elem_type], shape)
