"""How large a network's tensors become, worked out before any backend gets it.

A file of a kilobyte can hold operators that make a tensor of 10**9 elements, which backends compute
while they load it. So every tensor's shape is worked out from the input's and from the file's
constants (ONNX operators, opset 11 to 21). Shapes are bounds from above: what does not fit together
is left to the backends. An operator that no BS-Net has, and a shape that is computed, are refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, floor, prod

from .network_graph import (
    Constant,
    Fields,
    GraphNode,
    Numbers,
    Shape,
    read_constant,
    read_input,
    read_node,
)
from .wire_format import Refused

LARGEST_TENSOR = 1 << 25
"""Elements of a tensor for one image; the largest of a BS-Net has 2**24, in INT8 1.25 * 2**24."""

LARGEST_SUM = 4_000_000_000
"""Elements of all tensors for one image; those of a BS-Net are 0.6e9, in INT8 1.4e9."""

_INPUT_RANK = 4

LARGEST_BATCH = 16
"""A file may fix the batch, and what hangs on the image is that much larger; ours leave it open."""


def check_shapes(graph: Fields) -> None:
    """Refuse a graph whose tensors are far larger than a BS-Net's.

    Parameters
    ----------
    graph
        The fields of a GraphProto by their numbers.

    Raises
    ------
    Refused
        A tensor, or all together, become too large; or a shape cannot be told from the file.
    """
    shapes = dict(map(read_input, graph.get(11, [])))
    constants = dict(map(read_constant, graph.get(5, [])))
    of_image = set(shapes).difference(constants)
    if any(len(shapes[name]) != _INPUT_RANK for name in of_image):
        raise Refused("has an input that is not declared with four dimensions, as images have")
    batch = min(LARGEST_BATCH, max([1, *(shapes[name][0] for name in of_image)]))
    shapes |= {name: constant.shape for name, constant in constants.items()}
    total = 0
    for content in graph.get(1, []):
        node = read_node(content)
        images = 1 if of_image.isdisjoint(node.inputs) else batch
        for name, shape in _outputs(node, shapes, constants):
            total += prod(shape)
            if prod(shape) > LARGEST_TENSOR * images or total > LARGEST_SUM * batch:
                raise Refused(_too_large(node, name, shape))
            shapes[name] = shape
            of_image.update({name} if images > 1 else ())


def _outputs(
    node: GraphNode, shapes: Mapping[str, Shape], constants: dict[str, Constant]
) -> list[tuple[str, Shape]]:
    work = _SHAPES.get(node.operator)
    if work is None:
        raise Refused(f"has the operator {_shown(node.operator)}, which no BS-Net has")
    if node.operator == "Constant" and "value" in node.tensors:
        constants[node.outputs[0]] = node.tensors["value"]
    try:
        shape = work(_Inputs(node, shapes, constants))
    except Refused:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise Refused(
            f"has an operator {node.operator} whose output's shape cannot be told from the file "
            f"({_shown(node.outputs[0] if node.outputs else '')})"
        ) from None
    # Of an operator with more outputs all are as large as the first, or smaller.
    return [(name, tuple(max(0, size) for size in shape)) for name in node.outputs if name]


def _too_large(node: GraphNode, name: str, shape: Shape) -> str:
    sizes = " x ".join(map(str, shape[:8]))[:100]
    return (
        f"has an operator {node.operator} that makes a tensor of {sizes} elements "
        f"({_shown(name)}); for one image {LARGEST_TENSOR:,} in a tensor and {LARGEST_SUM:,} in "
        "all are allowed, and a BS-Net needs two thirds at most"
    )


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:100]


@dataclass(frozen=True)
class _Inputs:
    """What a node reads, as far as its output's shape hangs on it."""

    node: GraphNode
    shapes: Mapping[str, Shape]
    constants: Mapping[str, Constant]

    def shape(self, place: int = 0) -> Shape:
        """Of an input."""
        return self.shapes[self.node.inputs[place]]

    def given(self, place: int) -> bool:
        """Whether there is such an input."""
        return place < len(self.node.inputs) and self.node.inputs[place] != ""

    def values(self, place: int) -> Numbers:
        """What an input holds, which must be a small constant."""
        values = self.constants[self.node.inputs[place]].values
        if values is None:
            raise ValueError("no small constant")
        return values

    def wholes(self, name: str, place: int | None = None) -> tuple[int, ...] | None:
        """Whole numbers of an attribute, or of the input that took its place in later opsets."""
        if place is not None and self.given(place):
            return tuple(map(int, self.values(place)))
        found = self.node.attributes.get(name)
        return None if found is None else tuple(map(int, found))

    def whole(self, name: str, default: int) -> int:
        """A whole number of an attribute."""
        return (self.wholes(name) or (default,))[0]


