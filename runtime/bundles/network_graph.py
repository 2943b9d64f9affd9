"""What of an ONNX graph its tensors' shapes hang on: nodes, small constants, the input's shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from ..contract import INPUT_SIZE
from .wire_format import NO_ONNX, Refused, Value, content_of, fields_of, numbers_of

Fields = Mapping[int, list[Value]]
Shape = tuple[int, ...]
Numbers = tuple[int | float, ...]

_MOST_NUMBERS = 64
"""Elements of a constant whose values are read: no shape, axis or scale of a BS-Net has more."""

_LEAST = (1, 1, INPUT_SIZE, INPUT_SIZE)

_FLOAT32, _INT32, _INT64 = 1, 6, 7
_DTYPES = {_FLOAT32: "<f4", _INT32: "<i4", _INT64: "<i8"}


@dataclass(frozen=True)
class Constant:
    """A tensor of the file.

    Attributes
    ----------
    shape
        Its dimensions.
    values
        In their order, if it is small and of a type that shapes are given in; else None.
    """

    shape: Shape
    values: Numbers | None


@dataclass(frozen=True)
class GraphNode:
    """An operator and what it reads and writes.

    Attributes
    ----------
    operator
        Its name: ``Conv``.
    inputs, outputs
        Names of tensors; an empty one stands for what is left out.
    attributes
        Numbers by name; a single one is a tuple of one.
    texts
        Attributes that are texts.
    tensors
        Attributes that are tensors.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Numbers]
    texts: Mapping[str, str]
    tensors: Mapping[str, Constant]


def read_constant(content: Value) -> tuple[str, Constant]:
    """Read a TensorProto: its name, and what it is."""
    fields = _by_number(content)
    shape = tuple(map(_signed, numbers_of(fields.get(1, []))))
    (kind,) = fields.get(2, [0])[-1:]
    small = prod(shape) <= _MOST_NUMBERS and isinstance(kind, int) and kind in _DTYPES
    return _text(fields, 8), Constant(shape, _values(fields, _whole(kind)) if small else None)


def read_node(content: Value) -> GraphNode:
    """Read a NodeProto."""
    fields = _by_number(content)
    attributes: dict[str, Numbers] = {}
    texts: dict[str, str] = {}
    tensors: dict[str, Constant] = {}
    for entry in fields.get(5, []):
        inner = _by_number(entry)
        name = _text(inner, 1)
        if 5 in inner:
            tensors[name] = read_constant(inner[5][-1])[1]
        elif 4 in inner:
            texts[name] = _text(inner, 4)
        else:
            attributes[name] = _attribute(inner)
    inputs = tuple(_decoded(value) for value in fields.get(1, []))
    outputs = tuple(_decoded(value) for value in fields.get(2, []))
    return GraphNode(_text(fields, 4), inputs, outputs, attributes, texts, tensors)


def read_input(content: Value) -> tuple[str, Shape]:
    """Read a graph's input: its name, and its shape, with four axes at least the contract's.

    The batch counts as one where it is open: who runs the network chooses it, not the file. Rows
    and columns that are open or less count as the contract's, to which backends reshape it.
    """
    fields = _by_number(content)
    told = _inner(_inner(_inner(fields, 2), 1), 2).get(1, [])
    sizes = tuple(_size(_by_number(dimension)) for dimension in told)
    if len(sizes) == len(_LEAST):
        sizes = tuple(map(max, sizes, _LEAST))
    return _text(fields, 1), sizes


def _size(dimension: Fields) -> int:
    return _signed(_whole(dimension[1][-1])) if 1 in dimension else 1


def _inner(fields: Fields, number: int) -> Fields:
    return _by_number(fields[number][-1]) if number in fields else {}


def _by_number(content: Value) -> Fields:
    fields: dict[int, list[Value]] = {}
    for number, value in fields_of(content_of(content)):
        fields.setdefault(number, []).append(value)
    return fields


def _attribute(fields: Fields) -> Numbers:
    """The numbers of an attribute: one or many, whole or not."""
    if 7 in fields or 2 in fields:
        parts = [bytes(content_of(value)) for value in (*fields.get(7, []), *fields.get(2, []))]
        return tuple(_array(b"".join(parts), "<f4").tolist())
    return tuple(map(_signed, numbers_of([*fields.get(8, []), *fields.get(3, [])])))


def _values(fields: Fields, kind: int) -> Numbers:
    if 9 in fields:
        return tuple(_array(bytes(content_of(fields[9][-1])), _DTYPES[kind]).tolist())
    if kind == _FLOAT32:
        parts = [bytes(content_of(value)) for value in fields.get(4, [])]
        return tuple(_array(b"".join(parts), "<f4").tolist())
    return tuple(map(_signed, numbers_of(fields.get(5 if kind == _INT32 else 7, []))))


def _array(content: bytes, dtype: str) -> NDArray[np.generic]:
    if len(content) % np.dtype(dtype).itemsize:
        raise Refused(NO_ONNX)
    return np.frombuffer(content, dtype)


def _text(fields: Fields, number: int) -> str:
    return _decoded(fields[number][-1]) if number in fields else ""


def _decoded(value: Value) -> str:
    return bytes(content_of(value)).decode("utf-8", "backslashreplace")


def _whole(value: Value) -> int:
    if not isinstance(value, int):
        raise Refused(NO_ONNX)
    return value


def _signed(number: int) -> int:
    """A varint of 64 bits as the signed number that it stands for."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number
