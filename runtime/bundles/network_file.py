"""What an ONNX file must not hold, seen in its bytes before any library opens it.

A bundle's digests cover the files that it lists. But an ONNX file can name further ones, whose
values ONNX Runtime, OpenVINO and TensorRT load from beside it or from the working directory, and it
can declare tensors of any size, for which they reserve memory. The package onnx is no part of the
runtime; so the wire format of Protocol Buffers is read here, as far as that takes (onnx.proto3).

Refused are external data and what could stand for them: operators that are not ONNX's own, some of
which read files. Refused is also what no BS-Net has: graphs within nodes, functions, training
information, sparse tensors; and tensors that hold another number of elements than they declare.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod

from ..errors import BundleError
from .network_shapes import check_shapes
from .wire_format import NO_ONNX, Refused, Value, content_of, fields_of, numbers_of

LARGEST_NETWORK = 400 << 20
"""Bytes of an ONNX file; a BS-Net in float32 takes 86 MB."""

_MOST_FIELDS = 1_000_000
"""Of all messages together; a BS-Net has about 8,000, and each takes a moment to look at."""


def check_network(content: bytes, what: str) -> None:
    """Refuse an ONNX file that names other files, or holds what no BS-Net has.

    Parameters
    ----------
    content
        The file.
    what
        What to call it in the message.

    Raises
    ------
    BundleError
        It is no ONNX file, or one of that kind; the message says why.
    """
    try:
        _Scan().check(memoryview(content), _MODEL)
    except Refused as reason:
        raise BundleError(f"{what} {reason}; copy or export the bundle again") from None


@dataclass(frozen=True)
class _Message:
    """What of a message is looked at, by the numbers of its fields.

    Attributes
    ----------
    within
        Messages that it holds, which are looked at in turn.
    once
        Of these the ones that it may hold once alone: parsers join what stands twice.
    refused
        What must not be there, in words.
    check
        Looks at its fields as a whole.
    """

    within: Mapping[int, "_Message"] = field(default_factory=dict[int, "_Message"])
    once: tuple[int, ...] = ()
    refused: Mapping[int, str] = field(default_factory=dict[int, str])
    check: Callable[[Mapping[int, list[Value]]], None] | None = None


class _Scan:
    """Looks through the messages of one file, and not at too many fields."""

    def __init__(self) -> None:
        self._left = _MOST_FIELDS

    def check(self, content: memoryview, kind: _Message) -> None:
        """Look at a message and at those within it."""
        fields: dict[int, list[Value]] = {}
        for number, value in fields_of(content):
            self._left -= 1
            if not self._left:
                raise Refused(f"has more than {_MOST_FIELDS:,} parts, which no BS-Net has")
            if number in kind.refused:
                raise Refused(f"holds {kind.refused[number]}, which no BS-Net needs")
            if number in kind.within:
                self.check(content_of(value), kind.within[number])
            fields.setdefault(number, []).append(value)
        if any(len(fields.get(number, [])) > 1 for number in kind.once):
            raise Refused(NO_ONNX)
        if kind.check is not None:
            kind.check(fields)


_NAME, _DATA_TYPE, _RAW_DATA, _DATA_LOCATION = 8, 2, 9, 14
_DIMENSIONS = 1
_OPERATOR, _DOMAIN = 4, 7

_ELEMENT_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}
"""Of an element in ``raw_data``, by TensorProto.DataType: the types that a BS-Net's tensors have.

They are float, uint8, int8, int32, int64, bool, float16 and double.
"""

_LIST_BYTES = {4: 4, 5: None, 7: None, 10: 8}
"""Fields that hold elements otherwise, with an element's bytes; None for numbers of any length."""

_CONTINUED = bytes(range(0x80, 0x100))


def _check_tensor(fields: Mapping[int, list[Value]]) -> None:
    name = "".join(
        ascii(bytes(content_of(value)))[2:-1][:100] for value in fields.get(_NAME, [])[:1]
    )
    if any(value != 0 for value in fields.get(_DATA_LOCATION, [])):
        raise Refused(f"holds {_EXTERNAL} (of {name}), which no BS-Net needs")
    (kind,) = fields.get(_DATA_TYPE, [0])[-1:]
    if kind not in _ELEMENT_BYTES:
        raise Refused(f"has a tensor of a type that no BS-Net has ({name})")
    declared = prod(numbers_of(fields.get(_DIMENSIONS, [])))
    raw = sum(len(content_of(value)) for value in fields.get(_RAW_DATA, []))
    held, rest = divmod(raw, _ELEMENT_BYTES[kind])
    held += sum(_count(fields.get(number, []), size) for number, size in _LIST_BYTES.items())
    if rest or held != declared:
        raise Refused(f"has a tensor that declares {declared} elements and holds {held} ({name})")


def _count(values: list[Value], size: int | None) -> int:
    """How many elements lists hold: packed into bytes, or one to a field."""
    count = 0
    for value in values:
        if isinstance(value, int):
            count += 1
        elif size is None:
            count += len(bytes(value).translate(None, _CONTINUED))
        else:
            count += len(value) // size
    return count


def _check_node(fields: Mapping[int, list[Value]]) -> None:
    for domain in fields.get(_DOMAIN, []):
        if bytes(content_of(domain)) not in (b"", b"ai.onnx"):
            shown = ascii(bytes(content_of(domain)))[2:-1][:100]
            raise Refused(f"has an operator that is not ONNX's own, but of {shown!r}")


def _check_model(fields: Mapping[int, list[Value]]) -> None:
    if 7 not in fields:
        raise Refused(NO_ONNX)


_EXTERNAL = "data of another file"
_SUBGRAPH, _SPARSE = "a graph within a node", "a sparse tensor"

_TENSOR = _Message(
    refused={3: "a part of a tensor", 6: "a tensor of texts", 13: _EXTERNAL}, check=_check_tensor
)
_ATTRIBUTE = _Message(
    within={5: _TENSOR, 10: _TENSOR},
    once=(5,),
    refused={6: _SUBGRAPH, 11: _SUBGRAPH, 22: _SPARSE, 23: _SPARSE},
)
_NODE = _Message(within={5: _ATTRIBUTE}, check=_check_node)
_GRAPH = _Message(within={1: _NODE, 5: _TENSOR}, refused={15: _SPARSE}, check=check_shapes)
_MODEL = _Message(
    within={7: _GRAPH},
    once=(7,),
    refused={20: "training information", 25: "functions of its own"},
    check=_check_model,
)