def _same(inputs: _Inputs) -> Shape:
    return inputs.shape()


def _broadcast(inputs: _Inputs) -> Shape:
    shapes = [inputs.shape(place) for place in range(len(inputs.node.inputs))]
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(max(sizes) for sizes in zip(*padded, strict=True))


def _constant(inputs: _Inputs) -> Shape:
    tensors = inputs.node.tensors
    return tensors["value"].shape if tensors else (len(*inputs.node.attributes.values()),)


def _concat(inputs: _Inputs) -> Shape:
    shapes = [inputs.shape(place) for place in range(len(inputs.node.inputs))]
    axis = inputs.whole("axis", 0) % len(shapes[0])
    joined = [max(sizes) for sizes in zip(*shapes, strict=True)]
    joined[axis] = sum(shape[axis] for shape in shapes)
    return tuple(joined)


def _reshape(inputs: _Inputs) -> Shape:
    source = inputs.shape()
    wanted = list(map(int, inputs.values(1)))
    if not inputs.whole("allowzero", 0):
        wanted = [source[place] if size == 0 else size for place, size in enumerate(wanted)]
    known = prod(size for size in wanted if size >= 0)
    return tuple(ceil(prod(source) / max(1, known)) if size < 0 else size for size in wanted)


def _flatten(inputs: _Inputs) -> Shape:
    source, axis = inputs.shape(), inputs.whole("axis", 1)
    return prod(source[:axis]), prod(source[axis:])


def _transpose(inputs: _Inputs) -> Shape:
    source = inputs.shape()
    order = inputs.wholes("perm") or tuple(reversed(range(len(source))))
    return tuple(source[place] for place in order)


def _slice(inputs: _Inputs) -> Shape:
    sizes = list(inputs.shape())
    starts, ends = inputs.wholes("starts", 1), inputs.wholes("ends", 2)
    if starts is None or ends is None:
        raise ValueError("nothing to cut")
    axes = inputs.wholes("axes", 3) or tuple(range(len(starts)))
    steps = inputs.wholes("steps", 4) or (1,) * len(starts)
    for axis, *cut in zip(axes, starts, ends, steps, strict=True):
        sizes[axis] = len(range(*slice(*cut).indices(sizes[axis])))
    return tuple(sizes)


def _windows(inputs: _Inputs, kernel: Shape) -> Shape:
    """Rows and columns of what slides a window over its input."""
    sizes = inputs.shape()[2:]
    strides = inputs.wholes("strides") or (1,) * len(sizes)
    dilations = inputs.wholes("dilations") or (1,) * len(sizes)
    if inputs.node.texts.get("auto_pad", "NOTSET").startswith("SAME"):
        return tuple(ceil(size / step) for size, step in zip(sizes, strides, strict=True))
    pads = inputs.wholes("pads") or (0,) * (2 * len(sizes))
    padded = [size + pads[place] + pads[place + len(sizes)] for place, size in enumerate(sizes)]
    rounded = ceil if inputs.whole("ceil_mode", 0) else floor
    parts = zip(padded, kernel, strides, dilations, strict=True)
    return tuple(rounded((size - (k - 1) * d - 1) / step) + 1 for size, k, step, d in parts)


def _conv(inputs: _Inputs) -> Shape:
    kernel = inputs.shape(1)
    return (inputs.shape()[0], kernel[0], *_windows(inputs, kernel[2:]))


def _pool(inputs: _Inputs) -> Shape:
    return (*inputs.shape()[:2], *_windows(inputs, inputs.wholes("kernel_shape") or ()))


def _conv_transpose(inputs: _Inputs) -> Shape:
    source, kernel = inputs.shape(), inputs.shape(1)
    count = len(source) - 2
    strides = inputs.wholes("strides") or (1,) * count
    dilations = inputs.wholes("dilations") or (1,) * count
    added = inputs.wholes("output_padding") or (0,) * count
    told = inputs.wholes("output_shape") or (0,) * count
    pads = inputs.wholes("pads") or (0,) * (2 * count)
    sizes = [
        max(
            told[axis],
            (source[axis + 2] - 1) * strides[axis]
            + (kernel[axis + 2] - 1) * dilations[axis]
            + (added[axis] + 1 - pads[axis] - pads[axis + count]),
        )
        for axis in range(count)
    ]
    return (source[0], kernel[1] * inputs.whole("group", 1), *sizes)


