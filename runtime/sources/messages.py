"""What the reading process and its parent say to each other, and how little of it is believed.

A message is a length, a header and arrays::

    4 bytes     length of the header, big endian
    header      JSON in ASCII; "arrays" lists the type and the shape of each array that follows
    arrays      the bytes of each, in the machine's byte order, rows first

The reading process decodes files that may be crafted to take it over. So nothing is unpickled:
what it sends is JSON and numbers, every length is checked before memory is taken for it, and every
member is checked before it is used.
"""

import json
import math
import os
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ..reading.limits import MAXIMUM_BYTES

Array = NDArray[np.generic]

_LENGTH = struct.Struct(">I")
_LONGEST_HEADER = 2**20
_TYPES = ("uint8", "uint16", "uint32", "float32", "float64")
_MOST_ARRAYS = 8


class BrokenMessage(Exception):
    """What came is no message: the other end is not what it should be, or has stopped."""


class EndOfMessages(BrokenMessage):
    """The other end has stopped, in the middle of a message or after one."""


@dataclass(frozen=True)
class Message:
    """A header, and the arrays that came with it."""

    header: Mapping[str, object]
    arrays: Sequence[Array] = ()


def answers() -> BinaryIO:
    """Take standard output for the answers alone: whatever a library prints there is dropped."""
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return stream


def send(stream: BinaryIO, message: Message) -> None:
    """Write a message and flush.

    Raises
    ------
    OSError
        The other end has stopped.
    """
    arrays = [np.ascontiguousarray(array) for array in message.arrays]
    listed = [[array.dtype.name, list(array.shape)] for array in arrays]
    header = json.dumps({**message.header, "arrays": listed}).encode("ascii")
    stream.write(_LENGTH.pack(len(header)) + header)
    for array in arrays:
        stream.write(array.data.cast("B"))
    stream.flush()


def receive(stream: BinaryIO) -> Message:
    """Read a message.

    Raises
    ------
    EndOfMessages
        The stream ended.
    BrokenMessage
        Something else than a message came.
    """
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _LONGEST_HEADER:
        raise BrokenMessage("the header is too long")
    header = _parsed(_exactly(stream, length))
    announced = [_checked(entry) for entry in _listed(header)]
    if sum(dtype.itemsize * math.prod(shape) for dtype, shape in announced) > MAXIMUM_BYTES:
        raise BrokenMessage("the arrays are too large")
    return Message(header, [_array(stream, dtype, shape) for dtype, shape in announced])


def texts(value: object) -> tuple[str, ...]:
    """Check that a member of a header is a list of texts.

    Raises
    ------
    BrokenMessage
        It is not.
    """
    if not isinstance(value, list):
        raise BrokenMessage("a list was expected")
    return tuple(text(item) for item in cast(list[object], value))


def text(value: object) -> str:
    """Check that a member of a header is a text.

    Raises
    ------
    BrokenMessage
        It is not.
    """
    if not isinstance(value, str):
        raise BrokenMessage("a text was expected")
    return value


def number(value: object) -> float:
    """Check that a member of a header is a finite number.

    Raises
    ------
    BrokenMessage
        It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BrokenMessage("a number was expected")
    return float(value)


def members(value: object) -> Mapping[str, object]:
    """Check that a member of a header has members itself.

    Raises
    ------
    BrokenMessage
        It has none.
    """
    if not isinstance(value, dict):
        raise BrokenMessage("members were expected")
    return cast(Mapping[str, object], value)


def _parsed(header: bytes) -> Mapping[str, object]:
    try:
        return members(json.loads(header))
    except (ValueError, RecursionError) as error:
        raise BrokenMessage("the header is no JSON") from error


def _listed(header: Mapping[str, object]) -> Iterable[object]:
    listed = header.get("arrays")
    if not isinstance(listed, list) or len(cast(list[object], listed)) > _MOST_ARRAYS:
        raise BrokenMessage("the arrays are not listed")
    return cast(list[object], listed)


def _checked(entry: object) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """Check the type and the shape of an array that is announced."""
    if not isinstance(entry, list) or len(cast(list[object], entry)) != 2:
        raise BrokenMessage("an array has no type and shape")
    kind, shape = cast(list[object], entry)
    if kind not in _TYPES or not isinstance(shape, list):
        raise BrokenMessage("an array is of a type that is not used")
    sizes = cast(list[object], shape)
    if len(sizes) > 4 or not all(type(size) is int and size > 0 for size in sizes):
        raise BrokenMessage("an array has an impossible shape")
    return np.dtype(cast(str, kind)), tuple(cast(list[int], sizes))


def _array(stream: BinaryIO, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> Array:
    array = np.empty(shape, dtype)
    view = array.data.cast("B")
    position = 0
    while position < len(view):
        count = cast(int, stream.readinto(view[position:]))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - typeshed leaves it out
        if not count:
            raise EndOfMessages("an array is cut off")
        position += count
    return array


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EndOfMessages("the stream ended")
    return data