def _global_pool(inputs: _Inputs) -> Shape:
    source = inputs.shape()
    return (*source[:2], *(1,) * (len(source) - 2))


def _reduce(inputs: _Inputs) -> Shape:
    source = inputs.shape()
    axes = inputs.wholes("axes", 1)
    gone = {axis % len(source) for axis in (range(len(source)) if axes is None else axes)}
    if inputs.whole("keepdims", 1):
        return tuple(1 if axis in gone else size for axis, size in enumerate(source))
    return tuple(size for axis, size in enumerate(source) if axis not in gone)


def _matmul(inputs: _Inputs) -> Shape:
    left, right = inputs.shape(0), inputs.shape(1)
    rank = max(len(left), len(right), 2)
    padded = [(1,) * (rank - len(shape)) + shape for shape in (left, right)]
    stacked = tuple(max(sizes) for sizes in zip(padded[0][:-2], padded[1][:-2], strict=True))
    return (*stacked, padded[0][-2], padded[1][-1])


def _gemm(inputs: _Inputs) -> Shape:
    left, right = inputs.shape(0), inputs.shape(1)
    return left[inputs.whole("transA", 0)], right[1 - inputs.whole("transB", 0)]


def _grid_sample(inputs: _Inputs) -> Shape:
    return (*inputs.shape()[:2], *inputs.shape(1)[1:-1])


def _resize(inputs: _Inputs) -> Shape:
    if inputs.given(3):
        return tuple(map(int, inputs.values(3)))
    # In opset 10 the scales were the second input.
    scales = inputs.values(2 if inputs.given(2) else 1)
    return tuple(floor(s * scale) for s, scale in zip(inputs.shape(), scales, strict=True))


def _pad(inputs: _Inputs) -> Shape:
    source, pads = list(inputs.shape()), inputs.wholes("pads", 1) or ()
    axes = inputs.wholes("axes", 3) or tuple(range(len(source)))
    for place, axis in enumerate(axes):
        source[axis] += pads[place] + pads[place + len(axes)]
    return tuple(source)


def _gather(inputs: _Inputs) -> Shape:
    source, axis = inputs.shape(), inputs.whole("axis", 0) % len(inputs.shape())
    return (*source[:axis], *inputs.shape(1), *source[axis + 1 :])


def _depth_to_space(inputs: _Inputs) -> Shape:
    batch, channels, rows, columns = inputs.shape()
    side = inputs.whole("blocksize", 1)
    return batch, ceil(channels / side**2), rows * side, columns * side


_ELEMENT_BY_ELEMENT = (
    *("Abs", "BatchNormalization", "Cast", "Clip", "DequantizeLinear", "Dropout", "Exp"),
    *("Identity", "LeakyRelu", "Log", "Neg", "QuantizeLinear", "Relu", "Sigmoid", "Softmax"),
    *("Sqrt", "Tanh"),
)
_BROADCASTING = (
    *("Add", "And", "Div", "Equal", "Greater", "Less", "Max", "Min", "Mul", "Pow", "Sub", "Where"),
)
_REDUCING = ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"]

_SHAPES: Mapping[str, Callable[[_Inputs], Shape]] = {
    **dict.fromkeys(_ELEMENT_BY_ELEMENT, _same),
    **dict.fromkeys(_BROADCASTING, _broadcast),
    **dict.fromkeys(_REDUCING, _reduce),
    "AveragePool": _pool,
    "Concat": _concat,
    "Constant": _constant,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "DepthToSpace": _depth_to_space,
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool,
    "GridSample": _grid_sample,
    "MatMul": _matmul,
    "MaxPool": _pool,
    "Pad": _pad,
    "Reshape": _reshape,
    "Resize": _resize,
    "Slice": _slice,
    "Transpose": _transpose,
}
"""What tells the shape of an operator's output. Those that are not here are refused.

It is what BS-Nets are made of, in every precision, and what stands beside it in other exports. What
makes a tensor of any size from a few numbers (Expand, Tile, ConstantOfShape, Range) is not.
"""
